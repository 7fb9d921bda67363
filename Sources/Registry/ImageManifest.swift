import FoundationEssentials
import Integrity

/// The parts of one image for one platform (OCI image-spec, manifest.md; Docker's schema 2 has the same fields).
public struct ImageManifest: Hashable, Sendable, Codable {
  /// Always 2.
  public let schemaVersion: Int
  /// The type that the manifest gives itself; OCI does not require it.
  public let mediaType: MediaType?
  /// The image's configuration.
  public let config: Descriptor
  /// The layers, the lowest first.
  public let layers: [Descriptor]
  /// What this is if it is not an image.
  let artifactType: String?
  /// What it is about, if it is about another manifest.
  var subject: Descriptor?
  /// Free remarks.
  var annotations: [String: String]?

  private enum CodingKeys: String, CodingKey {
    case schemaVersion, mediaType, config, layers, artifactType, subject, annotations
  }

  init(
    schemaVersion: Int, mediaType: MediaType?, config: Descriptor, layers: [Descriptor],
    artifactType: String?, subject: Descriptor? = nil, annotations: [String: String]? = nil
  ) {
    self.schemaVersion = schemaVersion
    self.mediaType = mediaType
    self.config = config
    self.layers = layers
    self.artifactType = artifactType
    self.subject = subject
    self.annotations = annotations
  }

  /// Reads it. Programs in Go write `null` for the layers of an image that has none.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    schemaVersion = try container.decode(Int.self, forKey: .schemaVersion)
    mediaType = try container.decodeIfPresent(MediaType.self, forKey: .mediaType)
    config = try container.decode(Descriptor.self, forKey: .config)
    layers = try container.decode([Descriptor]?.self, forKey: .layers) ?? []
    artifactType = try container.decodeIfPresent(String.self, forKey: .artifactType)
    subject = try container.decodeIfPresent(Descriptor.self, forKey: .subject)
    annotations = try container.decodeIfPresent([String: String].self, forKey: .annotations)
  }

  /// The configuration and the layers, each digest once, in the manifest's order.
  public var blobs: [Descriptor] {
    var seen: Set<Digest> = []
    return ([config] + layers).filter { seen.insert($0.digest).inserted }
  }
}

/// One image for several platforms (OCI image-spec, image-index.md; Docker's manifest list).
public struct ImageIndex: Hashable, Sendable, Codable {
  /// Always 2.
  public let schemaVersion: Int
  /// The type that the index gives itself; OCI does not require it.
  public let mediaType: MediaType?
  /// Manifests, or further indexes.
  public let manifests: [Descriptor]
}

/// What the bytes of a manifest say.
public enum ManifestContent: Hashable, Sendable {
  /// One image.
  case manifest(ImageManifest)
  /// Several.
  case index(ImageIndex)

  /// The largest manifest taken, in bytes: what distribution and containerd allow.
  static let maximumSize = 4 << 20

  /// Reads a manifest or index.
  ///
  /// - Parameters:
  ///   - bytes: The document as it was served or stored; its digest is not checked here.
  ///   - mediaType: What it is said to be: by a descriptor, or by a registry's `Content-Type`.
  /// - Throws: ``ManifestFormatError``.
  public init(_ bytes: [UInt8], mediaType: MediaType) throws(ManifestFormatError) {
    guard bytes.count <= Self.maximumSize else { throw .tooLarge }
    guard !mediaType.isSchema1 else { throw .schema1 }
    guard mediaType.isIndex || mediaType.isManifest else { throw .unknownMediaType(mediaType) }
    let outline: Outline = try Self.decode(bytes)
    if outline.schemaVersion == 1 { throw .schema1 }
    guard outline.schemaVersion == 2 else {
      throw .malformed("its schemaVersion is \(outline.schemaVersion.map(String.init) ?? "missing")")
    }
    if let own = outline.mediaType, !own.isGeneric, own != mediaType {
      throw .malformed("it calls itself \(own), and was announced as \(mediaType)")
    }
    // One document that two readers could take for two images (CVE-2021-41190).
    if outline.hasManifests, outline.hasConfig || outline.hasLayers {
      throw .malformed("it is a manifest and an index at once")
    }
    self =
      mediaType.isIndex ? .index(try Self.decode(bytes)) : .manifest(try Self.decode(bytes))
    try check()
  }

