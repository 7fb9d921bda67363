import Bundle
import Concurrency
import Integrity
import SystemPackage

extension ImagePush {
  /// Which of some images the registry does not have with these digests, as indices in ascending order; all of them when it
  /// does not answer.
  ///
  /// - Parameter images: The images by their names in the registry, see ``PushTarget/reference(of:strippedRegistries:)``.
  /// - Throws: `CancellationError`.
  public func missing(_ images: [(reference: ImageReference, digest: Digest)]) async throws -> [Int] {
    guard let client = try? await client() else {
      try Task.checkCancellation()
      return Array(images.indices)
    }
    var missing: [Int] = []
    await forEachConcurrently(images.indices, limit: configuration.parallel) { index -> Bool in
      let image = images[index]
      // What has a digest is asked for by it; another image may have its tag.
      let tag = image.reference.digest == nil ? image.reference.tag : nil
      let found = try? await client.digest(of: tag ?? "\(image.digest)", image.reference)
      return found == image.digest
    } onResult: { index, isThere in
      if !isThere { missing.append(index) }
    }
    try Task.checkCancellation()
    return missing.sorted()
  }

  /// The repositories with manifests in the folder in which a registry keeps its content; none when it is empty.
  ///
  /// - Throws: `FileError` when a folder cannot be read.
  public static func repositories(inStorage folder: FilePath) throws -> Set<String> {
    try StorageFolder.repositories(in: folder)
  }
}
