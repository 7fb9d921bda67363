import Bundle
import Integrity
import SystemPackage

/// An image that was found in an archive, before it is known what it is called.
struct SavedImage {
  /// What it consists of, as in ``ArchivedImage``.
  var manifests: [FetchedManifest]
  var indexes: [FetchedManifest] = []
  /// Signatures and what else is about it.
  var attached: [AttachedManifest] = []
  /// Its full names, as the archive writes them.
  var names: [String] = []
  /// Its tag, where the archive says that alone.
  var tag: String?
  /// What is to be known of it.
  var remarks: [String] = []
  /// Platforms that the archive lists and lacks.
  var absent: [Descriptor] = []
  /// The digest that it has where it was made, if that is not the one that it will have.
  var original: Digest?

  /// What stands for it.
  var digest: Digest { (indexes.first ?? manifests[0]).descriptor.digest }

  /// The configurations of all its platforms.
  var configurations: Set<Digest> {
    Set(
      manifests.compactMap { manifest in
        if case .manifest(let content) = manifest.content { content.config.digest } else { nil }
      })
  }

  /// All its manifests and indexes.
  var digests: Set<Digest> { Set((manifests + indexes).map(\.descriptor.digest)) }

  /// The image under a name.
  ///
  /// - Throws: `ManifestFormatError`.
  func named(_ reference: ImageReference) throws(ManifestFormatError) -> ArchivedImage {
    try ArchivedImage(reference: reference, manifests: manifests, indexes: indexes, attached: attached)
  }
}

/// An image of an archive that cannot be used.
struct BrokenImage: Error {
  /// What it is called, if that is known.
  var names: [String]
  var tag: String?
  /// The configurations that belong to it, by which another list of the archive may know it.
  var configurations: Set<Digest> = []
  /// Why it cannot be used.
  let reason: any Error
}
