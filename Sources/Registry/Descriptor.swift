import Integrity

/// Names content by type, digest and size (OCI image-spec, descriptor.md).
public struct Descriptor: Hashable, Sendable, Codable {
  /// What the content is.
  public var mediaType: MediaType
  /// What it hashes to.
  public var digest: Digest
  /// Its length in bytes.
  public var size: Int64
  /// Where else it lies; used by layers that registries must not keep.
  public var urls: [String]?
  /// Free remarks.
  public var annotations: [String: String]?
  /// For a manifest in an index: where the image runs.
  public var platform: Platform?
  /// For a manifest in an index: what it is if it is not an image.
  var artifactType: String?

  /// A descriptor.
  public init(
    mediaType: MediaType, digest: Digest, size: Int64, platform: Platform? = nil,
    annotations: [String: String]? = nil, urls: [String]? = nil
  ) {
    self.mediaType = mediaType
    self.digest = digest
    self.size = size
    self.platform = platform
    self.annotations = annotations
    self.urls = urls
  }

  /// The descriptor of bytes at hand.
  public init(of bytes: [UInt8], mediaType: MediaType, platform: Platform? = nil) {
    self.init(
      mediaType: mediaType, digest: Digest(of: bytes), size: Int64(bytes.count), platform: platform)
  }

  private enum CodingKeys: String, CodingKey {
    case mediaType, digest, size, urls, annotations, platform, artifactType
  }

  /// Decodes the object of a manifest. Some old manifests have no types of what they name, and some indexes platforms
  /// without names, which say no more than none at all.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    mediaType = try container.decodeIfPresent(MediaType.self, forKey: .mediaType) ?? MediaType(rawValue: "")
    digest = try container.decode(Digest.self, forKey: .digest)
    size = try container.decode(Int64.self, forKey: .size)
    urls = try container.decodeIfPresent([String].self, forKey: .urls)
    annotations = try container.decodeIfPresent([String: String].self, forKey: .annotations)
    artifactType = try container.decodeIfPresent(String.self, forKey: .artifactType)
    let platform = (try? container.decodeIfPresent(Platform.self, forKey: .platform)) ?? nil
    self.platform = platform.flatMap { $0.os.isEmpty || $0.architecture.isEmpty ? nil : $0 }
  }

  /// Whether an index calls it something else than an image, and names no platform for it.
  var isArtifact: Bool {
    platform == nil
      && ![nil, "", MediaType.ociConfig.rawValue, MediaType.dockerConfig.rawValue].contains(artifactType)
  }

  /// Whether it describes how an image was built, not an image: BuildKit lists those in the index beside the
  /// images (BuildKit, docs/attestations/attestation-storage.md).
  var isAttestation: Bool {
    annotations?["vnd.docker.reference.type"] == "attestation-manifest"
      || platform?.os == "unknown" && platform?.architecture == "unknown"
  }
}
