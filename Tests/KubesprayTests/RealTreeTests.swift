import Bundle
import Files
import Foundation
import Host
import Kubespray
import SystemPackage
import Testing

/// The kubespray tree that `KUBESPRAY_TREE` names, for the conformance tests.
private let realTree = ProcessInfo.processInfo.environment["KUBESPRAY_TREE"].map { FilePath($0) }

/// Conformance with a real kubespray: `KUBESPRAY_TREE=/path/to/kubespray swift test --filter RealTree`.
@Suite(
  .serialized,
  .enabled(if: realTree != nil, "set KUBESPRAY_TREE to a kubespray source tree to run the conformance tests"))
struct RealTreeTests {
  @Test func `The catalog holds the official lists, and offline.yml leads to every place`() async throws {
    let source = try #require(realTree)
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: source, cache: folder)
      try await checkConformance(evaluation, reporting: true)
    }
  }

  @Test func `An inventory decides what is enabled, by the variables of its cluster group`() async throws {
    let source = try #require(realTree)
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: source, cache: folder.appending("cache"))
      let inventory = try writeInventory(
        in: folder.appending("my inventory"),
        clusterVariables: "kube_network_plugin: flannel\nhelm_enabled: true\n")
      let catalog = try await evaluation.evaluate(architecture: .arm64, inventory: inventory)
      let images = catalog.images.filter(\.isEnabled).map(\.reference)
      #expect(images.contains { $0.contains("flannel/flannel:") })
      #expect(!images.contains { $0.contains("calico/node:") })
      let files = catalog.files.filter(\.isEnabled)
      #expect(files.contains { $0.url.contains("/helm-v") && $0.url.contains("arm64") })
      #expect(!files.contains { $0.url.contains("calicoctl") })
      #expect(catalog.architecture == "arm64")
      let official = try evaluation.officialList("files")
      #expect(official.contains { $0.hasSuffix("/aarch64/runsc") })
      #expect(Set(official).isSubset(of: catalog.files.map(\.url)))
    }
  }
}
