import CFiles
import Glibc
import SystemPackage

extension FilePermissions {
  /// 0644: what files have that hold nothing secret.
  public static let publicFile: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]
}

/// The name that a file has until it is complete. A name too long for more before it is shortened: two files that come to
/// one temporary name by that wait for one another, as two writers of one file do.
public func temporaryName(for path: FilePath) -> FilePath {
  let name = path.lastComponent?.string ?? ""
  guard name.utf8.count > 200 else { return IncompleteName.path(beside: path, kind: "tmp", name: name) }
  // FNV-1a (Fowler, Noll, Vo).
  let hash = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  let start = String(String.UnicodeScalarView(name.unicodeScalars.prefix(40)))
  return IncompleteName.path(beside: path, kind: "tmp", name: "\(start).\(String(hash, radix: 16))")
}

/// Writes a file so that a reader, or a crash, sees the old content or the new one and nothing between.
///
/// The bytes go to a ``PendingFile``, are flushed to the disk, and take the final name by `rename`.
/// - Parameters:
///   - bytes: The complete content.
///   - path: The final name; its folder must exist.
///   - permissions: The mode of the file, from its first byte and whatever the umask.
///   - isDurable: Whether to wait for the disk; without it a power cut may leave an empty file.
/// - Throws: ``FileError``; the file of the final name is then as it was.
public func writeAtomically(
  _ bytes: [UInt8], to path: FilePath, permissions: FilePermissions = .publicFile, isDurable: Bool = true
) throws {
  let file = try PendingFile(for: path, permissions: permissions)
  try FileError.naming(.write, path) { _ = try file.descriptor.writeAll(bytes) }
  try file.commit(isDurable: isDurable)
}

/// Writes a text file in UTF-8; see ``writeAtomically(_:to:permissions:isDurable:)``.
///
/// - Throws: ``FileError``; the file of the final name is then as it was.
public func writeAtomically(
  _ text: String, to path: FilePath, permissions: FilePermissions = .publicFile, isDurable: Bool = true
) throws {
  try writeAtomically(Array(text.utf8), to: path, permissions: permissions, isDurable: isDurable)
}

/// Gives a finished temporary file its final name and makes the name itself durable.
///
/// - Throws: ``FileError`` when the rename fails.
public func renameDurably(_ source: FilePath, to destination: FilePath) throws(FileError) {
  try moveFile(source, to: destination)
  flushFolder(destination.removingLastComponent())
}

/// Gives a file or folder another name on the same file system, in place of a file of that name.
///
/// - Throws: ``FileError``.
public func moveFile(_ source: FilePath, to destination: FilePath) throws(FileError) {
  guard source.withPlatformString({ source in destination.withPlatformString { rename(source, $0) } }) == 0
  else {
    // The destination's name says nothing when it is the source that is missing.
    throw FileError(.move, errno == ENOENT && !fileExists(source) ? source : destination)
  }
}

/// Flushes a file's content to the disk.
///
/// - Throws: `Errno`; file systems that cannot flush (`EINVAL`) are accepted.
public func synchronize(_ descriptor: FileDescriptor) throws(Errno) {
  guard fdatasync(descriptor.rawValue) == 0 || errno == EINVAL else { throw Errno(rawValue: errno) }
}

/// Makes a folder and those above it that are missing, mode 0755. With `isDurable` the names of the new folders are
/// flushed to the disk.
///
/// - Throws: ``FileError`` naming the first folder that cannot be made.
public func createDirectories(_ path: FilePath, isDurable: Bool = true) throws(FileError) {
  if path.isEmpty { return }
  if path.withPlatformString({ mkdir($0, 0o755) }) == 0 {
    if isDurable { flushFolder(path.removingLastComponent()) }
    return
  }
  switch errno {
  case EEXIST where folderExists(path): return
  case EEXIST: throw FileError(.createFolder, path, .notDirectory)
  case ENOENT:
    try createDirectories(path.removingLastComponent(), isDurable: isDurable)
    guard path.withPlatformString({ mkdir($0, 0o755) }) == 0 || errno == EEXIST else {
      throw FileError(.createFolder, path)
    }
    if isDurable { flushFolder(path.removingLastComponent()) }
  default: throw FileError(.createFolder, path)
  }
}

