import Bundle
import Integrity

/// An image that a bundle has put into the registry of the admin host.
public struct StoredImage: Sendable, Codable, Hashable {
  /// A manifest about it, which lies in the same repository.
  public struct Attached: Sendable, Codable, Hashable {
    /// Its digest.
    public let digest: Digest
    /// The tag that leads to it, if one does.
    public let tag: String?
  }

  /// The repository, as the registry calls it.
  public let repository: String
  /// The tag; `nil` for an image that has a digest only.
  public let tag: String?
  /// What it stands for.
  public let digest: Digest
  /// Its signatures and what else is about it.
  public let attached: [Attached]

  /// An image.
  public init(repository: String, tag: String?, digest: Digest, attached: [Attached] = []) {
    self.repository = repository
    self.tag = tag
    self.digest = digest
    self.attached = attached
  }

  /// The image of an archive, by the name that a push gives it: without its registry if that is one of
  /// `strippedRegistries`.
  public init(_ image: ManifestImage, strippedRegistries: Set<String>) {
    self.init(
      repository: ImageReference.pushRepository(
        registry: image.reference.registry, repository: image.reference.repository,
        strippedRegistries: strippedRegistries),
      tag: image.reference.tag, digest: image.digest,
      attached: (image.attached ?? []).map { Attached(digest: $0.digest, tag: $0.tag) })
  }

  /// Its tags, those of what is about it included.
  var tags: Set<String> { Set(attached.compactMap(\.tag) + [tag].compactMap(\.self)) }
}

/// An image that somebody uses, as it is named there.
public struct ImageUse: Sendable, Codable, Hashable {
  /// The repository, as the registry of the admin host calls it; `nil` when only the digest is known.
  public let repository: String?
  /// The tag; `nil` when it is named by its digest.
  public let tag: String?
  /// The digest of the image, of its manifest for one platform, or of its configuration.
  public let digest: Digest?
  /// Who uses it, for people.
  public let user: String

  /// A use.
  public init(repository: String?, tag: String?, digest: Digest?, user: String) {
    self.repository = repository
    self.tag = tag
    self.digest = digest
    self.user = user
  }
}
