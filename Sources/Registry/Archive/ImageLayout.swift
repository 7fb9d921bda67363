import Archive
import Bundle
import FoundationEssentials
import Integrity

/// The small files of an image archive.
///
/// Source: OCI image-spec, image-layout.md; manifest.json is that of moby's `image/tarexport` (`manifestItem`).
enum ImageLayout {
  static let markerFile = "oci-layout"
  static let indexFile = "index.json"
  static let dockerFile = "manifest.json"
  /// An index of what is about the image, which loaders pass over.
  static let attachedFile = "attached.json"
  static let marker = Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)

  /// From this one containerd and podman take the image's full name.
  static let nameAnnotation = "io.containerd.image.name"
  /// The tag (OCI image-spec, annotations.md).
  static let tagAnnotation = "org.opencontainers.image.ref.name"

  static func blobPath(_ digest: Digest) -> String { "blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }

  /// The digest that an entry's name promises; nil for entries that are not blobs.
  static func digest(ofBlob path: String) -> Digest? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "blobs" else { return nil }
    return try? Digest("\(parts[1]):\(parts[2])")
  }

  /// An item of manifest.json.
  private struct DockerImage: Encodable {
    let config: String
    let repoTags: [String]
    let layers: [String]

    private enum CodingKeys: String, CodingKey {
      case config = "Config"
      case repoTags = "RepoTags"
      case layers = "Layers"
    }
  }

  /// index.json: one descriptor, with the image's name.
  static func index(of image: ArchivedImage) -> [UInt8] {
    var descriptor = image.descriptor
    descriptor.annotations = [nameAnnotation: image.reference.description]
    if let tag = image.reference.tag { descriptor.annotations?[tagAnnotation] = tag }
    return encode(ImageIndex(schemaVersion: 2, mediaType: .ociIndex, manifests: [descriptor]))
  }

  /// attached.json: the descriptors of what is about the image, with the tags that lead there.
  static func attached(to image: ArchivedImage) -> [UInt8] {
    let descriptors = image.attached.map { attached in
      var descriptor = attached.manifest.descriptor
      descriptor.artifactType = nil
      descriptor.annotations = attached.tag.map { [tagAnnotation: $0] }
      return descriptor
    }
    return encode(ImageIndex(schemaVersion: 2, mediaType: .ociIndex, manifests: descriptors))
  }

  /// manifest.json, which readers from before the OCI layout go by: the main platform.
  static func dockerManifest(of image: ArchivedImage) -> [UInt8] {
    let manifest = image.contents[0]
    return encode([
      DockerImage(
        config: blobPath(manifest.config.digest),
        repoTags: image.reference.tag.map { ["\(image.reference.name):\($0)"] } ?? [],
        layers: manifest.layers.map { blobPath($0.digest) })
    ])
  }

  /// The files of an archive in their order, and the blobs whose contents come later.
  static func entries(of image: ArchivedImage) -> (entries: [StoredTar.Entry], blobs: [Descriptor]) {
    var entries = [
      StoredTar.Entry(markerFile, bytes: marker),
      StoredTar.Entry(indexFile, bytes: index(of: image)),
      StoredTar.Entry(dockerFile, bytes: dockerManifest(of: image)),
    ]
    if !image.attached.isEmpty { entries.append(StoredTar.Entry(attachedFile, bytes: attached(to: image))) }
    var seen: Set<Digest> = []
    for document in image.indexes + image.manifests + image.attached.map(\.manifest)
    where seen.insert(document.descriptor.digest).inserted {
      entries.append(StoredTar.Entry(blobPath(document.descriptor.digest), bytes: document.bytes))
    }
    let blobs = image.blobs.filter { seen.insert($0.digest).inserted }
    return (entries + blobs.map { StoredTar.Entry(blobPath($0.digest), size: $0.size) }, blobs)
  }

  /// The same value gives the same bytes.
  static func encode(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return Array(try encoder.encode(value))
    } catch {
      // Strings, integers, arrays and dictionaries of them: JSON can say them all.
      preconditionFailure("an image layout could not be encoded: \(error)")
    }
  }
}
