import Bundle
import Files
import Registry
import Settings
import SystemPackage

/// The releases that this host knows, and which of them go.
struct PruneSelection: Sendable {
  /// A release that this host knows.
  struct Known: Sendable {
    let release: DroppedRelease
    /// What the web server serves of it; `nil` when it serves nothing.
    let served: ServedRelease?
  }

  /// Those that stay, the one that was set up last first.
  let kept: [Known]
  /// The id of that one.
  let present: String
  /// Those that go.
  let dropped: [Known]
  /// Those that an earlier pruning was to remove when it was stopped.
  let unfinished: PruneOrder?

  /// A choice that was made.
  init(kept: [Known], dropped: [Known], unfinished: PruneOrder?) {
    (self.kept, self.dropped, self.unfinished) = (kept, dropped, unfinished)
    present = kept.first?.release.id ?? ""
  }

  /// Chooses.
  ///
  /// - Parameter drop: The releases that are to go: versions of kubespray, or the first eight digits or more of a bundle's id.
  /// - Throws: ``StepError`` for a release that is not known, or the one that was set up last; or when a file of the state
  ///   cannot be read.
  init(dropping drop: [String], _ context: SetupContext) throws(StepError) {
    let served = try ServedReleases.read(context.host)
    let order = try PruneOrder.read(context.host)
    let present = try Self.present(served, context)
    let all = try Self.known(served, order, context)
    var going = Set((order?.releases ?? []).map(\.id))
    for name in drop {
      let matching = all.filter { Self.matches($0.release, name) }.map(\.release.id)
      guard !matching.isEmpty else {
        // The same command once more, after it had come to its end.
        if try PrunedNote.all(context).contains(where: { $0.release == name }) { continue }
        let others = Set(all.map(\.release.kubespray)).sorted().joined(separator: ", ")
        throw StepError("this host knows no release \(name), only \(others)", .release)
      }
      guard matching != [present] else {
        throw StepError("\(name) is the release that was set up last, which is never dropped", .release)
      }
      going.formUnion(matching)
    }
    going.remove(present)
    self.present = present
    let last = all.filter { $0.release.id == present }
    kept = last + all.filter { $0.release.id != present && !going.contains($0.release.id) }
    dropped = all.filter { going.contains($0.release.id) }
    unfinished = order
  }

  private static func matches(_ release: DroppedRelease, _ name: String) -> Bool {
    release.kubespray == name || name.count >= 8 && release.id.hasPrefix(name)
  }

  /// The bundle that was set up last, which must be the one that this program works with: its services are what is pruned.
  private static func present(_ served: [ServedRelease], _ context: SetupContext) throws(StepError) -> String
  {
    guard context.bundle.isFinished else { throw .unfinished(context.bundle.folder) }
    guard let last = served.first, last.id != context.releaseID else { return context.releaseID }
    let folder = last.folder
    let place =
      context.host.exists(folder.appending(Manifest.fileName)) ? "\(folder)" : "the folder of its bundle"
    throw StepError(
      "kubespray \(last.kubespray) was set up last, and this is the bundle of \(context.configuration.kubespray.version)",
      .lastBundle(place))
  }

  private static func known(
    _ served: [ServedRelease], _ order: PruneOrder?, _ context: SetupContext
  ) throws(StepError) -> [Known] {
    let stored = try StoredRelease.read(context.host)
    var found: [Known] = []
    func add(
      _ id: String, _ kubespray: String, _ served: ServedRelease?, bundle: String?, _ images: [StoredImage]?
    ) {
      guard !found.contains(where: { $0.release.id == id }) else { return }
      let release = DroppedRelease(
        id: id, kubespray: kubespray, folder: served?.folder.string, bundle: bundle, images: images)
      found.append(Known(release: release, served: served))
    }
    for release in served {
      let record = stored.first { $0.id == release.id }
      let place = record?.bundle ?? Self.bundle(of: release, context.host)
      add(
        release.id, release.kubespray, release, bundle: place,
        record?.images ?? Self.images(release.id, in: place, context))
    }
    // As it was known before the first change.
    for release in order?.releases ?? [] where !found.contains(where: { $0.release.id == release.id }) {
      found.append(Known(release: release, served: nil))
    }
    for record in stored { add(record.id, record.kubespray, nil, bundle: record.bundle, record.images) }
    add(
      context.releaseID, context.configuration.kubespray.version, nil, bundle: context.bundle.folder.string,
      context.bundle.shell == nil ? context.storedImages(context.bundle.manifest) : nil)
    let versions = Set(found.map { treeName($0.release.kubespray) })
    for tree in EarlierTree.all(
      besides: "/", in: context.configuration.target.kubesprayDirectory, on: context.host)
    where !versions.contains(tree.version) {
      add("tree-\(tree.version)", tree.version, nil, bundle: nil, [])
    }
    return found
  }

  /// What a tree of a version is named after.
  static func treeName(_ version: String) -> String { version.replacing("/", with: "-") }

  /// The folder of a bundle that is served where it lies.
  private static func bundle(of release: ServedRelease, _ host: TargetHost) -> String? {
    guard !release.folder.starts(with: host.stateFolder) else { return nil }
    return release.folder.string
  }

  /// What a bundle that is on this host has put into the registry, by its own manifest.
  private static func images(_ id: String, in folder: String?, _ context: SetupContext) -> [StoredImage]? {
    if id == context.releaseID, context.bundle.shell == nil {
      return context.storedImages(context.bundle.manifest)
    }
    guard let folder, let manifest = try? Manifest.load(from: context.host.path(FilePath(folder))),
      manifest.id == id
    else { return nil }
    return context.storedImages(manifest)
  }
}
