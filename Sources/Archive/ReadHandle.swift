import CArchive
import Files
import Glibc
import SystemPackage

/// An archive that is open for reading; closed when the last reference goes.
final class ReadHandle {
  let path: FilePath
  private let descriptor: FileDescriptor
  private let handle: OpaquePointer
  private(set) var current: ArchiveEntry?

  /// Opens a tar or zip archive and leaves it to libarchive to tell the compression.
  ///
  /// - Parameter isRaw: Whether it is opened as one entry that holds the file without its compression.
  /// - Throws: ``ArchiveError``.
  init(_ path: FilePath, isRaw: Bool = false) throws(ArchiveError) {
    self.path = path
    do {
      descriptor = try openFile(path, .readOnly)
    } catch {
      throw .unreadable(archive: path, reason: "\(error.code)")
    }
    guard (try? FileInfo(descriptor))?.kind == .file, let handle = archive_read_new()
    else {
      try? descriptor.close()
      throw .unreadable(archive: path, reason: "it is not a regular file")
    }
    self.handle = handle
    // All properties are set: from here on deinit cleans up.
    let formats =
      isRaw
      ? [archive_read_support_format_raw]
      : [archive_read_support_format_tar, archive_read_support_format_zip]
    for support in [
      archive_read_support_filter_gzip, archive_read_support_filter_xz, archive_read_support_filter_zstd,
      archive_read_support_filter_bzip2,
    ] + formats {
      // A warning means that an external program does the work.
      guard support(handle) >= ARCHIVE_WARN else { throw .unreadable(archive: path, reason: message) }
    }
    guard archive_read_open_fd(handle, descriptor.rawValue, 1 << 18) == ARCHIVE_OK else { throw failure() }
  }

  deinit {
    archive_read_free(handle)
    try? descriptor.close()
  }

  /// Goes to the next entry; nil after the last. Content that was not read is passed over.
  ///
  /// - Throws: ``ArchiveError``, for every answer of libarchive but success, the end, and a warning that
  ///   leaves the content sound.
  func next() throws(ArchiveError) -> ArchiveEntry? {
    var header: OpaquePointer?
    let code = archive_read_next_header(handle, &header)
    if code == ARCHIVE_EOF { return nil }
    guard code == ARCHIVE_OK || code == ARCHIVE_WARN, let header else { throw failure() }
    let entry = try decode(header)
    current = entry
    return entry
  }

  /// Hands the content of the current entry to `body` piece by piece, each with its offset in the file.
  ///
  /// - Throws: ``ArchiveError/damaged(archive:entry:reason:)``, or whatever `body` throws.
  func readContent(_ body: (UnsafeRawBufferPointer, Int64) throws -> Void) throws {
    while true {
      var start: UnsafeRawPointer?
      var count = 0
      var offset: Int64 = 0
      switch archive_read_data_block(handle, &start, &count, &offset) {
      case ARCHIVE_OK: try body(UnsafeRawBufferPointer(start: start, count: count), offset)
      case ARCHIVE_EOF: return
      default: throw ArchiveError.damaged(archive: path, entry: current?.path, reason: message)
      }
    }
  }

  private func decode(_ header: OpaquePointer) throws(ArchiveError) -> ArchiveEntry {
    let stored = try text(archive_entry_pathname_utf8(header), archive_entry_pathname(header))
    guard let name = stored, !name.isEmpty else {
      throw .damaged(archive: path, entry: current?.path, reason: "the next entry has no name")
    }
    let kind: ArchiveEntry.Kind
    if let target = try text(archive_entry_hardlink_utf8(header), archive_entry_hardlink(header)) {
      kind = .hardLink(target: target)
    } else {
      switch archive_entry_filetype(header) {
      case S_IFREG: kind = .file
      case S_IFDIR: kind = .directory
      case S_IFLNK:
        let target = try text(archive_entry_symlink_utf8(header), archive_entry_symlink(header))
        kind = .symbolicLink(target: target ?? "")
      default: kind = .other
      }
    }
    return ArchiveEntry(
      path: Self.tidy(name), kind: kind, size: kind == .file ? archive_entry_size(header) : 0,
      permissions: UInt16(archive_entry_mode(header) & 0o7777), modified: Int64(archive_entry_mtime(header)))
  }

  /// A name as text: libarchive has no UTF-8 form of bytes that are not UTF-8.
  private func text(
    _ utf8: UnsafePointer<CChar>?, _ raw: UnsafePointer<CChar>?
  ) throws(ArchiveError) -> String? {
    guard let pointer = utf8 ?? raw else { return nil }
    guard let text = String(validatingCString: pointer) else {
      throw .unsafeEntry(
        archive: path, entry: String(cString: pointer), reason: "has a name that is not UTF-8")
    }
    // To Swift a slash with a mark that combines with it is another character; to the system it separates names.
    guard text.utf8.count(where: { $0 == UInt8(ascii: "/") }) == text.count(where: { $0 == "/" }) else {
      throw .unsafeEntry(
        archive: path, entry: text, reason: "has a name or a target in which something combines with a slash")
    }
    return text
  }

  private static func tidy(_ name: String) -> String {
    var rest = Substring(name)
    while rest.hasPrefix("./"), rest.count > 2 { rest = rest.dropFirst(2) }
    while rest.hasSuffix("/"), rest.count > 1 { rest = rest.dropLast() }
    return String(rest)
  }

  /// The text of the last error, copied out of the handle.
  private var message: String {
    archive_error_string(handle).map { String(cString: $0) } ?? "libarchive gave no reason"
  }

  private func failure() -> ArchiveError {
    if current == nil, archive_format(handle) == 0 {
      if let guess = describeForeignContent(path) { return .notAnArchive(archive: path, looksLike: guess) }
      if archive_errno(handle) == EILSEQ { return .notAnArchive(archive: path, looksLike: nil) }
    }
    return .damaged(archive: path, entry: current?.path, reason: message)
  }
}
