import Bundle
import Files
import Foundation
import Host
import SystemPackage
import Testing

@testable import Kubespray

/// What a cluster asks for with offline.yml in its inventory; real Ansible on the small tree of our own, to which roles
/// are added as kubespray has them.
@Suite(.serialized) struct ClosureTests {
  private static let debian = NodeRelease(
    name: "debian-12", id: "debian", version: "12", codename: "bookworm")
  private static let rocky = NodeRelease(name: "rocky-9", id: "rocky", version: "9", codename: nil)

  /// A copy of the small tree, with more files.
  private func tree(in folder: FilePath, adding files: [String: String] = [:]) throws -> FilePath {
    let copy = folder.appending("tree")
    try FileManager.default.copyItem(atPath: miniTree.string, toPath: copy.string)
    for (name, text) in files {
      let place = copy.appending(name)
      try createDirectories(place.removingLastComponent())
      try writeAtomically(text, to: place)
    }
    return copy
  }

  private func demand(
    _ evaluation: TreeEvaluation, _ offline: String, inventory: FilePath? = nil
  ) async throws -> ClusterDemand {
    let evaluator = CatalogEvaluator(
      workingCopy: evaluation.workingCopy, environment: evaluation.environment, architecture: .amd64,
      inventory: inventory, cache: evaluation.cache)
    return try await ClosureEvaluator(evaluator, offline: offline).evaluate()
  }

  private func offline(_ evaluation: TreeEvaluation, _ catalog: Catalog) throws -> String {
    try OfflineInventory(version: evaluation.workingCopy.version, layout: FileLayout(name: .kubesprayOffline))
      .render(catalog).replacing("YOUR_HOST", with: "admin.example")
  }

  @Test func `With offline yml all is asked of the admin host, but for what an inventory sets itself`()
    async throws
  {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(
        copying: try tree(in: folder), cache: folder.appending("cache"))
      let offline = try offline(evaluation, try await evaluation.evaluate())
      let plain = try await demand(evaluation, offline)
      let outside = plain.catalog.files.filter { !$0.url.hasPrefix("http://admin.example/files/") }
      #expect(outside.isEmpty)
      #expect(
        plain.catalog.images.contains { $0.reference == "admin.example:35000/kube-proxy:v1.34.0-rc.1" })
      let engine = try #require(plain.engines.first)
      #expect(engine.plainRegistries.contains("admin.example:35000"))
      #expect(engine.plainRegistries.allSatisfy { $0.hasPrefix("admin.example:35000") })
      #expect(engine.mirrors["docker.io"] == ["admin.example:35000"])

