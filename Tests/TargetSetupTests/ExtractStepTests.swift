import Archive
import Bundle
import Foundation
import Host
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

@Suite("Step extract")
struct ExtractStepTests {
  private static let offline = """
    # Where YOUR_HOST still stands, write the address.
    http_server: "http://YOUR_HOST"
    registry_host: "YOUR_HOST:35000"
    containerd_registries_mirrors:
      - prefix: "{{ registry_host }}"
        server: "http://{{ registry_host }}"
        mirrors:
          - host: "http://{{ registry_host }}"
            override_path: false
            skip_verify: true
      - prefix: "docker.io"
        server: "http://{{ registry_host }}"
        mirrors:
          - host: "http://{{ registry_host }}"
            override_path: false
            skip_verify: true
      - prefix: "mcr.microsoft.com"
        server: "http://{{ registry_host }}/v2/mcr.microsoft.com"
        mirrors:
          - host: "http://{{ registry_host }}/v2/mcr.microsoft.com"
            override_path: true
            skip_verify: true
      - prefix: "_default"
        server: "http://{{ registry_host }}/v2/other-registries"
        mirrors: []
    crio_registries:
      - prefix: "{{ registry_host }}"
        location: "{{ registry_host }}"
        insecure: true
        unqualified: false
      - prefix: "quay.io"
        location: "{{ registry_host }}"
        insecure: true
        unqualified: false
    crio_insecure_registries: ["{{ registry_host }}"]
    docker_registry_mirrors: ["http://{{ registry_host }}"]
    yum_repo: "{{ http_server }}/rpms"
    ubuntu_repo: "{{ http_server }}/debs"
    debian_repo: "{{ http_server }}/debs"

    """

  private func withBundle(_ body: (_ root: FilePath, _ bundle: FilePath) async throws -> Void) async throws {
    try await withFolder { folder in
      let source = folder.appending("kubespray-2.30.0")
      try put("ansible==10.7.0\n", at: source.appending("requirements.txt"))
      try put("one\n", at: source.appending("roles/a/file"))
      try put("[all]\n", at: source.appending("inventory/sample/inventory.ini"))
      try put("# empty\n", at: source.appending("inventory/sample/group_vars/all/offline.yml"))
      let bundle = folder.appending("bundle")
      try put("", at: bundle.appending("files/other.tar.gz"))
      _ = try await Command(
        "tar",
        [
          "-C", folder.string, "-czf", bundle.appending("files/kubespray-2.30.0.tar.gz").string,
          "kubespray-2.30.0",
        ]
      ).output()
      try put(Self.offline, at: bundle.appending("offline.yml"))
      try put("- hosts: all\n", at: bundle.appending("playbook/offline-repo.yml"))
      try put("---\n", at: bundle.appending("playbook/roles/offline-repo/tasks/main.yml"))
      try putRepository("debs/local", in: bundle)
      try put(
        "--- a/roles/a/file\n+++ b/roles/a/file\n@@ -1 +1 @@\n-one\n+two\n",
        at: bundle.appending("patches/2.30.0/0001-two.patch"))
      try await body(folder.appending("root"), bundle)
    }
  }

