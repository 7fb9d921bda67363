import Bundle
import Integrity

/// One platform's part of an image, with its manifest byte for byte as the registry served it.
public struct ArchivedManifest: Sendable, Equatable {
  /// The manifest.
  public let bytes: [UInt8]
  /// What the bytes say.
  public let manifest: ImageManifest
  /// Type, digest, size and platform of the bytes.
  public let descriptor: Descriptor

  /// Takes a manifest as it was served.
  ///
  /// - Throws: ``ManifestFormatError`` when it is not the manifest of one image.
  public init(_ bytes: [UInt8], mediaType: MediaType, platform: Platform?) throws(ManifestFormatError) {
    guard case .manifest(let manifest) = try ManifestContent(bytes, mediaType: mediaType) else {
      throw .malformed("it is an index where the manifest of one image is expected")
    }
    self.bytes = bytes
    self.manifest = manifest
    descriptor = Descriptor(of: bytes, mediaType: mediaType, platform: platform)
  }
}

/// An index, byte for byte.
public struct ArchivedIndex: Sendable, Equatable {
  /// The index.
  public let bytes: [UInt8]
  /// What the bytes say.
  public let index: ImageIndex
  /// Type, digest and size of the bytes.
  public let descriptor: Descriptor

  /// Takes an index as it was served.
  ///
  /// - Throws: ``ManifestFormatError`` when it is none.
  public init(_ bytes: [UInt8], mediaType: MediaType) throws(ManifestFormatError) {
    guard case .index(let index) = try ManifestContent(bytes, mediaType: mediaType) else {
      throw .malformed("it is the manifest of one image where an index is expected")
    }
    self.init(bytes, index, mediaType)
  }

  /// A new index of these manifests.
  init(of manifests: [ArchivedManifest]) {
    let index = ImageIndex(
      schemaVersion: 2, mediaType: .ociIndex, manifests: manifests.map(\.descriptor))
    self.init(ImageLayout.encode(index), index, .ociIndex)
  }

  private init(_ bytes: [UInt8], _ index: ImageIndex, _ mediaType: MediaType) {
    self.bytes = bytes
    self.index = index
    descriptor = Descriptor(of: bytes, mediaType: mediaType)
  }
}

/// What an image archive holds: one image, for one platform or more.
public struct ArchivedImage: Sendable, Equatable {
  /// The image's full name.
  public let reference: ImageReference
  /// The first platform's part: the one that readers see who know of one only.
  public let main: ArchivedManifest
  /// The parts for further platforms.
  public let others: [ArchivedManifest]
  /// The index that the name stands for, if it does not stand for the manifest itself; then those within it.
  public let indexes: [ArchivedIndex]

  /// An image.
  ///
  /// - Parameters:
  ///   - reference: Its full name.
  ///   - main: The first platform's part.
  ///   - others: The parts for further platforms.
  ///   - indexes: For a reference with the digest of an index: that index as it was served, and the one within it
  ///     that names the manifest, if it is nested. Loaders take it though not all that it lists is there, and a
  ///     name with a digest is worth nothing for other content. Without any, several platforms get a new index
  ///     of their own, because a registry's lists platforms that are not carried.
  public init(
    reference: ImageReference, main: ArchivedManifest, others: [ArchivedManifest] = [],
    indexes: [ArchivedIndex] = []
  ) {
    self.reference = reference
    self.main = main
    self.others = others
    self.indexes = indexes.isEmpty && !others.isEmpty ? [ArchivedIndex(of: [main] + others)] : indexes
  }

  /// What the name stands for in the archive.
  public var descriptor: Descriptor { indexes.first?.descriptor ?? main.descriptor }

  /// The parts for all platforms.
  public var manifests: [ArchivedManifest] { [main] + others }

  /// Configurations and layers of all platforms, each digest once; the configurations, which are small, first.
  public var blobs: [Descriptor] {
    var seen: Set<Digest> = []
    return (manifests.map(\.manifest.config) + manifests.flatMap(\.manifest.layers))
      .filter { seen.insert($0.digest).inserted }
  }
}
