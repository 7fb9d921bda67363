import Bundle
import Integrity

/// An image as a registry has it now: everything that its archive will hold is known by digest and size.
public struct ResolvedImage: Sendable {
  /// The image of one platform.
  public struct PlatformImage: Sendable {
    /// The manifest as served; its descriptor names the platform.
    public let manifest: FetchedManifest
    /// Configuration and layers.
    public let content: ImageManifest
    /// The indexes on the way to it, the root first; none where the root is the manifest itself.
    public let indexes: [FetchedManifest]

    /// The platform, where index or configuration tell it.
    public var platform: Platform? { manifest.descriptor.platform }
  }

  /// The reference that was asked.
  public let reference: ImageReference
  /// What the registry serves for it: the index, or the only manifest.
  public let root: FetchedManifest
  /// The chosen images, in the order in which their platforms were asked; each once.
  public let images: [PlatformImage]
  /// The platforms that were asked for and are not there.
  public let lacking: [Platform]
  /// Configurations that were read already, by digest.
  public let configurations: [Digest: [UInt8]]

  /// What the registry has about it; `nil` when it was not asked.
  public internal(set) var attached: Result<[AttachedManifest], RegistryError>?

  /// Configurations and layers of all chosen images, each digest once.
  public var blobs: [Descriptor] {
    var seen: Set<Digest> = []
    return images.flatMap(\.content.blobs).filter { seen.insert($0.digest).inserted }
  }

  /// The bytes of the chosen manifests and of ``blobs``.
  public var totalSize: Int64 {
    (images.map(\.manifest.descriptor) + blobs).byteSum(of: \.size)
  }
}
