import Integrity
import SystemPackage

/// An archive, or a folder, that blobs are read from.
protocol BlobSource: AnyObject, Sendable {
  /// The archive.
  var path: FilePath { get }

  /// Says which blobs will be asked for.
  func announce(_ blobs: [Digest])

  /// Forgets where everything lies; what was unpacked is gone with its last reader.
  func close()

  /// Where a blob lies. May take long the first time.
  ///
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError``, `FileError` or `CancellationError`.
  func file(_ blob: Descriptor) throws -> TarIndex.File
}
