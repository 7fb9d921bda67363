import Files
import FoundationEssentials
import Registry
import SystemPackage

/// A pruning that was begun: what is to go, as it was known before the first change. It lies in the state folder until the
/// pruning has ended, so that one that was killed goes on when the command is given again.
struct PruneOrder: Sendable, Codable, Equatable {
  /// When it was begun (ISO 8601, UTC).
  let started: String
  /// The releases that go.
  var releases: [DroppedRelease]
  /// The images that a cluster used.
  var uses: [ImageUse]
  /// Whether the folders of bundles stay.
  var keepsBundles: Bool

  /// The file, a path of the host.
  static func file(_ host: TargetHost) -> FilePath { host.stateFolder.appending("prune.json") }

  /// The one that was begun on a host and has not ended; `nil` when there is none.
  ///
  /// - Throws: ``StepError`` when the file cannot be read.
  static func read(_ host: TargetHost) throws(StepError) -> PruneOrder? {
    guard let bytes = try host.file(file(host)) else { return nil }
    guard let order = try? JSONDecoder().decode(PruneOrder.self, from: Data(bytes)) else {
      throw StepError("\(file(host)), which names what is being pruned, is damaged", .moveAway)
    }
    return order
  }

  /// Writes it down, durably.
  ///
  /// - Throws: `FileError` or an error of the encoder.
  func save(on host: TargetHost) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let place = host.path(Self.file(host))
    try createDirectories(place.removingLastComponent())
    try writeAtomically(Array(try encoder.encode(self)), to: place)
  }

  /// Takes a bundle out that is set up again, whatever was to become of it.
  ///
  /// - Throws: ``StepError``, `FileError` or an error of the encoder.
  static func withdraw(_ id: String, on host: TargetHost) throws {
    guard var order = try read(host), order.releases.contains(where: { $0.id == id }) else { return }
    order.releases.removeAll { $0.id == id }
    try order.save(on: host)
  }
}

/// A release that is not kept.
struct DroppedRelease: Sendable, Codable, Equatable {
  /// The bundle's id.
  let id: String
  /// The kubespray version.
  let kubespray: String
  /// The folder that was served, a path of the host; `nil` when it was not served.
  let folder: String?
  /// The folder of its bundle, a path of the host, as far as it is known.
  let bundle: String?
  /// Its images in the registry; `nil` when nothing tells which they are.
  let images: [StoredImage]?

  /// For people.
  var text: String { "kubespray \(kubespray) (\(id.prefix(8)))" }
}
