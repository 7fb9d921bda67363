import Integrity

/// One file of a bundle.
///
/// A bundle may have hundreds of thousands, so it has few bytes: what one in a thousand has lies beside it.
public struct ManifestFile: Sendable, Equatable {
  /// Its place in `outputs/`.
  public var path: BundlePath
  /// Its size in bytes.
  public var size: Int64
  /// Its digest.
  public var sha256: Digest
  /// The stage that brought it.
  public var stage: StageName
  /// Who vouches for it.
  public var verification: Verification
  /// Where it came from, for what came over the network.
  public var url: String?
  private var content = Content.file
  /// What is in it, for the archive of an image.
  public var image: ManifestImage? {
    get { if case .image(let image) = content { image } else { nil } }
    set { content = newValue.map { .image($0) } ?? .file }
  }

  private enum Content: Sendable, Equatable {
    case file
    indirect case image(ManifestImage)
  }

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

extension ManifestFile: Codable {
  private enum CodingKeys: String, CodingKey {
    case path, size, sha256, url, stage, verification, image
  }

  /// Decodes the entry of a manifest.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    path = try container.decode(BundlePath.self, forKey: .path)
    size = try container.decode(Int64.self, forKey: .size)
    sha256 = try container.decode(Digest.self, forKey: .sha256)
    url = try container.decodeIfPresent(String.self, forKey: .url)
    stage = try container.decode(StageName.self, forKey: .stage)
    verification = try container.decode(Verification.self, forKey: .verification)
    image = try container.decodeIfPresent(ManifestImage.self, forKey: .image)
  }

  /// Encodes the entry of a manifest.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(path, forKey: .path)
    try container.encode(size, forKey: .size)
    try container.encode(sha256, forKey: .sha256)
    try container.encodeIfPresent(url, forKey: .url)
    try container.encode(stage, forKey: .stage)
    try container.encode(verification, forKey: .verification)
    try container.encodeIfPresent(image, forKey: .image)
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
