import Files
import Foundation
import Host
import SystemPackage
import Testing

@testable import Kubespray

/// What an evaluation depends on: which files, and whether on more than files.
@Suite struct InventoryContentTests {
  private func write(_ files: [String: String], in folder: FilePath) throws {
    for (name, text) in files {
      let place = folder.appending(name)
      try createDirectories(place.removingLastComponent())
      if text.hasPrefix("-> ") {
        try createLink(place, to: String(text.dropFirst(3)))
      } else {
        try writeAtomically(text, to: place)
      }
    }
  }

  private static let hosts = "[kube_node]\nnode1\n"

  @Test(
    "A change shows wherever a link leads to what Ansible reads",
    arguments: [
      // files of the inventory, the file that changes, what is asked for
      (
        ["inv/hosts": hosts, "inv/group_vars": "-> ../shared", "shared/all.yml": "a: 1"], "shared/all.yml",
        "inv/hosts"
      ),
      (
        [
          "inv/hosts": hosts, "inv/group_vars/all": "-> ../../one", "one": "-> two",
          "two/x.yml": "-> ../three.yml",
          "three.yml": "a: 1",
        ], "three.yml", "inv/hosts"
      ),
      (
        ["inv/hosts": hosts, "inv/host_vars": "-> ../vars", "vars/node1.yml": "a: 1"], "vars/node1.yml",
        "inv/hosts"
      ),
      (
        ["inv/hosts": "-> ../real", "real": hosts, "inv/group_vars/all.yml": "a: 1"],
        "inv/group_vars/all.yml", "inv/hosts"
      ),
      (["inv/hosts": "-> ../real", "real": hosts], "real", "inv/hosts"),
      (["link": "-> inv", "inv/01": hosts, "inv/02.yml": "all: {}"], "inv/02.yml", "link"),
      (
        ["inv/01": hosts, "inv/sub/hosts": hosts, "inv/group_vars/all/a/b/c.yml": "a: 1"],
        "inv/group_vars/all/a/b/c.yml", "inv"
      ),
    ])
  func links(files: [String: String], changed: String, inventory: String) throws {
    try Files.withTemporaryFolder(named: "inventory") { folder in
      try write(files, in: folder)
      let before = try InventoryContent(folder.appending(inventory))
      #expect(!before.readsWorld)
      #expect(try InventoryContent(folder.appending(inventory)).parts == before.parts)
      try writeAtomically("a: changed\n", to: folder.appending(changed))
      #expect(try InventoryContent(folder.appending(inventory)).parts != before.parts)
    }
  }

  @Test(arguments: ["group_vars/all.yml", "host_vars/node1.yml", "hosts"])
  func `A file in UTF-16 is refused by its name, where Ansible names none`(name: String) throws {
    try Files.withTemporaryFolder(named: "inventory") { folder in
      try write(
        ["inv/hosts": Self.hosts, "inv/group_vars/x.yml": "a: 1", "inv/host_vars/y.yml": "a: 1"], in: folder)
      let file = folder.appending("inv").pushing(FilePath(name))
      try writeAtomically([0xff, 0xfe, 0x61, 0, 0x3a, 0], to: file)
      let error = #expect(throws: TextEncodingError.self) { try InventoryContent(folder.appending("inv")) }
      #expect(error?.path == file)
    }
  }

  @Test func `A link in a circle, or to nothing, ends; what appears where it leads shows`() throws {
    try Files.withTemporaryFolder(named: "inventory") { folder in
      try write(
        [
          "inv/hosts": Self.hosts, "inv/group_vars/all/up": "-> ../..",
          "inv/host_vars/node1.yml": "-> ../../gone",
        ], in: folder)
      let before = try InventoryContent(folder.appending("inv"))
      try writeAtomically("a: 1\n", to: folder.appending("gone"))
      #expect(try InventoryContent(folder.appending("inv")).parts != before.parts)
    }
  }

  @Test(
    "What looks at more than files",
    arguments: [
      ("a: \"{{ lookup('env', 'A') }}\"", true), ("a: \"{{ query('file', '/a') }}\"", true),
      ("a: >-\n  {{ x\n     | combine(q('pipe', 'b')) }}", true), ("a: \"{% include 'b' %}\"", true),
      ("a: \"{{ '/etc/a' is exists }}\"", true),
      ("a: \"{{ {'b': {'c': 1}} | combine(lookup('x')) }}\"", true),
      ("a: \"{{ '/a/*' | fileglob }}\"", true), ("a: \"{{ now() }}\"", true),
      ("# the lookup is now in a file\na: lookup\nb: \"{{ kube_version }}\" # query\n", true),
      ("# the lookup is now in a file\na: lookup\nb: \"{{ kube_version }}\"\nquery: file\n", false),
      ("a: \"{{ b | default('c') }}/{{ d[e] }}\"", false), ("{\"a\": {\"b\": {\"file\": 1}}}", false),
    ])
  func world(text: String, expected: Bool) {
    #expect(EvaluatedText(Array(text.utf8)).readsWorld == expected)
  }

