import Files
import Integrity
import SystemPackage

/// Where the operator's inventory lies: outside of the trees, which come and go with the releases.
///
/// What belongs to a release, its `offline.yml`, lies in the tree of that release, and is given to Ansible as a second
/// inventory without nodes. Of two inventories the later one wins for the group `all` (ansible-core, `VariableManager`), so
/// an `offline.yml` of another release that was left in the home is never used.
struct InventoryHome: Sendable, Equatable {
  /// What has become of it.
  enum State: Sendable, Equatable {
    /// There is none.
    case absent
    /// It is as `extract` has made it.
    case untouched
    /// Somebody has written it.
    case written
  }

  /// The folder, a path of the host.
  let folder: FilePath

  /// The file with the nodes.
  static let nodes = "inventory.ini"
  /// The files of a release that have no place in it.
  static let ofReleases = ["group_vars/all/offline.yml", "group_vars/all/\(OfflineSettings.loginFile)"]

  /// What Ansible reads first.
  var inventory: FilePath { folder.appending(Self.nodes) }

  /// Looks.
  func state(on host: TargetHost) -> State {
    let place = host.path(folder)
    guard let digest = TreeStamp.digest(of: place.appending(Self.nodes)) else {
      return FileTree.exists(place) ? .written : .absent
    }
    return TreeStamp.read(in: place)?.files[Self.nodes] == digest ? .untouched : .written
  }

  /// Whether kubespray has run with it: its plays leave the key of the control plane there.
  func wasUsed(on host: TargetHost) -> Bool {
    ((try? listFolder(ifPresent: host.path(folder).appending("credentials"))) ?? []).isEmpty == false
  }

  /// The files of another release that were brought into it.
  func strayFiles(on host: TargetHost) -> [FilePath] {
    Self.ofReleases.map { folder.pushing(FilePath($0)) }.filter(host.exists)
  }

  /// Makes it of kubespray's sample.
  ///
  /// - Throws: ``StepError`` or `FileError`.
  func make(of tree: FilePath, version: String, on host: TargetHost, _ journal: Journal) throws {
    try journal.makeFolder(folder.removingLastComponent())
    try journal.own(part)
    let place = host.path(part)
    try removeTree(place)
    let sample = host.path(tree).appending("inventory/sample")
    if FileTree.exists(sample) {
      try FileTree.copy(sample, to: place)
    } else {
      try createDirectories(place)
    }
    for file in Self.ofReleases { try? removeFile(place.pushing(FilePath(file))) }
    if !FileTree.exists(place.appending(Self.nodes)) {
      try writeAtomically(Array(Self.noNodes.utf8), to: place.appending(Self.nodes), isDurable: false)
    }
    var stamp = TreeStamp(version: version, tarball: "", patches: [], files: [:])
    for file in try TreeStamp.files(below: place) {
      stamp.files[file] = TreeStamp.digest(of: place.pushing(FilePath(file)))
    }
    try writeAtomically(try stamp.bytes(), to: place.appending(TreeStamp.fileName))
    flushFileSystems()
    try journal.note(.inventory, folder.string)
    try renameDurably(place, to: host.path(folder))
  }

  /// Takes back what ``make(of:version:on:_:)`` made, unless anything in it was written since.
  ///
  /// - Returns: Why it stays, for people.
  /// - Throws: `FileError`.
  static func takeBack(_ journal: Journal, on host: TargetHost) throws -> String? {
    guard let folder = journal.lastNote(.inventory).map({ FilePath($0) }) else { return nil }
    let (home, place) = (InventoryHome(folder: folder), host.path(folder))
    guard FileTree.exists(place) else { return nil }
    guard let stamp = TreeStamp.read(in: place) else { return "\(folder) has your inventory, so it stays" }
    let files = try TreeStamp.files(below: place).filter { $0 != TreeStamp.fileName }
    let isOurs =
      Set(files) == Set(stamp.files.keys)
      && files.allSatisfy { TreeStamp.digest(of: place.pushing(FilePath($0))) == stamp.files[$0] }
    guard isOurs else { return "\(folder) has your inventory, so it stays" }
    // In one move, since what is removed in part would be taken for somebody's own.
    try removeTree(host.path(home.part))
    try renameDurably(place, to: host.path(home.part))
    return nil
  }

  private var part: FilePath {
    folder.removingLastComponent().appending(".\(folder.lastComponent?.string ?? "inventory").part")
  }

  private static let noNodes = """
    # Your nodes. See kubespray's docs/ansible/inventory.md.
    [kube_control_plane]
    [etcd:children]
    kube_control_plane
    [kube_node]

    """
}
