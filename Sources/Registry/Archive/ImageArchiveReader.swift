import Archive
import Bundle
import Integrity
import SystemPackage

/// Reads what ``ImageArchiveWriter`` has written; other OCI image layouts in a tar too, if they hold one named image.
public enum ImageArchiveReader {
  /// Says what is in an archive. Of an archive of this program it reads the first kilobytes only.
  ///
  /// Nothing is proved by it but the manifests; see ``verify(_:)``.
  /// - Parameters:
  ///   - path: The archive, compressed or not.
  ///   - name: What the image is called if the archive does not say it.
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

  /// Hands over a blob of an archive of this program, piece by piece. Nothing else of the archive is read but headers, and
  /// nothing is proved.
  ///
  /// - Throws: ``ImageArchiveError`` when it is not there with that size, or the archive is another one; `FileError`; what
  ///   `body` throws.
  public static func read(
    _ blob: Descriptor, in path: FilePath, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    do {
      let index = try TarIndex(StoredStream(RandomAccessFile(path)))
      guard let file = index.files[ImageLayout.blobPath(blob.digest)], file.size == blob.size else {
        throw ImageArchiveError.incomplete(path, blob: blob.digest)
      }
      var (stream, left) = (file.start, file.size)
      while left > 0 {
        let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(left, Int64(buffer.count)))])
        guard try stream.read(into: piece) == piece.count else {
          throw ImageArchiveError.incomplete(path, blob: blob.digest)
        }
        try body(UnsafeRawBufferPointer(piece))
        left -= Int64(piece.count)
      }
    } catch let error as StoredStreamError {
      throw error.naming(path)
    }
  }
}
