import Files
import Foundation
import Kubespray
import SystemPackage
import Testing

/// Which packages of kubespray's roles a release gets, decided by Jinja.
@Suite("Packages that kubespray's roles want")
struct SystemPackagesTests {
  private let declaration = """
    ---
    pkgs_to_remove:
      systemd-timesyncd: []
    pkgs:
      always: []
      aufs-tools:
        - "{{ ansible_os_family == 'Debian' }}"
        - "{{ ansible_distribution_major_version == '10' }}"
        - "{{ 'k8s_cluster' in group_names }}"
      chrony:
        - "{{ ntp_enabled }}"
        - "{{ ntp_package == 'chrony' }}"
      gnupg:
        - "{{ ansible_distribution == 'Debian' }}"
        - "{{ ansible_distribution_major_version in ['11', '12'] }}"
      iputils:
        - "{{ not ansible_os_family in ['Flatcar', 'Debian'] }}"
        - "{{ main_access_ip is defined }}"
        - "{{ not is_fedora_coreos }}"
      iputils-ping:
        - "{{ ansible_os_family == 'Debian' }}"
        - "{{ main_access_ip is defined }}"
        - "{{ not ping_access_ip | default(false) }}"
      python3-cryptography:
        - "{{ ansible_os_family == 'Suse' and ansible_distribution_version is version('15.4', '>=') }}"
      newer:
        - "{{ ansible_distribution_major_version is version('12', '>=') }}"
      facts:
        - "{{ ansible_facts['distribution'] == 'Ubuntu' and ansible_facts.distribution_version == '24.04' }}"
      never:
        - false

    """

  @Test(
    "What the release decides is decided; every other condition is possible",
    arguments: [
      ("debian", "12", ["always", "chrony", "gnupg", "iputils-ping", "newer"]),
      ("debian", "13", ["always", "chrony", "iputils-ping", "newer"]),
      ("debian", "11", ["always", "chrony", "gnupg", "iputils-ping"]),
      ("ubuntu", "24.04", ["always", "chrony", "facts", "iputils-ping", "newer"]),
      ("rocky", "9", ["always", "chrony", "iputils"]),
      ("opensuse-leap", "16.0", ["always", "chrony", "iputils", "newer", "python3-cryptography"]),
    ])
  func conditions(_ id: String, _ version: String, _ expected: [String]) async throws {
    try await withTree(declaration, at: "roles/system_packages/vars/main.yml") { evaluation in
      let release = NodeRelease(name: "\(id)-\(version)", id: id, version: version, codename: nil)
      let packages = try await evaluation.evaluate(releases: [release]).packages
      #expect(packages.map(\.name).sorted() == expected)
      #expect(packages.allSatisfy { $0.release == release.name })
    }
  }

  @Test("The origin names the file, and beside it is what the cluster's variables decide")
  func origin() async throws {
    try await withTree(declaration, at: "roles/kubernetes/preinstall/vars/main.yml") { evaluation in
      let packages = try await evaluation.evaluate(releases: [debian]).packages
      let chrony = try #require(packages.first { $0.name == "chrony" })
      #expect(chrony.origin == "roles/kubernetes/preinstall/vars/main.yml")
      #expect(chrony.conditions == ["ntp_enabled", "ntp_package == 'chrony'"])
    }
  }

  @Test("The cluster's own variables tell what it gets of the list")
  func states() async throws {
    try await withTree(declaration, at: "roles/system_packages/vars/main.yml") { evaluation in
      let packages = try await evaluation.evaluate(
        extra: ["ntp_enabled": "true", "ntp_package": "ntpsec", "main_access_ip": "192.0.2.1"],
        releases: [debian]
      ).packages
      let states = Dictionary(uniqueKeysWithValues: packages.map { ($0.name, $0.state) })
      #expect(
        states == [
          "always": .needed, "chrony": .possible, "gnupg": .needed, "iputils-ping": .needed, "newer": .needed,
        ])
    }
  }

  @Test("A tree without such a file wants nothing")
  func none() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let packages = try await evaluation.evaluate(releases: [debian]).packages
      #expect(packages.isEmpty)
    }
  }

  @Test("A condition that is no Jinja leaves its package possible")
  func broken() async throws {
    try await withTree("pkgs:\n  a: [\"{{ this is ( }}\"]\n", at: "roles/system_packages/vars/main.yml") {
      evaluation in
      let packages = try await evaluation.evaluate(releases: [debian]).packages
      #expect(packages.map(\.name) == ["a"])
    }
  }

  private let debian = NodeRelease(name: "debian-12", id: "debian", version: "12", codename: "bookworm")

  /// The small tree with one more file.
  private func withTree(
    _ text: String, at place: String, _ body: (TreeEvaluation) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      let copy = folder.appending("tree")
      try FileManager.default.copyItem(atPath: miniTree.string, toPath: copy.string)
      let file = copy.appending(place)
      try FileManager.default.createDirectory(
        atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
      try text.write(toFile: file.string, atomically: true, encoding: .utf8)
      try await body(try await TreeEvaluation(copying: copy, cache: folder.appending("cache")))
    }
  }
}