  /// What bytes are that a registry serves as a manifest.
  ///
  /// The document itself counts most: the digest proves it, while proxies and mirrors rename or leave out what stands
  /// beside it. Next counts the registry's word, where the document agrees, and last what is in the document.
  /// - Parameter announced: The registry's word.
  /// - Throws: ``ManifestFormatError/webPage``.
  static func mediaType(of bytes: [UInt8], announced: MediaType) throws(ManifestFormatError) -> MediaType {
    guard bytes.count <= maximumSize, let outline: Outline = try? decode(bytes) else {
      guard !isWebPage(bytes) else { throw .webPage }
      return announced
    }
    if outline.schemaVersion == 1 { return .dockerSchema1 }
    if let own = outline.mediaType, !own.isGeneric { return own }
    let isIndex = outline.hasManifests && !outline.hasConfig && !outline.hasLayers
    let isManifest = outline.hasConfig && !outline.hasManifests
    if isIndex { return announced.isIndex ? announced : .ociIndex }
    if isManifest, !announced.isManifest {
      return outline.configType == .dockerConfig ? .dockerManifest : .ociManifest
    }
    return announced
  }

  /// Whether it is a page for people, such as the login page of a network or a proxy's error.
  static func isWebPage(_ bytes: [UInt8]) -> Bool {
    let start = bytes.drop { $0 <= 0x20 || [0xef, 0xbb, 0xbf].contains($0) }
    return start.first == UInt8(ascii: "<")
  }

  private func check() throws(ManifestFormatError) {
    let descriptors: [Descriptor]
    switch self {
    case .manifest(let manifest): descriptors = [manifest.config] + manifest.layers
    case .index(let index): descriptors = index.manifests
    }
    if let bad = descriptors.first(where: { ByteSize.checked($0.size) == nil }) {
      throw .malformed("the size of \(bad.digest) is \(bad.size < 0 ? "negative" : "impossibly large")")
    }
    var sizes: [Digest: Int64] = [:]
    for descriptor in descriptors {
      if let other = sizes.updateValue(descriptor.size, forKey: descriptor.digest), other != descriptor.size {
        throw .malformed("it gives \(descriptor.digest) two sizes, \(other) and \(descriptor.size)")
      }
    }
  }

  /// What tells the kinds of documents apart.
  private struct Outline: Decodable {
    let schemaVersion: Int?
    let mediaType: MediaType?
    let hasManifests: Bool
    let hasConfig: Bool
    let hasLayers: Bool
    let configType: MediaType?

    private enum CodingKeys: String, CodingKey { case schemaVersion, mediaType, manifests, config, layers }
    private struct Typed: Decodable { let mediaType: MediaType? }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      schemaVersion = try container.decodeIfPresent(Int.self, forKey: .schemaVersion)
      mediaType = try container.decodeIfPresent(MediaType.self, forKey: .mediaType)
      hasManifests = container.contains(.manifests)
      hasConfig = container.contains(.config)
      hasLayers = container.contains(.layers)
      configType = (try? container.decodeIfPresent(Typed.self, forKey: .config))??.mediaType
    }
  }

  private static func decode<T: Decodable>(_ bytes: [UInt8]) throws(ManifestFormatError) -> T {
    do {
      return try JSONDecoder().decode(T.self, from: Data(bytes))
    } catch {
      throw .malformed(reason(of: error))
    }
  }

  private static func reason(of error: any Error) -> String {
    func path(_ context: DecodingError.Context) -> String {
      context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    }
    return switch error {
    case DecodingError.keyNotFound(let key, let context):
      "\(path(context).isEmpty ? "it" : path(context)) has no \(key.stringValue)"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "\(path(context)) does not have the type that the specification requires"
    case DecodingError.dataCorrupted(let context):
      path(context).isEmpty ? "it is not JSON" : "\(path(context)) is wrong: \(context.debugDescription)"
    case let error as DigestError: "\(error)"
    default: "it cannot be read: \(error)"
    }
  }
}

/// Why bytes are not manifest that this program can use.
public enum ManifestFormatError: Error, Equatable, CustomStringConvertible {
  /// More than `ManifestContent.maximumSize` bytes.
  case tooLarge
  /// Docker's format of before 2017, whose digests do not cover what is pulled.
  case schema1
  /// Something else than a manifest or an index.
  case unknownMediaType(MediaType)
  /// A page for people in place of a manifest.
  case webPage
  /// Against the specification.
  case malformed(String)

  /// What is wrong, as the end of a sentence that names the image.
  public var description: String {
    switch self {
    case .tooLarge: "its manifest is larger than \(ManifestContent.maximumSize >> 20) MiB"
    case .schema1: "it has a manifest of Docker's schema 1, which current container engines no longer read"
    case .unknownMediaType(let type):
      type.rawValue.isEmpty
        ? "the registry does not say of what type its manifest is"
        : "its manifest has the type \(type), which is not an image this program knows"
    case .webPage:
      "the registry answers with a web page in place of its manifest: a login page of the network, or a proxy's error"
    case .malformed(let reason): "its manifest is malformed: \(reason)"
    }
  }
}