  private func run(_ root: FilePath, _ bundle: FilePath, address: String = "10.0.0.5") async throws
    -> StepReport
  {
    try #require(
      try await SetupRun(context(root: root, bundle: bundle, address: address)).execute([.extract]).first)
  }

  @Test("the tree is patched, with inventory, playbook and this node's address, and undo leaves nothing")
  func journey() async throws {
    try await withBundle { root, bundle in
      let report = try await run(root, bundle)
      #expect(report.outcome == .done, "\(report.detail)")
      let tree = root.appending("opt/kubespray-2.30.0")
      #expect(text(tree.appending("roles/a/file")) == "two\n")
      #expect(text(tree.appending("offline-repo.yml")) == "- hosts: all\n")
      #expect(text(tree.appending("roles/offline-repo/tasks/main.yml")) == "---\n")
      #expect(
        text(tree.appending("roles/offline-repo/defaults/main/this-bundle.yml"))?
          .contains(
            "\noffline_repo_release_path: \"/releases/2.30.0\"\noffline_repo_targets:\n  debian-12: local\n")
          == true)
      let home = root.appending("opt/kubespray-inventory")
      #expect(text(home.appending("inventory.ini")) == "[all]\n")
      #expect(!FileManager.default.fileExists(atPath: home.appending("group_vars/all/offline.yml").string))
      #expect(text(tree.appending("inventory/offline/inventory.ini"))?.hasPrefix("# No nodes") == true)
      let settings = text(tree.appending("inventory/offline/group_vars/all/offline.yml"))
      #expect(
        settings?.contains("\nhttp_server: \"http://10.0.0.5\"\nregistry_host: \"10.0.0.5:35000\"\n") == true)
      #expect(settings?.contains("\nyum_repo: \"{{ http_server }}/releases/2.30.0/rpms\"\n") == true)
      #expect(settings?.contains("\ndebian_repo: \"{{ http_server }}/releases/2.30.0/debs\"\n") == true)
      #expect(text(tree.appending("inventory/sample/group_vars/all/offline.yml")) == "# empty\n")
      #expect(try await run(root, bundle).outcome == .already)

      let undone = try await SetupRun(context(root: root, bundle: bundle)).undo([.extract])
      #expect(undone.map(\.outcome) == [.done], "\(undone)")
      #expect(!FileManager.default.fileExists(atPath: root.appending("opt").string))
    }
  }

  @Test("another address is written where nobody has changed the file, and undo still leaves nothing of ours")
  func newAddress() async throws {
    try await withBundle { root, bundle in
      _ = try await run(root, bundle)
      let tree = root.appending("opt/kubespray-2.30.0")
      let mine = tree.appending("inventory/offline/group_vars/all/offline.yml")
      try put("http_server: \"http://mine\"\n", at: mine)
      #expect(try await run(root, bundle).outcome == .already)
      #expect(try await run(root, bundle, address: "10.0.0.6").outcome == .done)
      #expect(text(mine) == "http_server: \"http://mine\"\n")
      #expect(text(tree.appending("offline.yml"))?.contains("http://10.0.0.6\"") == true)
      #expect(try await run(root, bundle, address: "10.0.0.6").outcome == .already)
      _ = try await SetupRun(context(root: root, bundle: bundle)).undo([.extract])
      let left = try content(of: root.appending("opt")).filter { !$0.value.hasSuffix(" folder") }
      #expect(Array(left.keys) == ["kubespray-2.30.0/inventory/offline/group_vars/all/offline.yml"])
    }
  }

  @Test(
    "a tree that this program did not finish is not taken as done and not touched; an empty folder is no tree"
  )
  func inTheWay() async throws {
    try await withBundle { root, bundle in
      let tree = root.appending("opt/kubespray-2.30.0")
      try put("half", at: tree.appending("README.md"))
      let report = try await run(root, bundle)
      #expect(report.outcome == .failed)
      #expect(report.detail.contains("was not, or not completely, extracted by this program"))
      #expect(report.detail.contains("mv /opt/kubespray-2.30.0 /opt/kubespray-2.30.0.old"))
      #expect(text(tree.appending("README.md")) == "half")
      try FileManager.default.removeItem(atPath: tree.appending("README.md").string)
      #expect(try await run(root, bundle).outcome == .done)
    }
  }

  @Test("a patch that does not fit is named with its hunk, and there is no tree")
  func badPatch() async throws {
    try await withBundle { root, bundle in
      try put(
        "--- a/roles/a/file\n+++ b/roles/a/file\n@@ -1 +1 @@\n-three\n+four\n",
        at: bundle.appending("patches/2.30.0/0002-bad.patch"))
      let report = try await run(root, bundle)
      #expect(report.outcome == .failed)
      #expect(report.detail.contains("0002-bad.patch does not fit this kubespray"))
      #expect(!FileManager.default.fileExists(atPath: root.appending("opt/kubespray-2.30.0").string))
    }
  }

  @Test(
    "nothing is made of a tarball, patch or playbook that is not as the manifest says",
    arguments: [
      "files/kubespray-2.30.0.tar.gz", "patches/2.30.0/0001-two.patch", "offline.yml",
      "playbook/roles/offline-repo/tasks/main.yml",
    ], [Tampering.otherByte, .shorter, .deleted, .linkInPlace])
  func tampered(_ path: String, _ how: Tampering) async throws {
    try await withBundle { root, bundle in
      let context = context(root: root, bundle: bundle)
      try how.apply(path, in: bundle)
      let report = try #require(try await SetupRun(context).execute([.extract]).first)
      #expect(report.outcome == .failed)
      #expect(report.detail.contains(path), "\(report.detail)")
      #expect(!FileManager.default.fileExists(atPath: root.appending("opt/kubespray-2.30.0").string))
      #expect(!FileManager.default.fileExists(atPath: root.appending("opt/.kubespray-2.30.0.part").string))
    }
  }

  @Test("another tarball of the same name is told, and the tree with its inventories stays")
  func otherTarball() async throws {
    try await withBundle { root, bundle in
      _ = try await run(root, bundle)
      try FileManager.default.removeItem(atPath: bundle.appending("patches/2.30.0/0001-two.patch").string)
      let report = try await run(root, bundle)
      #expect(report.outcome == .failed)
      #expect(report.detail.contains("is made of another tarball or other patches than the bundle has"))
      #expect(text(root.appending("opt/kubespray-2.30.0/roles/a/file")) == "two\n")
    }
  }

  @Test(
    "offline.yml names the registry as other nodes reach it",
    arguments: [
      (nil, "10.0.0.5:35000", "prefix: \"{{ registry_host }}\"", "host: \"http://{{ registry_host }}\""),
      ("localhost:5000", "10.0.0.5:5000", "prefix: \"10.0.0.5:5000\"", "host: \"http://10.0.0.5:5000\""),
      (
        "harbor.example.com/k8s", "harbor.example.com/k8s", "prefix: \"harbor.example.com\"",
        "host: \"https://harbor.example.com/v2/k8s\""
      ),
    ] as [(String?, String, String, String)])
  func registries(registry: String?, address: String, prefix: String, host: String) {
    var configuration = Configuration()
    configuration.target.address = "10.0.0.5"
    configuration.nginx.port = 8080
    configuration.registry.local = registry
    let interfaces = NetworkInterfaces(routed: nil, addresses: [])
    let settings = OfflineSettings(configuration, HostAddresses(interfaces, configuration))
    let text = settings.fill(Self.offline)
    #expect(text.hasPrefix("# Where YOUR_HOST still stands, write the address.\n"))
    #expect(text.contains("\nhttp_server: \"http://10.0.0.5:8080\"\nregistry_host: \"\(address)\"\n"))
    #expect(text.contains(prefix))
    #expect(text.contains(host))
    let hasPath = registry?.hasPrefix("harbor") == true
    #expect(text.contains("skip_verify: \(!hasPath)"))
    #expect(text.count { $0 == "\n" } == Self.offline.count { $0 == "\n" })
    #expect(text.contains("host: \"https://harbor.example.com\"\n") == hasPath)
    #expect(text.contains("location: \"harbor.example.com\"\n") == hasPath)
    #expect(text.contains("- prefix: \"quay.io\"\n    location: \"{{ registry_host }}\"\n"))
    #expect(text.contains("docker_registry_mirrors: []") == hasPath)
    guard hasPath else { return }
    // The path stands where the engine puts nothing by itself, and not where it is in the images' own names.
    let project = "https://harbor.example.com/v2/k8s"
    #expect(text.contains("server: \"https://harbor.example.com\"\n    mirrors:\n"))
    #expect(text.contains("\"docker.io\"\n    server: \"\(project)\"\n"))
    #expect(
      text.contains("host: \"\(project)\"\n        override_path: true\n        skip_verify: false\n"))
    #expect(text.contains("host: \"\(project)/mcr.microsoft.com\"\n        override_path: true\n"))
    #expect(text.contains("\"_default\"\n    server: \"\(project)/other-registries\"\n"))
  }

  @Test("the offline.yml of a bundle of an earlier version gets the path of a registry too")
  func earlierVersion() {
    var configuration = Configuration()
    configuration.target.address = "10.0.0.5"
    configuration.registry.local = "harbor.example.com/k8s"
    let interfaces = NetworkInterfaces(routed: nil, addresses: [])
    let settings = OfflineSettings(configuration, HostAddresses(interfaces, configuration))
    let text = settings.fill(
      """
      containerd_registries_mirrors:
        - prefix: "docker.io"
          mirrors:
            - host: "http://{{ registry_host }}"
              capabilities: ["pull", "resolve"]
              skip_verify: true
      """)
    #expect(text.contains("host: \"https://harbor.example.com/v2/k8s\"\n"))
    #expect(text.contains("\n        override_path: true\n        skip_verify: false"))
  }

  @Test("offline.yml of an earlier bundle gets what kubespray's role for CRI-O asks of each registry")
  func earlierBundle() {
    var configuration = Configuration()
    configuration.target.address = "10.0.0.5"
    let interfaces = NetworkInterfaces(routed: nil, addresses: [])
    let settings = OfflineSettings(configuration, HostAddresses(interfaces, configuration))
    let earlier = Self.offline.replacing("    unqualified: false\n", with: "")
    #expect(earlier != Self.offline)
    #expect(settings.fill(earlier) == settings.fill(Self.offline))
  }

  @Test("offline.yml has entries for all registries of the bundle's images, and for those of the network")
  func furtherRegistries() throws {
    var configuration = Configuration()
    configuration.target.address = "10.0.0.5"
    configuration.registry.own = ["apps.example.com", "10.0.0.9:5000"]
    configuration.images.plainHTTP = ["10.0.0.9:5000"]
    let images = try ["mcr.microsoft.com/a:1", "nvcr.io/nvidia/b:2", "quay.io/c/d:3"].map {
      try ImageReference($0)
    }
    let text = OfflineSettings(
      configuration, HostAddresses(NetworkInterfaces(routed: nil, addresses: []), configuration),
      images: images
    ).fill(Self.offline)
    #expect(text.count { $0 == "\n" } == Self.offline.count { $0 == "\n" } + 7 + 4 + 3 + 3)
    #expect(text.contains("host: \"http://{{ registry_host }}/v2/nvcr.io\"\n        capabilities:"))
    #expect(text.contains("\"nvcr.io\"\n    location: \"{{ registry_host }}/nvcr.io\"\n    insecure: true\n"))
    #expect(
      text.contains("\"apps.example.com\"\n    server: \"https://apps.example.com\"\n    mirrors: []\n"))
    #expect(text.contains("server: \"http://10.0.0.9:5000\"\n    mirrors: []\n  - prefix: \"_default\"\n"))
  }
}
