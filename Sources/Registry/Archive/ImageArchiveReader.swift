import Archive
import Bundle
import Integrity
import SystemPackage

/// Reads what ``ImageArchiveWriter`` has written; other OCI image layouts in a tar too, if they hold one named image.
public enum ImageArchiveReader {
  /// Says what is in an archive. Of an archive of this program it reads the first kilobytes only.
  ///
  /// Nothing is proved by it but the manifests; see ``verify(_:)``.
  /// - Parameter name: What the image is called if the archive does not say it.
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError`` or `CancellationError`.
  public static func summary(of path: FilePath, named name: ImageReference? = nil) throws -> ArchivedImage {
    var layout = LayoutCollector(path)
    var known = -1
    // Where content comes before what names it, it is found when the archive is read once more.
    while !layout.isComplete, layout.count > known {
      known = layout.count
      layout.rewind()
      try ArchiveReader.visit(path) { entry, content in
        try layout.take(entry, content)
        return layout.isComplete ? .stop : .next
      }
    }
    return try layout.image(named: name)
  }

  /// Reads the whole archive and hashes everything in it.
  ///
  /// - Throws: ``ImageArchiveError`` when something is missing or does not have the digest it is named by;
  ///   ``Archive/ArchiveError`` or `CancellationError`.
  public static func verify(_ path: FilePath) throws -> ArchivedImage {
    let image = try summary(of: path)
    var sizes: [Digest: Int64] = [:]
    try ArchiveReader.visit(path) { entry, content in
      guard let digest = ImageLayout.digest(ofBlob: entry.path) else { return .next }
      var hasher = DigestHasher(digest.algorithm)
      try content.pieces { hasher.update($0) }
      let actual = hasher.finalize()
      guard actual == digest else { throw ImageArchiveError.damaged(path, blob: digest, actual: actual) }
      sizes[digest] = entry.size
      return .next
    }
    for descriptor in image.documents.map(\.descriptor) + image.blobs
    where sizes[descriptor.digest] != descriptor.size {
      throw ImageArchiveError.incomplete(path, blob: descriptor.digest)
    }
    return image
  }
}
