import Files
import Host
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

@Suite("What is typed next, and the inventory's home")
struct NextCommandsTests {
  private static let home = InventoryHome(folder: "/opt/kubespray-inventory")

  /// A tree of a release, with what somebody has written as inventory.ini in it.
  private func tree(_ version: String, written: String? = nil, on host: TargetHost) throws {
    let place = host.path(FilePath("/opt/kubespray-\(version)"))
    let file = FilePath("inventory/offline/inventory.ini")
    try put("# none\n", at: place.pushing(file))
    try put("ansible\n", at: place.appending("requirements.txt"))
    let digest = try #require(TreeStamp.digest(of: place.pushing(file)))
    let stamp = TreeStamp(version: version, tarball: "", patches: [], files: [file.string: digest])
    try put(String(decoding: try stamp.bytes(), as: UTF8.self), at: place.appending(TreeStamp.fileName))
    if let written { try put(written, at: place.pushing(file)) }
  }

  private func lines(_ version: String, on host: TargetHost) -> [String] {
    NextCommands(
      tree: FilePath("/opt/kubespray-\(version)"), environment: "/opt/v", home: Self.home,
      isInContainer: false, on: host
    ).lines
  }

  @Test(
    "a first deployment: nodes are written into the home, and each play gets it with the release's offline.yml"
  )
  func first() throws {
    try withFolder { folder in
      let host = context(root: folder, bundle: folder).host
      try tree("2.29.1", on: host)
      let found = lines("2.30.0", on: host)
      #expect(found.contains { $0.hasPrefix("vi /opt/kubespray-inventory/inventory.ini ") })
      let play =
        "ansible-playbook -i /opt/kubespray-inventory/inventory.ini -i inventory/offline/inventory.ini --become "
      #expect(found.suffix(2) == [play + "offline-repo.yml", play + "cluster.yml"])
      // Nodes are there now; the tree beside it makes it an upgrade, unless nothing was deployed yet.
      try put("[all]\nnode1\n", at: host.path(Self.home.inventory))
      let written = lines("2.30.0", on: host)
      #expect(!written.contains { $0.hasPrefix("vi ") } && written.contains(play + "upgrade-cluster.yml"))
      #expect(written.last?.contains("cluster.yml instead of") == true)
      try put("key", at: host.path(Self.home.folder).appending("credentials/kubeadm_certificate_key.creds"))
      #expect(lines("2.30.0", on: host).last == play + "upgrade-cluster.yml")
      #expect(lines("2.31.0", on: host).last?.contains("2.30 first") == true)
      #expect(lines("2.28.0", on: host).last?.contains("older") == true)
      try put("old: 1\n", at: host.path(Self.home.folder).pushing("group_vars/all/offline.yml"))
      #expect(
        lines("2.30.0", on: host).contains {
          $0.hasPrefix("# /opt/kubespray-inventory/group_vars/all/offline.yml is not")
        })
    }
  }

  @Test("an inventory in the tree of an earlier release is copied once, but for what belongs to that release")
  func upgrade() async throws {
    try await withFolder { folder in
      let host = context(root: folder, bundle: folder).host
      try tree("2.9.9", written: "[all]\nold\n", on: host)
      try tree("2.29.1", written: "[all]\nnode1\n", on: host)
      try tree("2.30.0", on: host)
      let old = host.path("/opt/kubespray-2.29.1/inventory/offline")
      for (path, content) in [
        "group_vars/all/all.yml": "mine", "group_vars/all/offline.yml": "old",
        "group_vars/all/offline-login.yml": "old", "credentials/key": "k",
      ] { try put(content, at: old.pushing(FilePath(path))) }
      let found = lines("2.30.0", on: host)
      #expect(found.last?.hasSuffix("upgrade-cluster.yml") == true)
      let line = try #require(found.first { $0.hasPrefix("mkdir -p ") })
      let command = line.replacing("/opt/", with: folder.string + "/opt/")
      #expect(try await Command("sh", ["-c", command]).run().status == 0)
      let new = host.path(Self.home.folder)
      #expect(
        text(new.appending("inventory.ini")) == "[all]\nnode1\n"
          && text(new.pushing("credentials/key")) == "k")
      #expect(try content(of: new.pushing("group_vars/all")).keys.sorted() == ["all.yml"])
      #expect(!lines("2.30.0", on: host).contains { $0.contains("tar -C") })
    }
  }

  @Test("undo leaves an inventory that somebody has written, whole, and removes one that nobody has")
  func undo() throws {
    try withFolder { folder in
      let host = context(root: folder, bundle: folder).host
      try put("[all]\n", at: host.path("/opt/kubespray-2.30.0").pushing("inventory/sample/inventory.ini"))
      try put(
        "# empty\n",
        at: host.path("/opt/kubespray-2.30.0").pushing("inventory/sample/group_vars/all/offline.yml"))
      try put(
        "a: 1\n", at: host.path("/opt/kubespray-2.30.0").pushing("inventory/sample/group_vars/all/all.yml"))
      for isWritten in [false, true] {
        let journal = try Journal(.extract, on: host)
        try Self.home.make(of: "/opt/kubespray-2.30.0", version: "2.30.0", on: host, journal)
        #expect(Self.home.state(on: host) == .untouched)
        let place = host.path(Self.home.folder)
        #expect(text(place.pushing("group_vars/all/all.yml")) == "a: 1\n")
        #expect(!fileExists(place.pushing("group_vars/all/offline.yml")))
        if isWritten { try put("a: 2\n", at: place.pushing("group_vars/all/all.yml")) }
        #expect((try InventoryHome.takeBack(journal, on: host) == nil) == !isWritten)
        _ = try journal.takeBack()
        _ = try journal.forget()
        #expect(fileExists(place) == isWritten)
        if isWritten { #expect(text(place.appending("inventory.ini")) == "[all]\n") }
      }
    }
  }
}
