import Foundation
import Host
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// The scripts with the shell project's names, as they lie in the bundle.
@Suite("Scripts of the bundle")
struct WrapperTests {
  private static let scripts = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .removingLastComponent().appending("target-scripts")

  private static let steps = [
    "setup-all.sh": "all", "setup-container.sh": "containerd", "start-nginx.sh": "nginx",
    "setup-offline.sh": "offline-repo", "setup-py.sh": "python", "start-registry.sh": "registry",
    "load-push-all-images.sh": "load-push", "extract-kubespray.sh": "extract",
  ]

  @Test("each starts its step with all arguments, without permission bits and from any folder")
  func wrappers() async throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.scripts.string)
      .filter { $0.hasSuffix(".sh") && $0 != AnsibleContainerStep.scriptName }
    #expect(Set(names) == Set(Self.steps.keys))
    #expect(Set(Self.steps.values).isSubset(of: ["all"] + StepName.allCases.map(\.rawValue)))
    try await withFolder { folder in
      // As on a medium with FAT: files of mode 0644, a blank in the path.
      let bundle = folder.appending("USB DISK")
      try put("printf '<%s>' \"$@\"\n", at: bundle.appending("target-setup"))
      for (name, step) in Self.steps {
        try put(try #require(text(Self.scripts.appending(name))), at: bundle.appending(name))
        let said = try await Command("sh", [bundle.appending(name).string, "--address", "a b"]).output()
        #expect(said == "<\(step)><--address><a b>")
        let near = try await Command("sh", [name], workingDirectory: bundle).output()
        #expect(near == "<\(step)>")
      }
    }
  }
}
