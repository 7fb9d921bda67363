import Bundle
import Integrity

/// The image that another one is made on: what a registry serves for one platform.
public struct BaseImage: Sendable {
  /// Its name.
  public let reference: ImageReference
  /// Its manifest.
  public let manifest: ResolvedImage.PlatformImage
  let configuration: ImageConfiguration

  /// A base.
  ///
  /// - Parameters:
  ///   - reference: Its name, written into the annotations of the images that are made on it.
  ///   - manifest: Its manifest for one platform.
  ///   - configuration: The bytes of the blob that its manifest names as the configuration.
  /// - Throws: ``ManifestFormatError`` when that does not fit the manifest.
  public init(
    _ reference: ImageReference, _ manifest: ResolvedImage.PlatformImage, configuration: [UInt8]
  ) throws(ManifestFormatError) {
    self.reference = reference
    self.manifest = manifest
    self.configuration = try ImageConfiguration(configuration)
    guard self.configuration.rootfs.diffIDs.count == manifest.content.layers.count else {
      throw .malformed("its manifest and its configuration do not have the same number of layers")
    }
  }

  /// Its layers, the lowest first.
  public var layers: [Descriptor] { manifest.content.layers }

  /// The folders in which a container of it looks for programs.
  public var searchPath: [String] {
    let line = configuration.config?.environment?.last { $0.hasPrefix("PATH=") }
    let path =
      line?.dropFirst("PATH=".count) ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return path.split(separator: ":").map(String.init)
  }
}

/// A layer to put on top of a base.
public struct AddedLayer: Sendable {
  /// The layer as it is stored.
  public let descriptor: Descriptor
  /// The digest of its tar before compression.
  public let diffID: Digest
  /// What made it, for the image's history.
  public let createdBy: String

  /// A layer.
  public init(descriptor: Descriptor, diffID: Digest, createdBy: String) {
    self.descriptor = descriptor
    self.diffID = diffID
    self.createdBy = createdBy
  }
}

/// A base with layers on top, made without a container engine: only documents are written, and the base's layers are
/// those of its registry, byte for byte. The same parts give the same image.
public struct AssembledImage: Sendable {
  /// What an archive of it holds.
  public let image: ArchivedImage
  /// The digest of its configuration.
  public let configurationDigest: Digest
  /// Its configuration.
  public let configuration: [UInt8]

  private struct Manifest: Encodable {
    var schemaVersion = 2
    var mediaType = MediaType.ociManifest
    let config: Descriptor
    let layers: [Descriptor]
    let annotations: [String: String]
  }

  /// Puts layers on a base.
  ///
  /// A container of it is started as root with the base's environment, without what the base itself would start.
  /// - Parameters:
  ///   - name: The name of the new image.
  ///   - base: The image below, whose layers, variables, labels and history the new one takes over.
  ///   - layers: At least one.
  ///   - environment: Variables that are added to the base's or replace them.
  ///   - labels: Labels beside those of the base.
  ///   - command: What is run when nothing else is asked for.
  /// - Throws: ``ManifestFormatError``.
  public init(
    _ name: ImageReference, on base: BaseImage, adding layers: [AddedLayer], environment: [String: String],
    labels: [String: String], command: [String]
  ) throws(ManifestFormatError) {
    var configuration = base.configuration
    let names = Set(environment.keys)
    let kept = (configuration.config?.environment ?? []).filter { line in
      !names.contains(String(line.prefix { $0 != "=" }))
    }
    var execution = ImageConfiguration.Execution()
    execution.environment = kept + environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    execution.command = command
    execution.labels = (configuration.config?.labels ?? [:]).merging(labels) { $1 }
    configuration.config = execution
    configuration.rootfs.diffIDs += layers.map(\.diffID)
    // Without the time of today: the same parts are the same image.
    configuration.history =
      (configuration.history ?? [])
      + layers.map { layer in
        ImageConfiguration.History(created: configuration.created, createdBy: layer.createdBy)
      }
    let bytes = ImageLayout.encode(configuration)
    let descriptor = Descriptor(of: bytes, mediaType: .ociConfig)
    let manifest = ImageLayout.encode(
      Manifest(
        config: descriptor, layers: base.layers.map(Self.ociLayer) + layers.map(\.descriptor),
        annotations: [
          "org.opencontainers.image.base.name": base.reference.description,
          "org.opencontainers.image.base.digest": "\(base.manifest.manifest.descriptor.digest)",
        ]))
    let fetched = try FetchedManifest(
      manifest,
      descriptor: Descriptor(of: manifest, mediaType: .ociManifest, platform: configuration.platform))
    image = try ArchivedImage(reference: name, manifests: [fetched])
    configurationDigest = descriptor.digest
    self.configuration = bytes
  }

  /// The same bytes by OCI's name of their type: a manifest must not mix both families.
  private static func ociLayer(_ layer: Descriptor) -> Descriptor {
    let type: MediaType =
      switch layer.mediaType {
      case .dockerLayer: .ociLayerGzip
      case MediaType(rawValue: "application/vnd.docker.image.rootfs.diff.tar"): .ociLayer
      case MediaType(rawValue: "application/vnd.docker.image.rootfs.diff.tar.zstd"): .ociLayerZstd
      default: layer.mediaType
      }
    return Descriptor(mediaType: type, digest: layer.digest, size: layer.size)
  }
}
