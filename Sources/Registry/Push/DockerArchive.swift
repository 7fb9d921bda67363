import Archive
import Bundle
import FoundationEssentials
import Integrity
import SystemPackage

/// What `docker save` and `podman save` write, compressed or not: configurations, layers as plain tars, and a
/// `manifest.json` that names them (moby, `image/tarexport`).
///
/// A registry wants a manifest, which such an archive does not have: one is made, with the layers as they are. Their
/// digests are known without reading them, because the configuration has them (`rootfs.diff_ids`).
struct DockerArchive {
  let images: [ArchivedImage]
  /// The entry of each blob.
  let names: [Digest: String]

  private struct Item: Decodable {
    let config: String
    let repoTags: [String]?
    let layers: [String]

    private enum CodingKeys: String, CodingKey {
      case config = "Config"
      case repoTags = "RepoTags"
      case layers = "Layers"
    }
  }

  private struct Configuration: Decodable {
    struct FileSystem: Decodable {
      let diffIDs: [Digest]

      private enum CodingKeys: String, CodingKey { case diffIDs = "diff_ids" }
    }
    let architecture: String?
    let os: String?
    let variant: String?
    let rootfs: FileSystem
  }

  /// What is found on the way through the archive. Which documents count is known when manifest.json has come, at the end.
  private struct Entries {
    /// How many entries an archive may have; each image has three and its layers.
    static let most = 100_000
    /// How many bytes all its documents may have together.
    static let largest = 64 << 20

    var count = 0
    var documentBytes = 0
    var sizes: [String: Int64] = [:]
    var links: [String: String] = [:]
    var documents: [String: [UInt8]] = [:]
    /// The digests of all other files, where they were asked for.
    var digests: [String: Digest] = [:]

    /// The file that a name leads to: layers in common are links in older archives.
    func resolve(_ name: String) -> String {
      guard let target = links[name] else { return name }
      var parts = name.split(separator: "/").dropLast().map(String.init)
      for part in target.split(separator: "/") {
        if part == ".." {
          _ = parts.popLast()
        } else if part != "." {
          parts.append(String(part))
        }
      }
      return parts.joined(separator: "/")
    }
  }

  /// Reads all of an archive but its layers' content; that too if it is to be proved.
  ///
  /// - Parameter name: What images without a name are called.
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError`` or `CancellationError`.
  init(_ path: FilePath, named name: ImageReference? = nil, isProved: Bool = false) throws {
    var entries = Entries()
    try ArchiveReader.visit(path) { entry, content in
      entries.count += 1
      guard entries.count <= Entries.most else {
        throw ImageArchiveError.unusable(path, reason: "it has more than \(Entries.most) files")
      }
      switch entry.kind {
      case .file:
        entries.sizes[entry.path] = entry.size
        if entry.path.hasSuffix(".json"), entry.size <= ManifestContent.maximumSize {
          let document = try content.bytes(limit: ManifestContent.maximumSize)
          entries.documentBytes += document.count
          guard entries.documentBytes <= Entries.largest else {
            throw ImageArchiveError.unusable(
              path, reason: "its .json files have more than \(Entries.largest >> 20) MiB together")
          }
          entries.documents[entry.path] = document
        } else if isProved {
          var hasher = DigestHasher(.sha256)
          try content.pieces { hasher.update($0) }
          entries.digests[entry.path] = hasher.finalize()
        }
      case .symbolicLink(let target), .hardLink(let target): entries.links[entry.path] = target
      case .directory, .other: break
      }
      return .next
    }
    guard let list = entries.documents[ImageLayout.dockerFile] else {
      throw ImageArchiveError.noImageLayout(path)
    }
    guard let items = try? JSONDecoder().decode([Item].self, from: Data(list)), !items.isEmpty else {
      throw ImageArchiveError.unusable(path, reason: "its manifest.json is malformed")
    }
    var images: [ArchivedImage] = []
    var names: [Digest: String] = [:]
    for item in items { images += try Self.images(of: item, entries, &names, path, name) }
    for (digest, file) in names {
      guard let actual = entries.digests[file], actual != digest else { continue }
      throw ImageArchiveError.damaged(path, blob: digest, actual: actual)
    }
    self.images = images
    self.names = names
  }

  private static func images(
    of item: Item, _ entries: Entries, _ names: inout [Digest: String], _ path: FilePath,
    _ name: ImageReference?
  ) throws -> [ArchivedImage] {
    func unusable(_ reason: String) -> ImageArchiveError { .unusable(path, reason: reason) }
    guard let bytes = entries.documents[item.config],
      let configuration = try? JSONDecoder().decode(Configuration.self, from: Data(bytes))
    else { throw unusable("its configuration \(item.config) is missing or malformed") }
    guard configuration.rootfs.diffIDs.count == item.layers.count else {
      throw unusable("its configuration and its manifest.json disagree on the number of layers")
    }
    let config = Descriptor(of: bytes, mediaType: .ociConfig)
    names[config.digest] = item.config
    var layers: [Descriptor] = []
    for (digest, name) in zip(configuration.rootfs.diffIDs, item.layers) {
      let file = entries.resolve(name)
      guard let size = entries.sizes[file] else { throw ImageArchiveError.incomplete(path, blob: digest) }
      names[digest] = file
      layers.append(Descriptor(mediaType: .ociLayer, digest: digest, size: size))
    }
    let content = ImageLayout.encode(
      ImageManifest(
        schemaVersion: 2, mediaType: .ociManifest, config: config, layers: layers, artifactType: nil))
    let platform = Platform(
      os: configuration.os ?? "linux", architecture: configuration.architecture ?? "amd64",
      variant: configuration.variant)
    let manifest = try FetchedManifest(
      content, descriptor: Descriptor(of: content, mediaType: .ociManifest, platform: platform))
    guard let tags = item.repoTags, !tags.isEmpty else {
      guard let name else { throw unusable("it does not say the image's name") }
      return [try ArchivedImage(reference: name, manifests: [manifest])]
    }
    return try tags.map { tag in
      do {
        return try ArchivedImage(reference: try ImageReference(tag), manifests: [manifest])
      } catch let error as ImageReferenceError {
        throw unusable("\(error)")
      }
    }
  }
}

extension ImageArchiveReader {
  /// Reads the whole of an image archive of any kind, and proves every layer by its digest.
  ///
  /// - Returns: The names of its images.
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError`` or `CancellationError`.
  public static func verifyNames(_ path: FilePath) throws -> [ImageReference] {
    do {
      return [try verify(path).reference]
    } catch ImageArchiveError.noImageLayout {
      return try DockerArchive(path, isProved: true).images.map(\.reference)
    }
  }
}
