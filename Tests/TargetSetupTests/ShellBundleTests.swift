import Bundle
import Foundation
import Settings
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

@Suite("A bundle of the shell project")
struct ShellBundleTests {
  private func withBundle(_ body: (ShellBundleFixture) async throws -> Void) async throws {
    try await withFolder { try await body(try ShellBundleFixture($0)) }
  }

  private func scan(_ bundle: ShellBundleFixture) async throws -> ShellScan.Findings {
    let shell = try #require(try ShellBundle(bundle.bundle, environment: [:]))
    return try await ShellScan(bundle: shell, parallel: 2).run { _, _ in
    } onFile: { _, _, _ in
    }
  }

  @Test("it is known by its lists and config.sh; ours, finished or not, is none")
  func detection() async throws {
    try await withBundle { bundle in
      #expect(try ShellBundle(bundle.bundle, environment: [:]) != nil)
      for own in ["bundle.json", "bundle.json.unfinished", "config.yml"] {
        try put("{}", at: bundle.path(own))
        #expect(try ShellBundle(bundle.bundle, environment: [:]) == nil, "\(own)")
        try FileManager.default.removeItem(atPath: bundle.path(own).string)
      }
      try FileManager.default.removeItem(atPath: bundle.path("config.sh").string)
      #expect(try ShellBundle(bundle.bundle, environment: [:]) == nil)
    }
  }