      let inventory = try writeInventory(
        in: folder.appending("inventory"), clusterVariables: "yq_download_url: https://elsewhere.example/yq\n"
      )
      let own = try await demand(evaluation, offline, inventory: inventory)
      #expect(own.catalog.files.contains { $0.url == "https://elsewhere.example/yq" })
      #expect(own.catalog.files.contains { $0.url.hasPrefix("http://admin.example/files/kubernetes/v") })
      let kept = try FileManager.default.contentsOfDirectory(
        atPath: inventory.removingLastComponent().appending("group_vars").string)
      #expect(kept == ["k8s_cluster"])
    }
  }

  @Test(arguments: ["all.yml", "all/own.yml", "all"])
  func `A user's own file of group_vars all counts beside offline yml`(_ name: String) async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(
        copying: try tree(in: folder), cache: folder.appending("cache"))
      let inventory = try writeInventory(in: folder.appending("inventory"), clusterVariables: "a: 1\n")
      let own = inventory.removingLastComponent().appending("group_vars/\(name)")
      try createDirectories(own.removingLastComponent())
      try writeAtomically("container_manager: crio\n", to: own)
      let found = try await demand(evaluation, "crio_insecure_registries: [one]\n", inventory: inventory)
      #expect(found.engines.map(\.name) == ["crio"])
      #expect(found.engines.first?.plainRegistries == ["one"])
    }
  }

  private static let chartRoles = [
    "roles/helm-apps/tasks/main.yml": "- debug:\n",
    "roles/apps/approver/defaults/main.yml": """
    approver_repository_url: https://charts.example/approver/
    approver_chart_version: v1.1.0
    approver_enabled: false
    """,
    "roles/apps/approver/meta/main.yml": """
    dependencies:
      - role: helm-apps
        when:
          - inventory_hostname == groups['kube_control_plane'][0]
          - approver_enabled
        releases:
          - name: approver
            chart_ref: "own/kubelet-approver"
            chart_version: "{{ approver_chart_version }}"
        repositories:
          - name: own
            url: "{{ approver_repository_url }}"
    """,
    "roles/network_plugin/cilium/defaults/main.yml":
      "---\ncilium_version: 1.18.6\ncilium_install_extra_flags: \"\"\ncilium_extra_values: {}\n",
    "roles/network_plugin/meta/main.yml": """
    dependencies:
      - role: network_plugin/cilium
        when: kube_network_plugin == 'cilium'
    """,
  ]

  @Test func `Charts are found, and offline yml sends to the bundle for them`() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(
        copying: try tree(in: folder, adding: Self.chartRoles), cache: folder.appending("cache"))
      let catalog = try await evaluation.evaluate()
      #expect(
        catalog.charts.map { "\($0.repository) \($0.name) \($0.version) \($0.isEnabled)" } == [
          "https://charts.example/approver kubelet-approver v1.1.0 false",
          "https://helm.cilium.io cilium 1.18.6 false",
        ])
      #expect(catalog.selecting(.enabled).charts.isEmpty)
      let cilium = try await evaluation.evaluate(extra: ["kube_network_plugin": "cilium"])
      #expect(cilium.charts.filter(\.isEnabled).map(\.name) == ["cilium"])

      let offline = try offline(evaluation, catalog)
      #expect(offline.contains("approver_repository_url: \"{{ files_repo }}/charts.example/approver\""))
      let inventory = try writeInventory(
        in: folder.appending("inventory"),
        clusterVariables: "kube_network_plugin: cilium\napprover_enabled: true\n")
      let found = try await demand(evaluation, offline, inventory: inventory)
      #expect(
        found.catalog.charts.filter(\.isEnabled).map(\.repository).sorted() == [
          "http://admin.example/files/charts.example/approver", "http://admin.example/files/helm.cilium.io",
        ])
      #expect(found.chartProblems.isEmpty)
      let pinned = try await demand(
        evaluation, offline + "cilium_extra_values: {}\n", inventory: inventory)
      #expect(pinned.chartProblems.keys.sorted() == ["cilium_extra_values"])
    }
  }

  private static let packageRoles = [
    "roles/engine/docker/defaults/main.yml": "docker_version: \"28.3\"\n",
    "roles/engine/docker/vars/debian.yml":
      "docker_packages: ['docker-ce=5:{{ docker_version }}~{{ ansible_distribution_release }}', containerd.io]\n",
    "roles/engine/docker/vars/redhat.yml": "docker_packages: [\"docker-ce-{{ docker_version }}\"]\n",
    "roles/engine/docker/tasks/main.yml": """
    - name: Install
      package:
        name: "{{ docker_packages }}"
        state: present
      when: [not is_ostree]
    - name: Remove
      package: {name: podman, state: absent}
    - include_tasks: extra.yml
      when: wants_extra | bool
    """,
    "roles/engine/docker/tasks/extra.yml": """
    - apt:
        name: "{{ item }}"
      with_items: [one, two]
      when: asked.stdout == '1'
    """,
    "roles/engine/tasks/main.yml": """
    - include_role:
        name: "engine/{{ item.role }}"
      loop:
        - {role: docker, wanted: "{{ container_manager == 'docker' }}"}
      when: item.wanted
    - include_role:
        name: engine/docker
        tasks_from: reset
      when: unknown_result.rc == 0
    """,
    "roles/system_packages/vars/main.yml": """
    pkgs:
      socat: []
      libselinux: ["{{ ansible_os_family == 'RedHat' }}"]
      nothere: [ansible_os_family == 'Suse']
    """,
  ]

  @Test(arguments: [("docker", true), ("docker", false), ("containerd", true)])
  func `Packages of roles are told by release, and what is not known is no certainty`(
    _ engine: String, _ wantsExtra: Bool
  ) async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(
        copying: try tree(in: folder, adding: Self.packageRoles), cache: folder.appending("cache"))
      let inventory = try writeInventory(
        in: folder.appending("inventory"),
        clusterVariables: "container_manager: \(engine)\nwants_extra: \(wantsExtra)\n")
      let catalog = try await evaluation.evaluate(inventory: inventory, releases: [Self.debian, Self.rocky])
      let told = Set(
        catalog.packages.filter { $0.state != .possible }.map {
          "\($0.release) \($0.name) \($0.state == .needed)"
        })
      var expected: Set = ["debian-12 socat true", "rocky-9 socat true", "rocky-9 libselinux true"]
      if engine == "docker" {
        expected.formUnion([
          "debian-12 docker-ce=5:28.3~bookworm true", "debian-12 containerd.io true",
          "rocky-9 docker-ce-28.3 true",
        ])
        if wantsExtra {
          expected.formUnion(["debian-12 one false", "debian-12 two false"])
          expected.formUnion(["rocky-9 one false", "rocky-9 two false"])
        }
      }
      #expect(told == expected)
    }
  }
}