/// Makes a folder with these permissions, less those that the umask takes. That there is something of that name is not an
/// error.
///
/// - Throws: ``FileError``.
public func createFolder(_ path: FilePath, permissions: FilePermissions) throws(FileError) {
  guard path.withPlatformString({ mkdir($0, permissions.rawValue) }) == 0 || errno == EEXIST else {
    throw FileError(.createFolder, path)
  }
}

/// Makes the names in a folder durable, where its file system can.
public func flushFolder(_ path: FilePath) {
  // Some file systems (FUSE, network) refuse to open or flush a folder; what was done in it has succeeded.
  guard let folder = try? openFile(path.isEmpty ? "." : path, .readOnly) else { return }
  _ = fsync(folder.rawValue)
  try? folder.close()
}

/// Flushes everything that was written so far, whoever wrote it: cheaper than a flush of each of thousands of files.
public func flushFileSystems() { sync() }

/// Flushes everything that was written to the file system that holds a path, and to no other.
public func flushFileSystem(of path: FilePath) {
  guard let file = try? openFile(path, .readOnly) else { return flushFileSystems() }
  _ = syncfs(file.rawValue)
  try? file.close()
}

/// Lets the system forget what it holds of a file in memory, so that the next reading comes from the disk. What was not yet
/// written to the disk is not forgotten: flush it first.
public func forgetCached(_ descriptor: FileDescriptor) {
  _ = posix_fadvise(descriptor.rawValue, 0, 0, POSIX_FADV_DONTNEED)
}

/// Lets the system have the memory of bytes that nobody reads any more, while others around them are still needed. Whole
/// pages go, and are zeros when they are read all the same.
///
/// Source: madvise(2), `MADV_DONTNEED`, for memory that is the process's own and of no file.
public func giveBack(_ bytes: UnsafeMutableRawBufferPointer) {
  guard let start = bytes.baseAddress else { return }
  let page = UInt(getpagesize())
  let first = (UInt(bitPattern: start) + page - 1) / page * page
  let end = (UInt(bitPattern: start) + UInt(bytes.count)) / page * page
  guard first < end, let pages = UnsafeMutableRawPointer(bitPattern: first) else { return }
  _ = madvise(pages, Int(end - first), Int32(MADV_DONTNEED))
}

/// Has the system begin to read a part of a file that is wanted soon; nobody waits for it.
///
/// Source: posix_fadvise(2), `POSIX_FADV_WILLNEED`.
public func readAhead(_ descriptor: FileDescriptor, _ range: Range<Int64>) {
  let length = off_t(range.upperBound - range.lowerBound)
  _ = posix_fadvise(descriptor.rawValue, off_t(range.lowerBound), length, POSIX_FADV_WILLNEED)
}

extension FileDescriptor {
  /// Writes parts one behind another at a place in a file, without making one buffer of them.
  ///
  /// - Throws: `Errno`.
  public func writeAll(_ parts: [UnsafeRawBufferPointer], toAbsoluteOffset offset: Int64) throws(Errno) {
    // Reading is all that the system does with what it gets (pwritev(2)).
    var vectors = parts.map {
      iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
    }
    var (first, place) = (0, offset)
    while first < vectors.count {
      // IOV_MAX of Linux is 1024.
      let count = vectors.withUnsafeBufferPointer {
        pwritev(
          rawValue, $0.baseAddress?.advanced(by: first), Int32(min($0.count - first, 1024)), off_t(place))
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Errno(rawValue: errno) }
      place += Int64(count)
      var written = count
      while first < vectors.count, written >= vectors[first].iov_len {
        written -= vectors[first].iov_len
        first += 1
      }
      guard first < vectors.count else { return }
      guard count > 0 else { throw .ioError }
      vectors[first].iov_base = vectors[first].iov_base?.advanced(by: written)
      vectors[first].iov_len -= written
    }
  }
}
