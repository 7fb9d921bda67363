import Bundle
import Files
import FoundationEssentials
import Registry
import Settings
import SystemPackage

/// What a bundle has put into the registry of this host. It is remembered from load-push on, because a bundle that came on a
/// stick is gone when its images are to go.
struct StoredRelease: Sendable, Codable, Equatable {
  /// The bundle's id, as in ``ServedRelease/id``.
  let id: String
  /// The kubespray version that it is for.
  let kubespray: String
  /// Where the bundle lay, a path of the host.
  let bundle: String
  /// Its images.
  var images: [StoredImage]

  /// The file that remembers them.
  static func file(_ host: TargetHost) -> FilePath { host.stateFolder.appending("images.json") }

  /// All that are remembered, the one that was put there last first.
  ///
  /// - Throws: ``StepError`` when the file cannot be read.
  static func read(_ host: TargetHost) throws(StepError) -> [StoredRelease] {
    guard let bytes = try host.file(file(host)) else { return [] }
    do {
      return try JSONDecoder().decode([StoredRelease].self, from: Data(bytes))
    } catch {
      throw StepError("\(file(host)), which names the images of each bundle, is damaged", .moveAway)
    }
  }

  /// Whether it is not remembered what the present bundle has in the registry.
  ///
  /// - Throws: ``StepError`` when the file cannot be read.
  static func lacks(_ context: SetupContext) throws(StepError) -> Bool {
    try !read(context.host).contains { $0.id == context.releaseID }
  }

  /// The bytes of the file.
  static func bytes(_ all: [StoredRelease]) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(all))
  }

  /// Writes down what the present bundle puts there, before it does. What it has put there before stays known: those of a
  /// bundle of the shell project are known only one after the other.
  ///
  /// - Throws: ``StepError`` or an error of the encoder.
  static func record(_ images: [StoredImage], _ context: SetupContext, _ journal: Journal) throws {
    var all = try read(context.host)
    var release = StoredRelease(
      id: context.releaseID, kubespray: context.configuration.kubespray.version,
      bundle: context.bundle.folder.string, images: images)
    let earlier = all.first { $0.id == release.id }?.images ?? []
    release.images += earlier.filter { !images.contains($0) }
    all.removeAll { $0.id == release.id }
    try journal.write(file(context.host), try bytes([release] + all))
  }
}

extension SetupContext {
  /// The id under which this host remembers the bundle.
  var releaseID: String { bundle.manifest?.id ?? "kubespray-\(configuration.kubespray.version)" }

  /// The images that the manifest of a bundle names, as they are called in the registry of this host.
  func storedImages(_ manifest: Manifest?) -> [StoredImage] {
    (manifest?.files ?? []).compactMap(\.image).map {
      StoredImage($0, strippedRegistries: configuration.registry.stripped)
    }
  }
}
