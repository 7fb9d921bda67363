import CArchive
import SystemPackage

extension ArchiveReader {
  /// Hands over what is in compressed bytes (gzip, xz, zstd or bzip2) that lie anywhere, piece by piece.
  ///
  /// - Parameters:
  ///   - entry: The part of the file that errors name.
  ///   - path: The file that errors name.
  ///   - read: Fills a buffer with the next compressed bytes, and says how many there were; 0 at the end.
  ///   - body: Called with each piece of the content, which is valid during the call only.
  /// - Throws: ``ArchiveError/damaged(archive:entry:reason:)``, `CancellationError`, or what `read` or `body` throws.
  public static func decompress(
    _ entry: String, of path: FilePath, reading read: (UnsafeMutableRawBufferPointer) throws -> Int,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try withoutActuallyEscaping(read) { read in
      let source = CompressedSource(read)
      guard let handle = archive_read_new() else {
        throw ArchiveError.unreadable(archive: path, reason: "libarchive does not start")
      }
      defer { archive_read_free(handle) }
      func damaged() -> any Error {
        source.failure
          ?? ArchiveError.damaged(
            archive: path, entry: entry,
            reason: archive_error_string(handle).map { String(cString: $0) } ?? "libarchive gave no reason")
      }
      for support in [
        archive_read_support_filter_gzip, archive_read_support_filter_xz, archive_read_support_filter_zstd,
        archive_read_support_filter_bzip2, archive_read_support_format_raw,
      ] {
        // A warning means that an external program does the work.
        guard support(handle) >= ARCHIVE_WARN else { throw damaged() }
      }
      try withExtendedLifetime(source) {
        var header: OpaquePointer?
        guard
          archive_read_open(
            handle, Unmanaged.passUnretained(source).toOpaque(), nil, readCompressed, nil) == ARCHIVE_OK,
          archive_read_next_header(handle, &header) == ARCHIVE_OK
        else { throw damaged() }
        while true {
          try Task.checkCancellation()
          var start: UnsafeRawPointer?
          var count = 0
          var offset: Int64 = 0
          switch archive_read_data_block(handle, &start, &count, &offset) {
          case ARCHIVE_OK: try body(UnsafeRawBufferPointer(start: start, count: count))
          case ARCHIVE_EOF: return
          default: throw damaged()
          }
        }
      }
    }
  }
}

/// Where libarchive gets compressed bytes from.
private final class CompressedSource {
  let read: (UnsafeMutableRawBufferPointer) throws -> Int
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  /// What `read` threw: through C no error passes.
  var failure: (any Error)?

  init(_ read: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) { self.read = read }

  deinit { buffer.deallocate() }
}

private func readCompressed(
  _ handle: OpaquePointer?, _ data: UnsafeMutableRawPointer?,
  _ start: UnsafeMutablePointer<UnsafeRawPointer?>?
) -> Int {
  guard let data, let start else { return -1 }
  let source = Unmanaged<CompressedSource>.fromOpaque(data).takeUnretainedValue()
  do {
    start.pointee = UnsafeRawPointer(source.buffer.baseAddress)
    return try source.read(source.buffer)
  } catch {
    source.failure = error
    return -1
  }
}
