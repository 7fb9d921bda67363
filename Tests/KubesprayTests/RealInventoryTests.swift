import Bundle
import Files
import Foundation
import Host
import SystemPackage
import Testing

@testable import Kubespray

/// Inventories as people have them, with real Ansible on the small tree of our own.
@Suite(.serialized) struct RealInventoryTests {
  /// The inventory of ``writeInventory(in:clusterVariables:)`` with further files.
  private func inventory(in folder: FilePath, _ files: [String: String]) throws -> FilePath {
    let hosts = try writeInventory(in: folder, clusterVariables: "a: b\n")
    for (name, text) in files {
      let place = folder.appending(name)
      try createDirectories(place.removingLastComponent())
      try writeAtomically(text, to: place)
    }
    return hosts
  }

  @Test func `What kubespray's own checks refuse is told before there is a bundle`() async throws {
    try await withTemporaryFolder { folder in
      let tree = folder.appending("tree")
      try FileManager.default.copyItem(atPath: miniTree.string, toPath: tree.string)
      let role = tree.appending("roles/validate_inventory/tasks")
      try createDirectories(role)
      try writeAtomically(
        """
        - name: Fail if removed variables are used
          vars:
            removed_vars: [kubelet_static_pod_path]
            removed_vars_found: "{{ query('varnames', '^' + (removed_vars | join('|')) + '$') }}"
          assert:
            that: removed_vars_found | length == 0
            fail_msg: "Removed variables present: {{ removed_vars_found | join(', ') }}"
          run_once: true
        - name: Stop if the network plugin is unknown
          assert:
            that:
              - kube_network_plugin in ['calico', 'flannel']
            msg: not supported
        - name: Stop if memory is too small
          assert: {that: "ansible_facts['memtotal_mb'] >= 1024"}
        - name: Stop if there is no control plane
          assert: {that: "groups.get('kube_control_plane')"}

        """, to: role.appending("main.yml"))
      let evaluation = try await TreeEvaluation(copying: tree, cache: folder.appending("cache"))
      let hosts = try inventory(
        in: folder.appending("inventory"),
        ["group_vars/all/x.yml": "kubelet_static_pod_path: /etc/x\nkube_network_plugin: weave\n"])
      let catalog = try await evaluation.evaluate(inventory: hosts)
      let start = "kubespray would not play with this inventory: its check"
      #expect(
        catalog.warnings.filter { $0.hasPrefix(start) } == [
          "\(start) \"Fail if removed variables are used\" says: Removed variables present: kubelet_static_pod_path",
          "\(start) \"Stop if the network plugin is unknown\" says: not supported",
        ])
      try writeAtomically("a: b\n", to: folder.appending("inventory/group_vars/all/x.yml"))
      let other = try await evaluation.evaluate(inventory: hosts, extra: ["kube_network_plugin": "flannel"])
      #expect(!other.warnings.contains { $0.hasPrefix(start) })
      #expect(try await !evaluation.evaluate().warnings.contains { $0.hasPrefix(start) })
    }
  }

  private static let vault = """
    $ANSIBLE_VAULT;1.1;AES256
    33343734386261666161626433386662623039356366656637303939306563376130623138626165
    6436333766346533353463636636313332623130383535340a393835656331393431393331383364
    34333133313461323966323130336331333166616564373562343231613666646137336265343233
    6135656535333633380a356663313534343764326239643330643233376638653331643562386266
    3035
    """
  private static let indented = vault.replacing("\n", with: "\n  ")

  @Test(
    "Settings for nodes, and secrets that no download needs, do not matter",
    arguments: [
      "ansible_python_interpreter: /opt/bin/python\n", "ansible_become: true\nansible_become_method: sudo\n",
      "ansible_become: true\nansible_become_password: \"{{ vault_password }}\"\nansible_user: \"{{ vault_user }}\"\n",
      "ansible_connection: ssh\nansible_port: \"{{ no_such_port }}\"\nansible_ssh_private_key_file: /gone\n",
      "ansible_host: \"{{ no_such_address }}\"\nansible_ssh_user: \"{{ vault_user }}\"\nansible_become_flags: \"{{ gone }}\"\n",
      "ansible_shell_executable: /opt/bin/sh\nansible_shell_type: powershell\nansible_remote_tmp: /gone/tmp\n",
      "kube_encrypt_token: !vault |\n  \(indented)\n",
    ])
  func nodes(variables: String) async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let hosts = try inventory(
        in: folder.appending("inventory"),
        ["group_vars/all/node.yml": variables, "group_vars/all/version.yml": "kube_version: 1.33.7\n"])
      let catalog = try await evaluation.evaluate(inventory: hosts)
      #expect(catalog.version(of: "kube") == "1.33.7")
      #expect(!catalog.warnings.contains { $0.contains("vault") })
    }
  }

  @Test func `A closed vault is left out, named, and told of when something needs it`() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let place = folder.appending("inventory")
      let hosts = try inventory(in: place, ["group_vars/all/vault.yml": Self.vault])
      let catalog = try await evaluation.evaluate(inventory: hosts)
      #expect(catalog.warnings.contains { $0.hasPrefix("group_vars/all/vault.yml is encrypted") })

      try writeAtomically(
        "kube_version: \"{{ vault_version }}\"\n", to: place.appending("group_vars/all/x.yml"))
      let error = await #expect(throws: CatalogError.self) { try await evaluation.evaluate(inventory: hosts) }
      guard case .evaluationFailed(let output, let closed) = try #require(error) else { return }
      #expect(output.contains("vault_version") && closed == ["group_vars/all/vault.yml"])
    }
  }

  @Test(
    "An address with a secret that nothing opens is an error that says so",
    arguments: [
      "kubelet_download_url: \"https://a:{{ secret }}@mirror.example/kubelet\"\nsecret: !vault |\n  \(indented)\n",
      "kubelet_download_url: !vault |\n  \(indented)\n",
    ])
  func closedAddress(variables: String) async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let hosts = try inventory(in: folder.appending("inventory"), ["group_vars/all/x.yml": variables])
      let error = await #expect(throws: CatalogError.self) {
        try await evaluation.evaluate(inventory: hosts)
      }
      #expect(try #require(error).isAboutVault, "\(String(describing: error))")
    }
  }

  @Test func `What is linked, looked up or made by a program is never an old answer`() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let world = folder.appending("world")
      let script =
        "#!/bin/sh\nprintf '{\"kube_node\": {\"hosts\": [\"n\"], \"vars\": {\"kube_version\": \"%s\"}}, "
        + "\"kube_control_plane\": {\"hosts\": [\"n\"]}}' \"$(cat '\(world)')\"\n"
      try writeAtomically(script, to: folder.appending("hosts.sh"))
      try setPermissions(FilePermissions(rawValue: 0o755), of: folder.appending("hosts.sh"))
      let looking = try inventory(
        in: folder.appending("looking"),
        ["group_vars/all/x.yml": "kube_version: \"{{ lookup('file', '\(world)') }}\"\n"])
      let linked = try inventory(in: folder.appending("linked"), [:])
      try createDirectories(folder.appending("elsewhere"))
      try createLink(folder.appending("linked/group_vars/all"), to: "../../elsewhere")
      for version in ["1.33.7", "1.33.5"] {
        try writeAtomically(version, to: world)
        try writeAtomically("kube_version: \(version)\n", to: folder.appending("elsewhere/v.yml"))
        for place in [folder.appending("hosts.sh"), looking, linked] {
          #expect(try await evaluation.evaluate(inventory: place).version(of: "kube") == version, "\(place)")
        }
      }
    }
  }

  @Test(
    "Extra variables are what ansible-playbook makes of them",
    arguments: [
      (["kube_version=1.33.7 kube_network_plugin=none"], "1.33.7", false),
      (["kube_version='1.33.7' argocd_enabled=true"], "1.33.7", true),
      (["{\"kube_version\": \"1.33.7\", \"argocd_enabled\": true}"], "1.33.7", true),
      (["{kube_version: 1.33.7, argocd_enabled: no}"], "1.33.7", false),
      (["kube_version=1.33.5", "kube_version=1.33.7"], "1.33.7", false),
      (["@YAML"], "1.33.7", true), (["@JSON", "argocd_enabled=false"], "1.33.7", false),
      (["note=\"a b='c'\" kube_version=1.33.7"], "1.33.7", false),
    ])
  func extraVariables(arguments: [String], version: String, argocd: Bool) async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let (yaml, json) = (folder.appending("a, b.yml"), folder.appending("c.json"))
      try writeAtomically("kube_version: 1.33.7\nargocd_enabled: true\n", to: yaml)
      try writeAtomically("{\"kube_version\": \"1.33.7\", \"argocd_enabled\": true}", to: json)
      let texts = arguments.map {
        $0.replacing("@YAML", with: "@\(yaml)").replacing("@JSON", with: "@\(json)")
      }
      let catalog = try await evaluation.evaluate(arguments: texts)
      #expect(catalog.version(of: "kube") == version)
      #expect(catalog.files.first { $0.variable == "argocd_install_url" }?.isEnabled == argocd)
    }
  }

  @Test func `An address of the user's own stands in place of kubespray's`() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let plain = try await evaluation.evaluate()
      let hosts = try inventory(
        in: folder.appending("inventory"),
        [
          "group_vars/all/urls.yml": """
          files_repo: https://mirror.example/files
          kubelet_download_url: "{{ files_repo }}/kubelet?v={{ kube_version }}"
          kubeadm_image_repo: mirror.example/kubeadm
          plain_download_url: ftp://mirror.example/plain
          """,
          "host_vars/node2.yml": "containerd_download_url: https://mirror.example/containerd.tgz\n",
        ])
      let catalog = try await evaluation.evaluate(inventory: hosts)
      let layout = FileLayout(name: .kubesprayOffline)
      let own = try layout.placements(of: plain.files).mapValues(\.path)
      let places = try layout.placements(of: catalog.files).mapValues(\.path)
      #expect(Set(own.values) == Set(places.values))
      for (variable, url) in [
        ("kubelet_download_url", "https://mirror.example/files/kubelet?v=1.34.0-rc.1"),
        ("containerd_download_url", "https://mirror.example/containerd.tgz"),
      ] {
        let before = try #require(plain.files.first { $0.variable == variable })
        let found = catalog.files.filter { $0.variable == variable || $0.url == before.url }
        #expect(found.map(\.url) == [url], "\(variable)")
        #expect(found.first?.checksum == before.checksum && found.first?.isOfficial == true)
        #expect(places[url] == own[before.url])
      }
      let images = catalog.images.map(\.reference)
      #expect(images.contains("mirror.example/kubeadm/kube-proxy:v1.34.0-rc.1"))
      #expect(!images.contains("registry.k8s.io/kube-proxy:v1.34.0-rc.1"))
      #expect(catalog.warnings.contains { $0.hasPrefix("plain_download_url is \"ftp://") })
      #expect(
        catalog.warnings.filter { $0.hasPrefix("files_repo is https://mirror.example/files: 1 file comes") }
          .count
          == 1)
    }
  }

  @Test(
    "An image base that is none is one error, with the variable that says so",
    arguments: [
      (
        "registry_host: http://192.0.2.1:5000/x/\nquay_image_repo: \"{{ registry_host }}\"\n",
        "registry_host", "scheme"
      ),
      ("docker_image_repo: mirror.example/\n", "docker_image_repo", "slash"),
      ("kube_image_repo: \"\"\n", "kube_image_repo", "empty"),
      ("etcd_image_repo: Mirror/UPPER\n", "etcd_image_repo", "nothing that"),
    ])
  func imageBases(variables: String, name: String, reason: String) async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let hosts = try inventory(in: folder.appending("inventory"), ["group_vars/all/x.yml": variables])
      let error = await #expect(throws: CatalogError.self) { try await evaluation.evaluate(inventory: hosts) }
      guard case .badImageBases(let bases) = try #require(error) else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(Array(bases.keys) == [name])
      #expect(try #require(error).description.contains(reason))
    }
  }

  @Test func `This project's offline yml in the inventory is left out`() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let place = folder.appending("inventory")
      let hosts = try inventory(in: place, [:])
      let plain = try await evaluation.evaluate(inventory: hosts)
      let text = try OfflineInventory(
        version: evaluation.workingCopy.version, layout: FileLayout(name: .kubesprayOffline)
      ).render(plain).replacing("YOUR_HOST", with: "192.0.2.1")
      let file = place.appending("group_vars/all/offline.yml")
      try createDirectories(file.removingLastComponent())
      try writeAtomically(text, to: file)
      let catalog = try await evaluation.evaluate(inventory: hosts)
      #expect(catalog.files == plain.files && catalog.images == plain.images)
      #expect(catalog.warnings.contains { $0.hasPrefix("group_vars/all/offline.yml is for the machines") })

      try writeAtomically(text + "own_setting: 1\n", to: file)
      let error = await #expect(throws: CatalogError.self) { try await evaluation.evaluate(inventory: hosts) }
      guard case .offlineEnvironment(let found) = try #require(error) else { return }
      #expect(Set(found.keys) == ["http_server", "files_repo", "registry_host"])
    }
  }

  @Test func `Architectures of the inventory and the bundle are compared`() async throws {
    try await withTemporaryFolder { folder in
      let evaluation = try await TreeEvaluation(copying: miniTree, cache: folder.appending("cache"))
      let all = try inventory(in: folder.appending("all"), ["group_vars/all/x.yml": "image_arch: arm64\n"])
      let some = try inventory(in: folder.appending("some"), ["host_vars/node2.yml": "image_arch: arm64\n"])
      for (hosts, mixed) in [(all, false), (some, true)] {
        let error = await #expect(throws: CatalogError.self) {
          try await evaluation.evaluate(inventory: hosts)
        }
        guard case .otherArchitectures(let wanted, let given, let isMixed) = try #require(error) else {
          return
        }
        #expect(wanted == ["amd64"] && given.keys.first == "arm64" && isMixed == mixed)
      }
      #expect(try await evaluation.evaluate(architecture: .arm64, inventory: all).architecture == "arm64")
      for architecture in [Architecture.amd64, .arm64] {
        let catalog = try await evaluation.evaluate(
          architecture: architecture, inventory: some, architectures: [.amd64, .arm64])
        #expect(catalog.files.contains { $0.url.hasSuffix("/\(architecture.rawValue)/kubelet") })
      }
    }
  }
}
