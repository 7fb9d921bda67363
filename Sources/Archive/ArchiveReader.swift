import Files
import SystemPackage

/// How much an archive may hold before extraction stops, against archives made to fill a disk.
public struct ExtractionLimits: Sendable {
  /// The bytes of all files together.
  public let totalBytes: Int64
  /// The number of entries of any kind.
  public let entries: Int

  /// Sets limits; the defaults are 16 GiB and a million entries.
  public init(totalBytes: Int64 = 16 << 30, entries: Int = 1_000_000) {
    self.totalBytes = totalBytes
    self.entries = entries
  }
}

/// Reads tar archives (ustar, pax, GNU), plain or compressed with gzip, xz, zstd or bzip2, and zip archives.
/// Formats are told by the content, not by the name.
public enum ArchiveReader {
  /// Calls `body` with each entry in the order of the archive.
  ///
  /// - Throws: ``ArchiveError``, `CancellationError` when the task is cancelled, or whatever `body` throws.
  public static func entries(of path: FilePath, _ body: (ArchiveEntry) throws -> Void) throws {
    try visit(path) { entry, _ in
      try body(entry)
      return .next
    }
  }

  /// Calls `body` with each entry and access to its content, in the order of the archive, until it has seen
  /// enough: what comes after is then never read from the disk.
  ///
  /// - Throws: ``ArchiveError``, `CancellationError` when the task is cancelled, or whatever `body` throws.
  public static func visit(
    _ path: FilePath, _ body: (ArchiveEntry, ArchiveContent) throws -> ArchiveVisit
  ) throws {
    try withUTF8Names {
      let archive = try ReadHandle(path)
      while let entry = try archive.next() {
        try Task.checkCancellation()
        if try body(entry, ArchiveContent(archive)) == .stop { return }
      }
    }
  }

  /// Extracts an archive.
  ///
  /// Nothing outside `folder` can be touched: absolute names, `..`, links that lead outside, names that pass
  /// through a link, device nodes and named pipes are errors that name the entry. Files of the same name are
  /// replaced. Modification times are kept; of permissions only those of 0755 are kept, and the owner may
  /// always read and write. On an error what was extracted so far stays: extract into a fresh folder and use
  /// it only after success.
  /// - Parameters:
  ///   - archive: The archive file.
  ///   - folder: Where to; it is made if missing.
  ///   - count: The number of leading folders to drop from each name; entries with no more names than that
  ///     are left out.
  ///   - limits: How much to accept.
  /// - Throws: ``ArchiveError``, or `CancellationError` when the task is cancelled.
  public static func extract(
    _ archive: FilePath, into folder: FilePath, strippingComponents count: Int = 0,
    limits: ExtractionLimits = ExtractionLimits()
  ) throws {
    try withUTF8Names {
      let source = try ReadHandle(archive)
      let destination: ExtractionFolder
      do {
        try createDirectories(folder)
        destination = try ExtractionFolder(folder)
      } catch {
        throw ArchiveError.extractionFailed(
          archive: archive, entry: ".", reason: "\(folder): \(FileError.reason(error))")
      }
      var extraction = Extraction(source: source, destination: destination, stripped: count, limits: limits)
      while let entry = try source.next() {
        try Task.checkCancellation()
        try extraction.extract(entry)
      }
      try extraction.finish()
    }
  }

  /// Unpacks a compressed file that is not an archive, or whose archive is to stay one: `x.tar.gz` becomes `x.tar`.
  ///
  /// On an error, what was written to `file` so far stays.
  /// - Throws: ``ArchiveError``, `FileError` when the file cannot be written, or `CancellationError`.
  public static func decompress(_ path: FilePath, to file: FilePath) throws {
    let output = try openFile(
      file, .writeOnly, options: [.create, .truncate, .noFollow], permissions: .publicFile)
    try output.closeAfter {
      try decompress(path) { bytes in
        try FileError.naming(.write, file) { _ = try output.writeAll(bytes) }
      }
    }
  }

  /// Hands over what is in a compressed file, piece by piece, as ``decompress(_:to:)`` would write it.
  ///
  /// - Throws: ``ArchiveError``, `CancellationError`, or whatever `body` throws.
  public static func decompress(_ path: FilePath, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let source = try ReadHandle(path, isRaw: true)
    guard try source.next() != nil else {
      throw ArchiveError.unreadable(archive: path, reason: "it is empty")
    }
    try source.readContent { bytes, _ in
      try Task.checkCancellation()
      try body(bytes)
    }
  }
}
