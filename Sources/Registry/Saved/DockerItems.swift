import Bundle
import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// The images of a `manifest.json`, as `docker save` and `podman save` write it, and crane, ko, kaniko and others:
/// configurations, layers, and names (moby, `image/tarexport`; go-containerregistry, `pkg/v1/tarball`).
///
/// A registry wants a manifest, which such an archive does not have: one is made, with the layers as they are. Their
/// digests are known without reading them, because the configuration has them (`rootfs.diff_ids`).
struct DockerItems {
  /// An image of the list.
  struct Item {
    fileprivate let config: String
    /// Its names.
    let names: [String]
    /// Its layers, as files.
    let layers: [String]
    /// What its configuration hashes to; `nil` when that is missing.
    let digest: Digest?
    fileprivate let configuration: [UInt8]
  }

  private struct Entry: Decodable {
    let config: String?
    let repoTags: [String]?
    let layers: [String]?

    private enum CodingKeys: String, CodingKey {
      case config = "Config"
      case repoTags = "RepoTags"
      case layers = "Layers"
    }
  }

  private let blobs: SavedBlobs
  private let root: String
  let items: [Item]

  /// Reads the list.
  ///
  /// - Parameter root: What stands before every name: the folder that the archive is in, with a slash.
  /// - Throws: ``ImageArchiveError``.
  init(_ list: [UInt8], _ blobs: SavedBlobs, root: String) throws(ImageArchiveError) {
    self.blobs = blobs
    self.root = root
    // "null" is how some programs write a list of nothing.
    guard let entries = try? JSONDecoder().decode([Entry]?.self, from: Data(list)) ?? [] else {
      throw .unusable(blobs.path, reason: "its manifest.json is malformed")
    }
    var configurations: [String: [UInt8]] = [:]
    var items: [Item] = []
    for entry in entries {
      let config = entry.config ?? ""
      if configurations[config] == nil, !config.isEmpty, let bytes = try? blobs.files.bytes(root + config) {
        try blobs.count(bytes)
        configurations[config] = bytes
      }
      let bytes = configurations[config]
      items.append(
        Item(
          config: config, names: (entry.repoTags ?? []).compactMap(SavedName.usable),
          layers: entry.layers ?? [], digest: bytes.map { Digest(of: $0) }, configuration: bytes ?? []))
    }
    self.items = items
  }

  /// Makes the image of an item.
  ///
  /// - Throws: ``ImageArchiveError`` when it is not whole, or disagrees with itself; `FileError` or `CancellationError`.
  func image(_ item: Item) throws -> SavedImage {
    func unusable(_ reason: String) -> ImageArchiveError { .unusable(blobs.path, reason: reason) }
    guard let digest = item.digest else {
      throw unusable("the configuration \(item.config.debugDescription) of its image is missing")
    }
    if let promised = Self.promised(item.config), promised != digest {
      throw ImageArchiveError.damaged(blobs.path, blob: promised, actual: digest)
    }
    guard let configuration = try? SavedConfiguration.decode(item.configuration) else {
      throw unusable("the configuration \(item.config.debugDescription) of its image is malformed")
    }
    let contents = configuration.contents ?? []
    guard contents.count == item.layers.count else {
      throw unusable(
        "its manifest.json has \(counted(item.layers.count, "layer")), and the configuration has \(contents.count)"
      )
    }
    let config = Descriptor(of: item.configuration, mediaType: .ociConfig)
    blobs.note(config.digest, at: root + item.config)
    let layers = try zip(item.layers, contents).map { try blobs.layer(root + $0, content: $1) }
    let content = ImageLayout.encode(
      ImageManifest(
        schemaVersion: 2, mediaType: .ociManifest, config: config, layers: layers, artifactType: nil))
    let manifest = try FetchedManifest(
      content,
      descriptor: Descriptor(of: content, mediaType: .ociManifest, platform: configuration.platform))
    return SavedImage(manifests: [manifest], names: item.names)
  }

  /// The digest that the name of a configuration promises: `HEX.json`, `sha256:HEX`, `blobs/sha256/HEX`.
  private static func promised(_ name: String) -> Digest? {
    let last = name.split(separator: "/").last ?? ""
    let hex = last.hasSuffix(".json") ? last.dropLast(5) : last
    return try? Digest(hex.hasPrefix("sha256:") ? String(hex) : "sha256:\(hex)")
  }
}
