import Bundle
import Integrity

/// What an image archive holds: one image, for one platform or more.
public struct ArchivedImage: Sendable, Equatable {
  /// The image's full name.
  public let reference: ImageReference
  /// The manifest of each platform, byte for byte as the registry served it, at least one. The first is the one that
  /// readers see who know of one only.
  public let manifests: [FetchedManifest]
  /// What ``manifests`` say.
  public let contents: [ImageManifest]
  /// The index that the name stands for, if it does not stand for the manifest itself; then those within it.
  public let indexes: [FetchedManifest]
  /// Signatures and what else is about it, each after what it lists.
  public let attached: [AttachedManifest]

  /// An image.
  ///
  /// - Parameters:
  ///   - reference: Its full name.
  ///   - manifests: The manifest of each platform, at least one.
  ///   - indexes: For a reference with the digest of an index: that index as it was served, and the one within it
  ///     that names the manifest, if it is nested. Loaders take it though not all that it lists is there, and a
  ///     name with a digest is worth nothing for other content. Without any, several platforms get a new index
  ///     of their own, because a registry's lists platforms that are not carried.
  ///   - attached: Signatures and what else is about it, each after what it lists.
  /// - Throws: ``ManifestFormatError`` when an index stands where a manifest should, or nothing at all.
  public init(
    reference: ImageReference, manifests: [FetchedManifest], indexes: [FetchedManifest] = [],
    attached: [AttachedManifest] = []
  ) throws(ManifestFormatError) {
    guard !manifests.isEmpty else { throw .malformed("it has no image") }
    var contents: [ImageManifest] = []
    for manifest in manifests {
      guard case .manifest(let content) = manifest.content else {
        throw .malformed("it has an index where an image was expected")
      }
      contents.append(content)
    }
    self.reference = reference
    self.manifests = manifests
    self.contents = contents
    self.attached = attached
    self.indexes = indexes.isEmpty && manifests.count > 1 ? [try Self.index(of: manifests)] : indexes
  }

  /// What was chosen of an image in a registry.
  ///
  /// - Throws: ``ManifestFormatError``.
  public init(_ image: ResolvedImage) throws(ManifestFormatError) {
    let isPinned = image.reference.digest == image.root.descriptor.digest
    var indexes: [FetchedManifest] = []
    for index in image.images.flatMap(\.indexes) where isPinned && !indexes.contains(index) {
      indexes.append(index)
    }
    var attached = (try? image.attached?.get()) ?? []
    let carried = image.images.map(\.manifest) + indexes + attached.map(\.manifest)
    // Who verifies by the digest of the publisher's index asks the registry for that.
    if !attached.isEmpty, !carried.contains(where: { $0.descriptor.digest == image.root.descriptor.digest }) {
      attached.append(AttachedManifest(manifest: image.root, tag: nil))
    }
    try self.init(
      reference: image.reference, manifests: image.images.map(\.manifest), indexes: indexes,
      attached: attached)
  }

  /// What the name stands for in the archive.
  public var descriptor: Descriptor { (indexes.first ?? manifests[0]).descriptor }

  /// Configurations and layers of all platforms, each digest once; the configurations, which are small, first. What the
  /// attached manifests consist of comes last.
  public var blobs: [Descriptor] {
    var seen: Set<Digest> = []
    return (contents.map(\.config) + contents.flatMap(\.layers) + attached.flatMap(\.blobs))
      .filter { seen.insert($0.digest).inserted }
  }

  /// All manifests and indexes in the order in which a registry takes them: each after what it names, and last what the
  /// name stands for.
  public var documents: [FetchedManifest] {
    var seen: Set<Digest> = []
    return (attached.map(\.manifest) + manifests + indexes.reversed())
      .filter { seen.insert($0.descriptor.digest).inserted }
  }

  private static func index(of manifests: [FetchedManifest]) throws(ManifestFormatError) -> FetchedManifest {
    let bytes = ImageLayout.encode(
      ImageIndex(schemaVersion: 2, mediaType: .ociIndex, manifests: manifests.map(\.descriptor)))
    return try FetchedManifest(bytes, descriptor: Descriptor(of: bytes, mediaType: .ociIndex))
  }
}
