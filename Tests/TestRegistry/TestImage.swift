import FoundationEssentials
import Integrity
import Registry

/// An image made in memory. Its layers need not be archives: nobody unpacks them here.
public struct TestImage: Sendable {
  /// Bytes with their descriptor.
  public struct Blob: Sendable {
    /// Type, digest and size.
    public var descriptor: Descriptor
    /// The content.
    public let bytes: [UInt8]

    /// Content of that type.
    public init(_ bytes: [UInt8], _ mediaType: MediaType) {
      self.bytes = bytes
      descriptor = Descriptor(of: bytes, mediaType: mediaType)
    }
  }

  /// The configuration.
  public let config: Blob
  /// The layers, the lowest first.
  public let layers: [Blob]
  /// The manifest; its descriptor has the platform.
  public let manifest: Blob

  private struct Configuration: Encodable {
    struct FileSystem: Encodable {
      var type = "layers"
      let diffIDs: [String]

      enum CodingKeys: String, CodingKey {
        case type
        case diffIDs = "diff_ids"
      }
    }
    let architecture: String
    let os: String
    let variant: String?
    var config: [String: String] = [:]
    let rootfs: FileSystem
  }

  private struct Manifest: Encodable {
    var schemaVersion = 2
    let mediaType: MediaType?
    let config: Descriptor
    let layers: [Descriptor]
  }

  private struct Index: Encodable {
    var schemaVersion = 2
    let mediaType: MediaType
    let manifests: [Descriptor]
  }

  /// An image of these layers, in OCI's types or in Docker's.
  public init(
    platform: Platform = Platform(architecture: "amd64"), layers: [Blob] = [Blob([1, 2, 3], .ociLayerGzip)],
    type: MediaType = .ociManifest, configType: MediaType? = nil, namesItsType: Bool = true
  ) {
    let configuration = Configuration(
      architecture: platform.architecture, os: platform.os, variant: platform.variant,
      rootfs: .init(diffIDs: layers.map(\.descriptor.digest.description)))
    config = Blob(
      Self.json(configuration), configType ?? (type == .dockerManifest ? .dockerConfig : .ociConfig))
    self.layers = layers
    let document = Manifest(
      mediaType: namesItsType ? type : nil, config: config.descriptor, layers: layers.map(\.descriptor))
    var manifest = Blob(Self.json(document), type)
    manifest.descriptor.platform = platform
    self.manifest = manifest
  }

  /// An index of these descriptors.
  public static func index(_ manifests: [Descriptor], type: MediaType = .ociIndex) -> Blob {
    Blob(json(Index(mediaType: type, manifests: manifests)), type)
  }

  private static func json(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Nothing in these types can fail to be encoded.
    return Array((try? encoder.encode(value)) ?? Data())
  }
}