  @Test("versions are those that the bundle has, and what config.sh says else is told")
  func versions() async throws {
    try await withBundle { bundle in
      let context = try bundle.context()
      let versions = context.configuration.versions
      #expect(versions.runc == "1.3.4")
      #expect(versions.containerd == "2.0.6")
      // Another nginx in kubespray's own list is not meant.
      #expect(versions.nginx == "1.29.2")
      #expect(versions.registry == "2.8.1")
      #expect(context.configuration.registry.additional == ["myregistry.io"])
      #expect(
        context.bundle.shell?.remarks == [
          "config.sh names containerd 2.1.5, and the bundle has 2.0.6, which is used",
          "config.sh names the image registry 2.8.3, and the bundle has 2.8.1, which is used",
        ])
    }
  }

  @Test(
    "files are looked for where its rules put them, faults included",
    arguments: [
      ("https://dl.k8s.io/release/v1.33.7/bin/linux/amd64/kubeadm", "kubernetes/v1.33.7/kubeadm"),
      ("https://dl.k8s.io/release/v1.34.0-rc.1/bin/linux/amd64/kubelet", "kubelet"),
      (
        "https://github.com/etcd-io/etcd/releases/download/v3.5.26/etcd-v3.5.26-linux-amd64.tar.gz",
        "kubernetes/etcd/etcd-v3.5.26-linux-amd64.tar.gz"
      ),
      (
        "https://github.com/projectcalico/calico/releases/download/v3.30.5/calicoctl-linux-amd64",
        "kubernetes/calico/v3.30.5/calicoctl-linux-amd64"
      ),
      ("https://github.com/projectcalico/calico/archive/v3.30.5.tar.gz", "kubernetes/calico/v3.30.5.tar.gz"),
      (
        "https://github.com/opencontainers/runc/releases/download/v1.3.4/runc.amd64", "runc/v1.3.4/runc.amd64"
      ),
      (
        "https://storage.googleapis.com/gvisor/releases/release/20260112.0/x86_64/runsc",
        "gvisor/20260112.0/x86_64/runsc"
      ),
      (
        "https://github.com/mikefarah/yq/releases/download/v4.42.1/yq_linux_amd64",
        "yq/v4.42.1amd64/yq_linux_amd64"
      ),
      ("https://get.helm.sh/helm-v3.18.4-linux-amd64.tar.gz", "helm-v3.18.4-linux-amd64.tar.gz"),
      (
        "{{ github_url }}/a/yq/releases/download/v{{ yq_version }}/yq_linux_{{ image_arch }}",
        "yq/v{{ yq_version }}{{ image_arch }}/yq_linux_{{ image_arch }}"
      ),
      (
        "{{ dl_k8s_io_url }}/release/v{{ kube_version }}/bin/linux/{{ image_arch }}/kubectl",
        "kubernetes/v{{ kube_version }}/kubectl"
      ),
    ])
  func layout(_ url: String, _ path: String) {
    #expect(ShellLayout.path(url) == path)
  }

  @Test("a whole one is looked through without a finding; what unverified for is told")
  func whole() async throws {
    try await withBundle { bundle in
      let found = try await scan(bundle)
      #expect(found.missing == [])
      #expect(found.damaged.map(\.reason) == [])
      // runc is in kubespray's checksums, the others of this fixture are not.
      #expect(!found.unproven.contains("files/runc/v1.3.4/runc.amd64"))
      #expect(found.unproven.contains("files/kubernetes/v1.33.7/kubelet"))
    }
  }

  @Test("packages of RPM repositories are compared with their index")
  func rpms() async throws {
    try await withBundle { bundle in
      let digest = "8739c76e681f900923b900c9df0ef75cf421d39cabb54650c4b9ad19b6a76d85"
      try put("x", at: bundle.path("rpms/local/a.rpm"))
      try put(
        "<repomd><data type=\"other\"><location href=\"repodata/no.xml\"/></data><data type=\"primary\">"
          + "<checksum type=\"sha256\">0</checksum><location href=\"repodata/p.xml\"/></data></repomd>",
        at: bundle.path("rpms/local/repodata/repomd.xml"))
      func package(_ name: String) -> String {
        "<package type=\"rpm\"><checksum type=\"sha256\" pkgid=\"YES\">\(digest)</checksum><location href=\"\(name)\"/></package>"
      }
      try put(
        "<metadata>\(package("a.rpm"))\(package("b.rpm"))</metadata>",
        at: bundle.path("rpms/local/repodata/p.xml"))
      let found = try await scan(bundle)
      #expect(found.damaged.map(\.path) == ["rpms/local/a.rpm"])
      #expect(found.missing == ["rpms/local/b.rpm, which rpms/local/repodata/repomd.xml names"])
    }
  }

  @Test("what its lists and indexes name and is not there is told, and is no failure")
  func missing() async throws {
    try await withBundle { bundle in
      let gone = [
        "files/yq/v4.42.1amd64/yq_linux_amd64", "images/docker.io_library_nginx-1.28.0-alpine.tar.gz",
        "debs/local/pkgs/tree_1%3a2.deb", "pypi/files/x-1-py3-none-any.whl",
      ]
      for path in gone { try FileManager.default.removeItem(atPath: bundle.path(path).string) }
      let found = try await scan(bundle)
      #expect(found.missing.count == 4)
      #expect(found.missing.contains { $0.contains("yq_linux_amd64, which files.list names") })
      #expect(found.missing.contains { $0.contains("nginx:1.28.0-alpine, which images/images.list names") })
      #expect(found.damaged.isEmpty)
      let context = try bundle.context()
      let reports = try await SetupRun(context).execute([.verify])
      #expect(reports.map(\.outcome) == [.done])
      #expect(reports[0].detail.contains("4 missing"))
    }
  }

  @Test("what is damaged is named and stops the rest")
  func damaged() async throws {
    try await withBundle { bundle in
      func cut(_ path: String) throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: bundle.path(path).string))
        try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: bundle.path(path).string))
      }
      try cut("images/docker.io_library_nginx-1.29.2.tar.gz")
      try bundle.image(
        "docker.io_library_registry-2.8.1", tag: "registry:2.8.1", layer: "another layer altogether")
      try cut("files/containerd-2.0.6-linux-amd64.tar.gz")
      try put("b package\n", at: bundle.path("debs/local/pkgs/tree_1%3a2.deb"))
      try put("b wheel\n", at: bundle.path("pypi/files/x-1-py3-none-any.whl"))
      try put("", at: bundle.path("files/kubernetes/v1.33.7/kubelet"))
      try put("<html>404</html>", at: bundle.path("files/kubespray-2.29.1.tar.gz"))
      let found = try await scan(bundle)
      #expect(
        found.damaged.map(\.path) == [
          "debs/local/pkgs/tree_1%3a2.deb", "files/containerd-2.0.6-linux-amd64.tar.gz",
          "files/kubernetes/v1.33.7/kubelet", "files/kubespray-2.29.1.tar.gz",
          "images/docker.io_library_nginx-1.29.2.tar.gz", "images/docker.io_library_registry-2.8.1.tar.gz",
          "pypi/files/x-1-py3-none-any.whl",
        ])
      let reports = try await SetupRun(try bundle.context()).execute([.verify, .extract])
      #expect(reports.map(\.outcome) == [.failed, .blocked])
    }
  }

  @Test("the tree gets an offline.yml made of kubespray's own templates, and their playbook as it is")
  func extract() async throws {
    try await withBundle { bundle in
      let said = Mutex<[String]>([])
      let context = try bundle.context { text in said.withLock { $0.append(text) } }
      let report = try #require(try await SetupRun(context).execute([.extract]).first)
      #expect(report.outcome == .done, "\(report.detail)")
      let tree = bundle.folder.appending(FilePath("root/opt/kubespray-2.29.1").components)
      let offline = try #require(text(tree.appending("offline.yml")))
      for line in [
        "http_server: \"http://10.0.0.5\"", "registry_host: \"10.0.0.5:35000\"",
        "kube_image_repo: \"{{ registry_host }}\"",
        "csi_image_repo: \"{{ registry_host }}/mcr.microsoft.com/oss/csi\"",
        "helper_image_repo: \"{{ registry_host }}/library/busybox\"",
        "kubelet_download_url: \"{{ files_repo }}/kubernetes/v{{ kube_version }}/kubelet\"",
        "yq_download_url: \"{{ files_repo }}/yq/v{{ yq_version }}{{ image_arch }}/yq_linux_{{ image_arch }}\"",
      ] {
        #expect(offline.contains("\n\(line)\n"), "\(line)")
      }
      // Made of another variable that has a line, and not in the bundle.
      #expect(!offline.contains("etcd_image_repo"))
      #expect(!offline.contains("argocd_install_url"))
      #expect(
        said.withLock { $0.contains { $0.contains("no offline.yml") && $0.contains("argocd_install_url") } })
      #expect(text(tree.pushing("roles/offline-repo/defaults/main.yml")) == "offline_repo: true\n")
      #expect(
        !FileManager.default.fileExists(atPath: tree.pushing("roles/offline-repo/defaults/main").string))
    }
  }

  @Test("a place without an expression is one file, and not a beginning of others")
  func fits() {
    #expect(ShellInventory.fits("kubelet", ["runc/v1/runc", "kubelet"]))
    #expect(!ShellInventory.fits("kubelet", ["kubelet.sig", "a/kubelet"]))
    #expect(ShellInventory.fits("a-{{ v }}-{{ w }}.tgz", ["a-1-2.tgz"]))
    #expect(!ShellInventory.fits("a-{{ v }}.tgz", ["a-/1.tgz", "a-1.tar"]))
  }

  @Test("an offline.yml of the operator is taken as it is, with this node's address")
  func ownInventory() async throws {
    try await withBundle { bundle in
      try put("http_server: \"http://YOUR_HOST\"\nmine: 1\n", at: bundle.path("offline.yml"))
      _ = try await SetupRun(try bundle.context()).execute([.extract])
      let tree = bundle.folder.appending(FilePath("root/opt/kubespray-2.29.1").components)
      #expect(text(tree.appending("offline.yml")) == "http_server: \"http://10.0.0.5\"\nmine: 1\n")
    }
  }

  @Test("images are those of its lists, by whatever rule their archives were named")
  func images() async throws {
    try await withBundle { bundle in
      try bundle.image("my-app-1", tag: "docker.io/library/my-app:1")
      try bundle.image("old_thing-0", tag: "old/thing:0")
      try put("nginx:1.29.2\nmy-app:1 # ours\ngone:1\n", at: bundle.path("images/additional-images.list"))
      let shell = try #require(try ShellBundle(bundle.bundle, environment: [:]))
      #expect(
        shell.images().map(\.archive) == [
          "images/docker.io_library_nginx-1.29.2.tar.gz", "images/my-app-1.tar.gz", nil,
          "images/docker.io_library_nginx-1.28.0-alpine.tar.gz",
        ])
    }
  }
}
