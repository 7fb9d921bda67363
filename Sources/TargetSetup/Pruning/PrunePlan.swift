import Files
import Integrity
import Registry
import SystemPackage

/// What a pruning would remove, what it would leave, and how much room the disk would get back.
public struct PrunePlan: Sendable, Encodable {
  /// A release that this host knows.
  public struct Release: Sendable, Encodable {
    /// The kubespray version.
    public let kubespray: String
    /// The id of its bundle.
    public let id: String
    /// The folder whose files are served; absent when none are.
    public let folder: String?
    /// Whether it stays.
    public let isKept: Bool
    /// Why, for people.
    public let reason: String
    /// How many bytes the disk would get back if it alone went; absent for one that goes already, and the last one.
    public let wouldFree: Int64?
  }

  /// Something that goes.
  public struct Item: Sendable, Encodable {
    /// What it is: `files`, `packages`, `wheels`, `images`, `kubespray tree`, `environment`, `bundle`, `earlier copy`.
    public let kind: String
    /// The kubespray version that it is of; absent for what is of none.
    public let release: String?
    /// A path of the host, or words.
    public let what: String
    /// How many bytes the disk gets back.
    public let bytes: Int64
  }

  /// The releases, the one that was set up last first.
  public let releases: [Release]
  /// What goes.
  public let items: [Item]
  /// What stays although no kept release needs it.
  public let kept: [PruneKept]
  /// How many bytes the disk gets back.
  public let bytes: Int64
  /// Whether a pruning was begun and stopped: it goes on with `--apply`.
  public let isUnfinished: Bool

  let selection: PruneSelection
  let steps: [PruneItem]
  let images: StoragePruning?
  let isRegistryLeftAlone: Bool
  let uses: [ImageUse]

  /// What is asked for.
  struct Request: Sendable {
    /// The releases that are to go.
    var drop: [String] = []
    /// Images that a cluster uses.
    var uses: [ImageUse] = []
    /// Whether the folders of bundles stay.
    var keepsBundles = false
    /// The file of the program that runs.
    var program: FilePath = "/"
  }

  /// Looks; changes nothing.
  ///
  /// - Parameter isWhole: Whether it is also told what each other release would free.
  /// - Throws: ``StepError``, `FileError`.
  init(_ request: Request, _ context: SetupContext, isWhole: Bool = false) throws {
    let selection = try PruneSelection(dropping: request.drop, context)
    let uses = Set(request.uses + (selection.unfinished?.uses ?? [])).sorted { $0.user < $1.user }
    let keepsBundles = selection.unfinished?.keepsBundles ?? false || request.keepsBundles
    var collector = PruneCollector(context, selection, keepsBundles: keepsBundles)
    try collector.addCopies()
    images = try collector.addImages(uses: uses)
    isRegistryLeftAlone = collector.isRegistryLeftAlone
    try collector.addTrees()
    try collector.addBundles(program: request.program)
    (steps, kept, self.selection, self.uses) = (collector.items, collector.kept, selection, uses)
    let total = steps.byteSum(of: \.bytes)
    bytes = total
    items = steps.map { Item(kind: $0.kind.rawValue, release: $0.release, what: $0.what, bytes: $0.bytes) }
    isUnfinished = selection.unfinished != nil
    let last = selection.present
    var releases: [Release] = []
    for known in selection.kept + selection.dropped {
      let isKept = selection.kept.contains { $0.release.id == known.release.id }
      var wouldFree: Int64?
      if isWhole, isKept, known.release.id != last {
        var other = request
        other.drop.append(known.release.id)
        wouldFree = try PrunePlan(other, context).bytes - total
      }
      let reason =
        known.release.id == last ? "set up last" : isKept ? "not dropped" : "dropped"
      releases.append(
        Release(
          kubespray: known.release.kubespray, id: known.release.id, folder: known.release.folder,
          isKept: isKept, reason: reason, wouldFree: wouldFree))
    }
    self.releases = releases
  }

  private enum CodingKeys: CodingKey { case releases, items, kept, bytes, isUnfinished }
}
