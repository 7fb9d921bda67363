import Foundation
import Host
import Integrity
import SystemPackage
import Testing

@testable import Mirrors

@Suite("Python index: pages")
struct PythonIndexTests {
  /// Fetches the files and makes the index over them, in one folder.
  private func build(_ mirror: PythonIndex, in world: PythonWorld) async throws -> (
    FilePath, MirrorResolution
  ) {
    let resolution = try await mirror.resolve { _ in }
    let content = world.folder.appending("pypi")
    try FileManager.default.createDirectory(
      atPath: content.appending("files").string, withIntermediateDirectories: true)
    for file in resolution.files {
      let place = content.appending(file.path)
      _ = try await Command("curl", ["-sSfL", "-o", place.string, file.url]).output()
      if let digest = file.digest {
        #expect(try Digest(ofFile: place, algorithm: digest.algorithm) == digest)
      }
    }
    let index = world.folder.appending("index")
    try FileManager.default.createDirectory(atPath: index.string, withIntermediateDirectories: true)
    try await mirror.makeIndex(of: resolution, in: content, to: index)
    _ = try await Command("cp", ["-r", index.string + "/.", content.string]).output()
    return (content, resolution)
  }

  private func install(_ index: FilePath, _ requirements: FilePath) async throws -> CommandResult {
    let script = FilePath(#filePath).removingLastComponent().removingLastComponent()
      .appending("Packages/install-wheels")
    return try await Command(script.string, [index.string, requirements.string, SharedPip.python.string])
      .run()
  }

  /// The minor version of the Python that runs the tests.
  private func minor() async throws -> Int {
    let text = try await Command(SharedPip.python.string, ["-c", "import sys; print(sys.version_info[1])"])
      .output()
    return try #require(Int(text.filter(\.isNumber)))
  }

  @Test("pip installs from the pages alone, whatever characters a name has")
  func installs() async throws {
    let world = try await PythonWorld()
    try await world.make([
      "My.App-1+local.2-py3-none-any.whl | >=3.8,<4 | some_lib", "some_lib-1!2-py3-none-any.whl",
    ])
    try world.require("my-app")
    let (content, _) = try await build(try world.mirror(pythons: [try await minor()]), in: world)
    let page = try String(contentsOfFile: content.appending("my-app/index.html").string, encoding: .utf8)
    #expect(page.contains("../files/My.App-1%2Blocal.2-py3-none-any.whl#sha256="))
    #expect(page.contains("data-requires-python=\"&gt;=3.8,&lt;4\""))
    let metadata = content.appending("files/My.App-1+local.2-py3-none-any.whl.metadata")
    #expect(page.contains("data-core-metadata=\"\("sha256=" + (try Digest(ofFile: metadata).hex))\""))
    // Debian 12's pip 23.0 would take it and then refuse the differently spelt name.
    #expect(!page.contains("data-dist-info-metadata"))
    let root = try String(contentsOfFile: content.appending("index.html").string, encoding: .utf8)
    #expect(root.contains("<a href=\"my-app/\">") && root.contains("<a href=\"some-lib/\">"))
    let result = try await install(content, world.requirements[0])
    #expect(result.status == 0, "\(result.standardOutput)")
    try await world.make(["absent-1-py3-none-any.whl"])
    try world.require("absent")
    #expect(try await install(content, world.requirements[1]).status == 1)
  }

  @Test("a file whose digest the metadata did not tell gets one; one that is not of the mirror is refused")
  func digests() async throws {
    let world = try await PythonWorld()
    try await world.make(["tool-1-py3-none-any.whl"])
    try world.require("tool")
    let mirror = try world.mirror()
    var (content, resolution) = try await build(mirror, in: world)
    resolution.files[0].digest = nil
    let again = world.folder.appending("again")
    try FileManager.default.createDirectory(atPath: again.string, withIntermediateDirectories: true)
    try await mirror.makeIndex(of: resolution, in: content, to: again)
    let pages = try [content, again].map {
      try String(contentsOfFile: $0.appending("tool/index.html").string, encoding: .utf8)
    }
    #expect(pages[0] == pages[1])
    content = world.folder
    resolution.notes = [:]
    await #expect(throws: PythonIndexError.self) {
      try await mirror.makeIndex(of: resolution, in: world.folder, to: again)
    }
  }

  @Test("end to end with the index that this machine's pip is configured for")
  func real() async throws {
    let world = try await PythonWorld()
    world.environment = [:]
    try world.require("jmespath==1.0.1", "netaddr==1.3.0")
    let mirror = try world.mirror(
      pythons: [try await minor()], architectures: [.current], extra: ["MarkupSafe"], sources: true)
    let (content, resolution) = try await build(mirror, in: world)
    #expect(resolution.names.contains("netaddr-1.3.0-py3-none-any.whl"))
    #expect(resolution.names.contains("jmespath-1.0.1.tar.gz"))
    #expect(
      resolution.names.contains { $0.lowercased().hasPrefix("markupsafe-") && $0.contains("manylinux") })
    let result = try await install(content, world.requirements[0])
    #expect(result.status == 0, "\(result.standardOutput)")
  }

  @Test(
    "a real kubespray's Ansible installs from the index and runs",
    .enabled(
      if: realTree != nil, "set KUBESPRAY_TREE to a kubespray source tree to run the conformance tests"),
    arguments: [Architecture.amd64, .arm64])
  func kubespray(architecture: Architecture) async throws {
    let world = try await PythonWorld()
    world.environment = [:]
    world.requirements = [FilePath(try #require(realTree)).appending("requirements.txt")]
    let mirror = try world.mirror(
      pythons: [11, 12, 13], architectures: [architecture],
      extra: [
        "PyYAML", "ruamel.yaml", "pip", "setuptools", "wheel", "selinux", "flit_core", "cython<3",
      ], sources: true)
    guard architecture == .current else {
      let names = try await mirror.resolve { _ in }.names
      for python in [11, 12, 13] {
        #expect(
          names.contains { $0.contains("-cp3\(python)-manylinux") && $0.contains(architecture.machineName) })
      }
      return
    }
    let (content, resolution) = try await build(mirror, in: world)
    #expect(resolution.names.contains { $0.hasPrefix("ansible-") && $0.hasSuffix(".tar.gz") })
    let result = try await install(content, world.requirements[0])
    #expect(result.status == 0, "\(result.standardOutput)")
  }
}

private let realTree = ProcessInfo.processInfo.environment["KUBESPRAY_TREE"]
