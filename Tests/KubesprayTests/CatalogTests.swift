import Bundle
import Files
import Foundation
import Host
import Integrity
import Kubespray
import SystemPackage
import Testing

/// Real Ansible on the small tree of our own.
@Suite(.serialized) struct CatalogTests {
  @Test func `Official lists, offline yml and every place agree`() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder)
      try await checkConformance(
        evaluation,
        withoutChecksum: ["https://github.com/example/plain/releases/download/v1.0/plain-1.0.tar.gz"])
    }
  }

  @Test func `Defaults decide without an inventory, and what the lists miss is there`() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder)
      let catalog = try await evaluation.evaluate()
      #expect(catalog.architecture == "amd64")
      #expect(catalog.version(of: "kube") == "1.34.0-rc.1")
      #expect(catalog.version(of: "etcd") == "3.5.26")

      let kubelet = try #require(catalog.files.first { $0.variable == "kubelet_download_url" })
      #expect(kubelet.url == "https://dl.k8s.io/release/v1.34.0-rc.1/bin/linux/amd64/kubelet")
      #expect(kubelet.isOfficial && kubelet.isEnabled && kubelet.checksum != nil)
      let install = try #require(catalog.files.first { $0.variable == "argocd_install_url" })
      #expect(!install.isOfficial && !install.isEnabled && install.checksum != nil)
      #expect(install.origin == "downloads.argocd_install")

      let images = Dictionary(uniqueKeysWithValues: catalog.images.map { ($0.reference, $0) })
      #expect(images["docker.io/example/weave:v2.8.1"]?.isEnabled == true)
      #expect(images["quay.io/coreos/etcd:v3.5.26"]?.isEnabled == false)
      #expect(images["registry.k8s.io/kube-apiserver:v1.34.0-rc.1"]?.isEnabled == true)
      #expect(images["mcr.microsoft.com/oss/kubernetes-csi/csi-attacher:v3.3.0"]?.isOfficial == false)
      #expect(images["mcr.microsoft.com/oss/kubernetes-csi/plugin:v9.8.7"]?.isEnabled == false)
      #expect(images["docker.io/library/busybox:latest"]?.origin.hasPrefix("roles/addons/cloud_csi/") == true)
      #expect(images["registry.k8s.io/lonely/image:v1.2.3"]?.isEnabled == true)
      #expect(!images.keys.contains { $0.hasPrefix("vendor.example/") })

      #expect(catalog.warnings.contains { $0.contains("downloads.nginx.enabled") })
      #expect(catalog.warnings.contains { $0.contains("unsupported_image_tag") })
      #expect(catalog.warnings.contains { $0.contains("no checksum") && $0.contains("plain-1.0") })

      let enabled = catalog.selecting(.enabled)
      #expect(enabled.files.allSatisfy(\.isEnabled) && enabled.images.allSatisfy(\.isEnabled))
      #expect(catalog.selecting(.all) == catalog)
    }
  }

  @Test func `An inventory's hosts decide, for another architecture too`() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let inventory = try writeInventory(
        in: folder.appending("my inventory"),
        clusterVariables: "kube_version: 1.33.7\nargocd_enabled: true\nvendor_csi_enabled: true\n")
      let catalog = try await evaluation.evaluate(
        architecture: .arm64, inventory: inventory,
        extra: ["kube_network_plugin": "none", "containerd_static": "true"])
      #expect(catalog.architecture == "arm64")
      #expect(catalog.version(of: "kube") == "1.33.7")
      let enabled = Set(catalog.files.filter(\.isEnabled).compactMap(\.variable))
      #expect(
        enabled == [
          "kubelet_download_url", "etcd_download_url", "containerd_download_url", "yq_download_url",
          "argocd_install_url",
        ])
      #expect(catalog.files.contains { $0.url.hasSuffix("/containerd-static-2.2.1-linux-arm64.tar.gz") })
      #expect(catalog.files.contains { $0.url.hasSuffix("/aarch64/runsc") && $0.isOfficial })
      #expect(
        catalog.files.map(\.url).filter { $0.hasSuffix("/kubelet") }
          == ["https://dl.k8s.io/release/v1.33.7/bin/linux/arm64/kubelet"])
      let images = Dictionary(uniqueKeysWithValues: catalog.images.map { ($0.reference, $0.isEnabled) })
      #expect(images["docker.io/example/weave:v2.8.1"] == false)
      #expect(images["registry.k8s.io/lonely/image:v1.2.3"] == false)
      #expect(images["vendor.example/csi:v1"] == true)
    }
  }

  @Test func `A catalog is kept until something changes`() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let inventory = try writeInventory(in: folder.appending("inventory"), clusterVariables: "a: b\n")
      let first = try await evaluation.evaluate(inventory: inventory)
      // Without the script nothing can be evaluated again.
      let script = evaluation.workingCopy.tree.path.appending("contrib/offline/generate_list.sh")
      try FileManager.default.removeItem(atPath: script.string)
      #expect(try await evaluation.evaluate(inventory: inventory) == first)

      let variables = folder.appending("inventory/group_vars/k8s_cluster/cluster.yml")
      try writeAtomically("a: c\n", to: variables)
      await #expect(throws: CatalogError.self) { try await evaluation.evaluate(inventory: inventory) }
      await #expect(throws: CatalogError.self) { try await evaluation.evaluate(architecture: .arm64) }
    }
  }

  @Test func `A failure of Ansible is told and leaves nothing in the tree`() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder)
      let error = await #expect(throws: CatalogError.self) {
        try await evaluation.evaluate(extra: ["image_arch": "{{ no_such_variable }}"])
      }
      #expect(try #require(error).description.contains("no_such_variable"))
      let left = evaluation.workingCopy.tree.path.appending("generate_list.yml")
      #expect(!FileManager.default.fileExists(atPath: left.string))
    }
  }

  @Test func `An inventory without cluster hosts is an error that says so`() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let inventory = evaluation.workingCopy.tree.path.appending("inventory/sample/inventory.ini")
      let error = await #expect(throws: CatalogError.self) {
        try await evaluation.evaluate(inventory: inventory)
      }
      #expect(try #require(error).description.contains("kube_control_plane"))
    }
  }
}
