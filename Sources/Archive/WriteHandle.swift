import CArchive
import Glibc
import SystemPackage

/// A libarchive writer of restricted pax tar into an output; freed when the last reference goes.
///
/// Restricted pax is plain ustar wherever a header can say everything, so any tar of the last decades reads it.
final class WriteHandle {
  private let handle: OpaquePointer
  private let output: ArchiveOutput
  private var closed = false

  /// What libarchive answered to a failed call.
  struct Failure: Error {
    let reason: String
  }

  /// - Parameter blockSize: How many bytes go to the output at a time; 0 leaves that to the format.
  init(
    _ output: ArchiveOutput, compression: ArchiveCompression, blockSize: Int32 = 1 << 18
  ) throws(Failure) {
    guard let handle = archive_write_new() else { throw Failure(reason: "out of memory") }
    self.handle = handle
    self.output = output
    try honour(archive_write_set_format_pax_restricted(handle))
    if let filter = compression.filterName, let level = compression.level?.chosen {
      try honour(compression.addFilter(to: handle))
      try honour(archive_write_set_filter_option(handle, filter, "compression-level", "\(level)"))
    }
    if case .gzip = compression {
      // The gzip header then has no time (RFC 1952, MTIME 0); a name it never gets.
      try honour(archive_write_set_filter_option(handle, "gzip", "timestamp", nil))
    }
    try honour(archive_write_set_bytes_per_block(handle, blockSize))
    try honour(archive_write_set_bytes_in_last_block(handle, 1))
    // The output lives as long as the handle, which alone calls back with this pointer.
    let context = Unmanaged.passUnretained(output).toOpaque()
    // The answer of archive_write_callback is the number of bytes taken, or -1.
    let opened = archive_write_open(
      handle, context, nil,
      { _, context, start, count in
        guard let context else { return -1 }
        let output = Unmanaged<ArchiveOutput>.fromOpaque(context).takeUnretainedValue()
        return output.write(UnsafeRawBufferPointer(start: start, count: count)) ? count : -1
      }, nil)
    try honour(opened)
  }

  deinit {
    // Unless marked as failed, freeing would first write out the rest.
    if !closed { archive_write_fail(handle) }
    archive_write_free(handle)
  }

  /// Writes the header of an entry owned by root (0:0).
  func writeHeader(_ entry: ArchiveEntry) throws(Failure) {
    guard let header = archive_entry_new2(handle) else { throw Failure(reason: "out of memory") }
    defer { archive_entry_free(header) }
    archive_entry_copy_pathname(header, entry.kind == .directory ? entry.path + "/" : entry.path)
    archive_entry_set_uid(header, 0)
    archive_entry_set_gid(header, 0)
    archive_entry_set_mtime(header, time_t(entry.modified), 0)
    archive_entry_set_size(header, entry.size)
    archive_entry_set_perm(header, mode_t(entry.permissions))
    switch entry.kind {
    case .file: archive_entry_set_filetype(header, S_IFREG)
    case .directory: archive_entry_set_filetype(header, S_IFDIR)
    case .symbolicLink(let target):
      archive_entry_set_filetype(header, S_IFLNK)
      archive_entry_copy_symlink(header, target)
    case .hardLink, .other: throw Failure(reason: "this kind of entry is never written")
    }
    try honour(archive_write_header(handle, header))
  }

  /// Writes content of the entry whose header came last.
  func writeContent(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    var rest = bytes
    while !rest.isEmpty {
      let count = archive_write_data(handle, rest.baseAddress, rest.count)
      guard count > 0 else { throw Failure(reason: message) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Completes the current entry.
  func finishEntry() throws(Failure) {
    try honour(archive_write_finish_entry(handle))
  }

  /// Writes the end of the archive.
  func close() throws(Failure) {
    try honour(archive_write_close(handle))
    closed = true
  }

  /// A warning of a writer means that something was left out of the header, so it counts as a failure.
  private func honour(_ code: Int32) throws(Failure) {
    guard code == ARCHIVE_OK else { throw Failure(reason: message) }
  }

  private var message: String {
    if let failure = output.failure { return "\(failure)" }
    return archive_error_string(handle).map { String(cString: $0) } ?? "libarchive gave no reason"
  }
}
