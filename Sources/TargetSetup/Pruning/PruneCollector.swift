import Bundle
import Files
import Host
import Integrity
import Registry
import Settings
import SystemPackage

/// Collects what goes, counting the room that the disk gets back.
struct PruneCollector {
  let context: SetupContext
  let selection: PruneSelection
  /// Whether the folders of bundles stay.
  let keepsBundles: Bool
  private(set) var items: [PruneItem] = []
  private(set) var kept: [PruneKept] = []
  /// Whether there is a registry of which nothing may be taken.
  private(set) var isRegistryLeftAlone = false
  private var space = RemovedSpace()

  private var host: TargetHost { context.host }

  init(_ context: SetupContext, _ selection: PruneSelection, keepsBundles: Bool) {
    (self.context, self.selection, self.keepsBundles) = (context, selection, keepsBundles)
  }

  private mutating func add(
    _ kind: PruneItem.Kind, of release: String?, _ what: String, _ removal: FileRemoval
  ) throws {
    guard removal.files.contains(where: { FileTree.exists($0) }) || folderExists(removal.top) else { return }
    let bytes = try space.add(removal)
    items.append(PruneItem(kind: kind, release: release, what: what, bytes: bytes, removal: removal))
  }

  /// Lets a folder go with the last of its parts.
  private mutating func close(_ folder: FilePath) throws {
    let bytes = try space.add(FileRemoval([], below: folder))
    guard let last = items.popLast() else { return }
    let files = last.removal?.files ?? []
    items.append(
      PruneItem(
        kind: last.kind, release: last.release, what: last.what, bytes: ByteSize.sum(last.bytes, bytes),
        removal: FileRemoval(files, below: folder)))
  }

  mutating func keep(_ what: String, _ reason: String) {
    kept.append(PruneKept(what: what, reason: reason))
  }

  // MARK: Copies

  /// The copies that were served of releases that go, and those that no release has any more.
  mutating func addCopies() throws {
    let top = host.stateFolder.appending("releases")
    let needed = Set(selection.kept.compactMap(\.release.folder).map { FilePath($0) })
    for name in try listFolder(ifPresent: host.path(top)) {
      let folder = top.appending(name)
      guard !needed.contains(folder) else { continue }
      let release = selection.dropped.first { Self.folderName($0.release.id) == name }
      let parts = try listFolder(host.path(folder))
      for part in parts {
        let all = try FileRemoval(all: host.path(folder.appending(part)))
        try add(
          Self.kind(part, else: .copy), of: release?.release.kubespray, "\(folder.appending(part))", all)
      }
      try close(host.path(folder))
    }
  }

  /// The name under which ``ServedTree`` copies the files of a bundle.
  static func folderName(_ id: String) -> String {
    FilePath(id.replacing("/", with: "-")).lastComponent?.string ?? "files"
  }

  private static func kind(_ part: String, else other: PruneItem.Kind) -> PruneItem.Kind {
    switch part {
    case "files": .files
    case "debs", "rpms": .packages
    case "pypi": .wheels
    case "images": .images
    default: other
    }
  }

  /// A folder in which nothing is left, as a removal that was stopped leaves it.
  private mutating func addEmpty(_ kind: PruneItem.Kind, of release: String, _ folder: FilePath) throws {
    let place = host.path(folder)
    guard folderExists(place), try TreeStamp.files(below: place).isEmpty else { return }
    try add(kind, of: release, "\(folder)", FileRemoval([], below: place))
  }

  // MARK: Images

  /// What goes from the registry; `nil` when nothing does, or nothing may.
  mutating func addImages(uses: [ImageUse]) throws -> StoragePruning? {
    guard context.pushesToOwnRegistry else {
      keep(context.configuration.registry.address, "it is not the registry of this host")
      return nil
    }
    let folder = context.configuration.registry.directory
    guard host.exists(folder.appending("docker/registry/v2")) else { return nil }
    if let unknown = selection.kept.first(where: { $0.release.images == nil }) {
      isRegistryLeftAlone = true
      keep(
        "\(folder)",
        "nothing tells which images \(unknown.release.text) needs: give \"target-setup load-push\" from its bundle, or drop "
          + "it, too")
      return nil
    }
    for known in selection.dropped where known.release.images == nil {
      keep("the images of \(known.release.text)", "nothing tells which they are, so they are nobody's")
    }
    let pruning = try StoragePruning(
      in: host.path(folder), keeping: selection.kept.flatMap { $0.release.images ?? [] },
      dropping: selection.dropped.flatMap { $0.release.images ?? [] }, uses: uses, &space)
    kept += pruning.kept.map { PruneKept(what: $0.name, reason: $0.reason) }
    if let fault = pruning.unreadable.first {
      isRegistryLeftAlone = true
      keep(
        "\(folder)",
        "the registry cannot read \(fault.name) (\(fault.reason)), so it would collect nothing: give \"target-setup "
          + "load-push\" again")
      return nil
    }
    guard !pruning.isEmpty else { return nil }
    items.append(
      PruneItem(
        kind: .images, release: nil,
        what:
          "\(counted(pruning.tags.count, "tag")), \(counted(pruning.manifests, "manifest")), "
          + "\(counted(pruning.garbage.count, "blob")) in \(folder)",
        bytes: pruning.bytes, removal: nil))
    return pruning
  }

  // MARK: Trees

