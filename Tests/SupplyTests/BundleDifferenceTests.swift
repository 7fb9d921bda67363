import Bundle
import Files
import Integrity
import SystemPackage
import TestSupport
import Testing

@testable import Supply

@Suite struct BundleDifferenceTests {
  private func file(_ path: String, _ text: String, _ stage: StageName = .files) throws -> ManifestFile {
    ManifestFile(
      path: try BundlePath(path), size: Int64(text.utf8.count), sha256: Digest(of: Array(text.utf8)),
      url: "https://example.com/\(path)", stage: stage, verification: .tlsOnly)
  }

  private func image(_ reference: String, _ text: String) throws -> ManifestFile {
    var file = try file(
      "images/\(reference.map { "/:".contains($0) ? "-" : $0 }.map(String.init).joined()).tar.gz", text,
      .images)
    file.image = ManifestImage(
      reference: try ImageReference(reference), digest: file.sha256, platforms: [], layers: 1)
    return file
  }

  private func manifest(_ files: [ManifestFile]) -> Manifest {
    Manifest(
      tool: "test", created: "2026-01-01T00:00:00Z", kubespray: "2.30.0", architecture: "amd64", stages: [],
      files: files)
  }

  @Test(arguments: [
    ("files/kubernetes/v1.34.3/kubelet", "kubelet", "v1.34.3"),
    ("files/dl.k8s.io/release/v1.34.3/bin/linux/amd64/kubelet", "kubelet", "v1.34.3"),
    ("files/kubernetes/etcd/etcd-v3.5.26-linux-amd64.tar.gz", "etcd", "v3.5.26"),
    ("files/kubernetes/cni/cni-plugins-linux-amd64-v1.8.0.tgz", "cni-plugins", "v1.8.0"),
    ("files/kubernetes/calico/v3.30.5.tar.gz", "calico", "v3.30.5"),
    ("files/runc/v1.3.4/runc.amd64", "runc", "v1.3.4"),
    ("files/containerd-2.2.1-linux-amd64.tar.gz", "containerd", "2.2.1"),
    ("files/kubespray-2.31.0-rc.1.tar.gz", "kubespray", "2.31.0-rc.1"),
    ("files/containerd-shim-runsc-v1", "containerd-shim-runsc", "v1"),
    ("debs/local/pkgs/libc6_2.41-12_amd64.deb", "libc6", "2.41-12"),
    ("debs/local/pkgs/iptables_1%3a1.8-2_amd64.deb", "iptables", "1:1.8-2"),
    ("rpms/rocky-9/python3-libs-3.9.21-2.el9.x86_64.rpm", "python3-libs", "3.9.21-2.el9"),
    ("pypi/files/ansible_core-2.17.7-py3-none-any.whl", "ansible_core", "2.17.7"),
    ("files/crictl", "crictl", nil),
  ])
  func aFileIsCalledByItsComponent(_ path: String, _ component: String, _ version: String?) throws {
    // FAT cannot keep a colon, so an epoch comes as an escape.
    let name = ContentName(try file(path, ""))
    #expect(name.component == component && name.version == version)
  }

  @Test func changesArePairedByComponent() throws {
    let old = manifest([
      try file("files/kubernetes/v1.33.7/kubelet", "1.33"), try file("files/same", "same"),
      try file("files/gone", "gone"), try image("registry.k8s.io/pause:3.10", "pause"),
      try image("quay.io/calico/node:v3.29", "node"),
      try file("debs/local/pkgs/curl_8_amd64.deb", "8", .repo),
    ])
    let new = manifest([
      try file("files/kubernetes/v1.34.3/kubelet", "1.34.3"), try file("files/same", "same"),
      try file("files/fresh", "fresh"), try image("registry.k8s.io/pause:3.10", "pause"),
      try image("quay.io/calico/node:v3.30", "node2"), try image("quay.io/calico/node:v3.31", "node3"),
      try file("debs/local/pkgs/curl_9_amd64.deb", "99", .repo),
    ])
    let difference = BundleDifference(from: old, to: new)
    let lines = difference.changes.map { change in
      "\(change.kind.rawValue) \(change.component) \(change.what.rawValue) \(change.old?.version ?? "-") "
        + "\(change.new?.version ?? "-")"
    }
    #expect(
      lines == [
        "file fresh added - -", "file gone removed - -", "file kubelet changed v1.33.7 v1.34.3",
        "image quay.io/calico/node removed v3.29 -", "image quay.io/calico/node added - v3.30",
        "image quay.io/calico/node added - v3.31", "package curl changed 8 9",
      ])
    let files = try #require(difference.totals.first { $0.kind == .file })
    #expect(files.added == 1 && files.removed == 1 && files.changed == 1 && files.same == 1)
    #expect(files.newBytes == 11 && files.oldBytes == 8)
    #expect(BundleDifference(from: old, to: old).changes.isEmpty)
  }
}
