import Integrity

/// One file of a bundle.
public struct ManifestFile: Sendable, Codable, Equatable {
  /// Its place in `outputs/`.
  public var path: BundlePath
  /// Its size in bytes.
  public var size: Int64
  /// Its digest.
  public var sha256: Digest
  /// Where it came from, for what came over the network.
  public var url: String?
  /// The stage that brought it.
  public var stage: StageName
  /// Who vouches for it.
  public var verification: Verification
  /// What is in it, for the archive of an image.
  public var image: ManifestImage?

  /// A file.
  public init(
    path: BundlePath, size: Int64, sha256: Digest, url: String?, stage: StageName, verification: Verification
  ) {
    self.path = path
    self.size = size
    self.sha256 = sha256
    self.url = url
    self.stage = stage
    self.verification = verification
  }
}

/// The image in an archive.
public struct ManifestImage: Sendable, Codable, Equatable {
  /// The full reference.
  public var reference: ImageReference
  /// The digest of the manifest, or of the index of several, in the archive.
  public var digest: Digest
  /// The digest of what the registry served for the reference, where the archive has only a part of that.
  public var served: Digest?
  /// The platforms, as `OS/ARCHITECTURE[/VARIANT]`.
  public var platforms: [String]
  /// The platforms that were asked for too, and that the registry does not have; absent when it has all.
  public var lacking: [String]?
  /// How many layers all manifests have together.
  public var layers: Int
  /// Signatures and what else the registry has about it; absent when it was not asked.
  public var attached: [ManifestAttached]?
  /// The digests of its configurations and layers, in the order in which they lie in the archive; absent in manifests of
  /// earlier versions.
  public var blobs: [Digest]?

  /// Whether somebody has signed it, as far as the registry says; `nil` when it was not asked.
  public var isSigned: Bool? { attached.map { $0.contains { $0.isSignature } } }

  /// An image.
  public init(reference: ImageReference, digest: Digest, platforms: [String], layers: Int) {
    self.reference = reference
    self.digest = digest
    self.platforms = platforms
    self.layers = layers
  }
}

/// A manifest about an image, in the image's archive.
public struct ManifestAttached: Sendable, Codable, Equatable {
  /// Its digest.
  public var digest: Digest
  /// What it is, as its publisher calls it; absent for an index.
  public var type: String?
  /// The tag that leads to it, if one does.
  public var tag: String?
  /// Whether it is a signature.
  public var isSignature: Bool

  /// A manifest about an image.
  public init(digest: Digest, type: String?, tag: String?, isSignature: Bool) {
    self.digest = digest
    self.type = type
    self.tag = tag
    self.isSignature = isSignature
  }
}