  /// The kubespray trees of releases that go, and their environments.
  mutating func addTrees() throws {
    let needed = Set(selection.kept.map { PruneSelection.treeName($0.release.kubespray) })
    let parent = context.configuration.target.kubesprayDirectory
    let home = InventoryHome(folder: context.configuration.target.inventoryDirectory)
    let trees = EarlierTree.all(besides: "/", in: parent, on: host)
    let written = try [.extract, .ansible].map(context.journal).flatMap(\.writtenPaths)
    var seen: Set<String> = []
    for known in selection.dropped {
      let version = PruneSelection.treeName(known.release.kubespray)
      guard !needed.contains(version), seen.insert(version).inserted else { continue }
      let tree = parent.appending("kubespray-\(version)")
      if let inventory = trees.first(where: { $0.version == version })?.inventory,
        home.state(on: host) != .written
      {
        keep("\(tree)", "your inventory is in \(inventory): \"target-setup next\" copies it to its home")
      } else {
        try addTree(tree, version, written)
      }
      let environment = host.path(parent.appending("kubespray-\(version)-venv"))
      let stamp = environment.appending(AnsibleStep.stampName)
      guard FileTree.exists(stamp) else {
        try addEmpty(.environment, of: version, parent.appending("kubespray-\(version)-venv"))
        continue
      }
      // What tells whose it is goes last.
      let files = try FileRemoval(all: environment).files.filter { $0 != stamp } + [stamp]
      try add(.environment, of: version, "\(environment)", FileRemoval(files, below: environment))
    }
  }

  /// A tree but for what somebody has changed in it or added to it.
  private mutating func addTree(_ tree: FilePath, _ version: String, _ written: [FilePath]) throws {
    let place = host.path(tree)
    guard let stamp = TreeStamp.read(in: place) else { return try addEmpty(.tree, of: version, tree) }
    var (going, staying): ([FilePath], [String]) = ([], [])
    for name in try TreeStamp.files(below: place) where name != TreeStamp.fileName {
      let file = place.pushing(FilePath(name))
      let isOurs =
        stamp.files[name].map { $0 == TreeStamp.digest(of: file) }
        ?? (name.hasSuffix(".pyc") || written.contains(tree.pushing(FilePath(name))))
      if isOurs { going.append(file) } else { staying.append(name) }
    }
    if !staying.isEmpty {
      keep("\(tree)", "\(Self.several(staying)) changed in it or added to it")
    }
    // The stamp goes last: it tells what the rest is.
    going.append(place.appending(TreeStamp.fileName))
    try add(.tree, of: version, "\(tree)", FileRemoval(going, below: place))
  }

  private static func several(_ names: [String]) -> String {
    let more = names.count > 3 ? " and \(names.count - 3) more" : ""
    return names.prefix(3).joined(separator: ", ") + more + (names.count == 1 ? " was" : " were")
  }

  // MARK: Bundles

  /// The folders of the bundles of releases that go, but for what these do not list.
  mutating func addBundles(program: FilePath) throws {
    for known in selection.dropped {
      guard let path = known.release.bundle else { continue }
      let folder = FilePath(path)
      let place = host.path(folder)
      let names = [Manifest.fileName, Manifest.unfinishedFileName]
      guard let name = names.first(where: { fileExists(place.appending($0)) }),
        let bytes = try? readBytes(place.appending(name)),
        let manifest = try? Manifest(decoding: bytes, from: place.appending(name)),
        manifest.id == known.release.id
      else {
        if selection.unfinished != nil { try addEmpty(.bundle, of: known.release.kubespray, folder) }
        continue
      }
      if let reason = obstacle(folder, program) {
        keep("\(folder)", reason)
      } else {
        try addBundle(folder, manifest)
      }
    }
  }

  private func obstacle(_ folder: FilePath, _ program: FilePath) -> String? {
    if keepsBundles { return "--keep-bundles was given" }
    if program.starts(with: host.path(folder)) || context.bundle.folder.starts(with: folder) {
      return "this program runs from it"
    }
    if let other = selection.kept.first(where: { FilePath($0.release.folder ?? "").starts(with: folder) }) {
      return "\(other.release.text) is served from it"
    }
    // A host in a folder has the disks of this machine.
    guard host.root == "/" else { return Medium.reason(place: folder) }
    return Medium(of: folder)?.reasonToLeave
  }

  private mutating func addBundle(_ folder: FilePath, _ manifest: Manifest) throws {
    let place = host.path(folder)
    let listed = Set(manifest.files.map(\.path.description))
    let own = Manifest.ownNames.union(listed)
    var parts: [(part: String, files: [FilePath])] = []
    var (staying, statement): ([String], [FilePath]) = ([], [])
    for name in try BundleTree.files(below: place) {
      let file = place.pushing(FilePath(name))
      let part = name.split(separator: "/").first.map(String.init) ?? name
      if name == Manifest.fileName || name == Manifest.unfinishedFileName {
        statement.append(file)
      } else if !own.contains(name) {
        staying.append(name)
      } else if let index = parts.firstIndex(where: { $0.part == part }) {
        parts[index].files.append(file)
      } else {
        parts.append((part, [file]))
      }
    }
    if !staying.isEmpty {
      keep("\(folder)", "\(Self.several(staying)) added to the bundle")
    }
    let version = manifest.kubespray
    let folders = parts.filter { folderExists(place.appending($0.part)) }
    for (part, files) in folders {
      try add(
        Self.kind(part, else: .bundle), of: version, "\(folder.appending(part))",
        FileRemoval(files, below: place.appending(part)))
    }
    // What tells which files were the bundle's goes last.
    let rest = parts.filter { part in !folders.contains { $0.part == part.part } }.flatMap(\.files)
    try add(.bundle, of: version, "\(folder)", FileRemoval(rest + statement, below: place))
  }
}