  @Test func `Sources that are programs or name a plugin are asked each time`() throws {
    for (text, mode, expected) in [
      ("#!/bin/sh\necho '{}'\n", 0o644, true), (Self.hosts, 0o755, true), (Self.hosts, 0o644, false),
      ("plugin: constructed\nstrict: false\n", 0o644, true), ("all:\n  hosts: {plugin: 1}\n", 0o644, false),
    ] {
      try Files.withTemporaryFolder(named: "inventory") { folder in
        let file = folder.appending("hosts")
        try writeAtomically(text, to: file)
        try setPermissions(FilePermissions(rawValue: CModeT(mode)), of: file)
        #expect(try InventoryContent(file).readsWorld == expected, "\(text)")
        #expect(try InventoryContent(folder).readsWorld == expected, "\(text)")
      }
    }
  }

  private typealias CModeT = mode_t

  @Test func `What is encrypted, and what this project wrote, is told`() throws {
    let offline =
      "# x\nhttp_server: \"http://192.0.2.1\"\nregistry_host: \"192.0.2.1:35000\"\n\n"
      + "files_repo: \"{{ http_server }}/files\"\ncontainerd_registries_mirrors:\n  - prefix: a\n"
      + "kube_image_repo: \"{{ registry_host }}\"\nrunc_download_url: \"{{ files_repo }}/runc\"\n"
    try Files.withTemporaryFolder(named: "inventory") { folder in
      try write(
        [
          "hosts": Self.hosts, "group_vars/all/vault.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
          "group_vars/all/inline.yml": "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n",
          "group_vars/all/offline.yml": offline,
          "group_vars/k8s_cluster/offline.yml": offline + "own_setting: 1\n",
        ], in: folder)
      for inventory in [folder, folder.appending("hosts")] {
        let content = try InventoryContent(inventory)
        #expect(content.encrypted == ["group_vars/all/vault.yml"])
        #expect(content.hasSecrets)
        #expect(content.ownSettings == ["group_vars/all/offline.yml"])
      }
    }
  }

  @Test func `A link that was copied as text is told`() throws {
    try Files.withTemporaryFolder(named: "inventory") { folder in
      try write(
        ["hosts": Self.hosts, "group_vars": "../shared/group_vars", "host_vars/a.yml": "a: 1"], in: folder)
      #expect(try InventoryContent(folder.appending("hosts")).flattened == ["group_vars"])
    }
  }

  @Test func `An overlay leaves out single files, however deep, and nothing else`() throws {
    try Files.withTemporaryFolder(named: "inventory") { folder in
      try write(
        [
          "inv/hosts": Self.hosts, "inv/group_vars": "-> ../shared", "shared/all/a.yml": "a: 1",
          "shared/all/secret/vault.yml": "secret", "shared/all/secret/plain.yml": "b: 1",
          "shared/etcd.yml": "c: 1",
          "inv/host_vars/node1.yml": "secret", "inv/host_vars/node2.yml": "d: 1",
        ], in: folder)
      let overlay = try InventoryOverlay(
        folder.appending("inv/hosts"), offline: nil,
        leavingOut: ["group_vars/all/secret/vault.yml", "host_vars/node1.yml"])
      let place = try overlay.write(in: folder.appending("overlay"))
      #expect(place == folder.appending("overlay/hosts").string)
      for (name, isThere) in [
        ("hosts", true), ("group_vars/all/a.yml", true), ("group_vars/all/secret/vault.yml", false),
        ("group_vars/all/secret/plain.yml", true), ("group_vars/etcd.yml", true),
        ("host_vars/node1.yml", false),
        ("host_vars/node2.yml", true),
      ] {
        #expect(fileExists(folder.appending("overlay").appending(name)) == isThere, "\(name)")
      }
    }
  }

  @Test(
    "How vaults are opened, wherever Ansible is started",
    arguments: [
      (["ANSIBLE_VAULT_PASSWORD_FILE": "/a/b"], ["ANSIBLE_VAULT_PASSWORD_FILE": "/a/b"]),
      (["ANSIBLE_VAULT_PASSWORD_FILE": "~/b", "HOME": "/nowhere"], ["ANSIBLE_VAULT_PASSWORD_FILE": "~/b"]),
      (["ANSIBLE_VAULT_PASSWORD_FILE": ""], [:]),
      (
        ["ANSIBLE_VAULT_IDENTITY_LIST": "dev@/a, prod@prompt,/c"],
        ["ANSIBLE_VAULT_IDENTITY_LIST": "dev@/a,prod@prompt,/c"]
      ),
    ])
  func vaults(own: [String: String], expected: [String: String]) {
    var own = own
    own["ANSIBLE_CONFIG"] = "/dev/null"
    #expect(VaultSecrets(own).variables == expected)
  }

  @Test func `A user's ansible cfg may say how vaults are opened, relative to itself`() throws {
    try Files.withTemporaryFolder(named: "configuration") { folder in
      let file = folder.appending("ansible.cfg")
      try writeAtomically(
        "[defaults]\r\nstrategy = free\r\nvault_password_file = secrets/pass ; comment\r\n", to: file)
      let secrets = VaultSecrets(["ANSIBLE_CONFIG": file.string])
      #expect(
        secrets.variables == ["ANSIBLE_VAULT_PASSWORD_FILE": folder.appending("secrets/pass").string])
      #expect(secrets.files.first?.setting == "vault_password_file in \(file)")
      let tree = VaultSecrets(["ANSIBLE_CONFIG": "/dev/null"], tree: folder)
      #expect(tree.variables == secrets.variables)
    }
  }
}
