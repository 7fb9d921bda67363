import Glibc
import SystemPackage

/// Writes a whole file so that a reader, or a crash, sees the old content or the new one and nothing between.
///
/// The bytes go to `NAME.tmp` beside the file, are flushed to the disk, and take the final name by `rename`.
/// - Parameters:
///   - bytes: The complete content.
///   - path: The final name; its folder must exist.
///   - permissions: The mode of a newly made file.
///   - isDurable: Whether to wait for the disk; without it a power cut may leave an empty file.
/// - Throws: `Errno`; the file of the final name is then as it was.
public func writeAtomically(
  _ bytes: [UInt8], to path: FilePath,
  permissions: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead], isDurable: Bool = true
) throws {
  let temporary = FilePath(path.string + ".tmp")
  do {
    let descriptor = try FileDescriptor.open(
      temporary, .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
      permissions: permissions)
    try descriptor.closeAfter {
      try descriptor.writeAll(bytes)
      if isDurable { try synchronize(descriptor) }
    }
    if isDurable {
      try renameDurably(temporary, to: path)
    } else if rename(temporary.string, path.string) != 0 {
      throw Errno(rawValue: errno)
    }
  } catch {
    unlink(temporary.string)
    throw error
  }
}

/// Writes a whole text file in UTF-8; see ``writeAtomically(_:to:permissions:isDurable:)``.
public func writeAtomically(_ text: String, to path: FilePath) throws {
  try writeAtomically(Array(text.utf8), to: path)
}

/// Gives a finished temporary file its final name and makes the name itself durable.
///
/// - Throws: `Errno` when the rename fails.
public func renameDurably(_ source: FilePath, to destination: FilePath) throws {
  guard rename(source.string, destination.string) == 0 else { throw Errno(rawValue: errno) }
  let parent = destination.removingLastComponent()
  // Some file systems (FUSE, network) refuse to open or flush a directory; the rename itself has succeeded.
  if let directory = try? FileDescriptor.open(
    parent.isEmpty ? "." : parent, .readOnly, options: [.closeOnExec])
  {
    _ = fsync(directory.rawValue)
    try? directory.close()
  }
}

/// Flushes a file's content to the disk.
///
/// - Throws: `Errno`; file systems that cannot flush (`EINVAL`) are accepted.
public func synchronize(_ descriptor: FileDescriptor) throws {
  guard fdatasync(descriptor.rawValue) == 0 || errno == EINVAL else { throw Errno(rawValue: errno) }
}

/// Makes a folder and those above it that are missing, mode 0755.
///
/// - Throws: `Errno` naming the first step that failed.
public func createDirectories(_ path: FilePath) throws {
  if path.isEmpty || mkdir(path.string, 0o755) == 0 { return }
  switch errno {
  case EEXIST:
    var status = stat()
    guard stat(path.string, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw Errno.notDirectory
    }
  case ENOENT:
    try createDirectories(path.removingLastComponent())
    guard mkdir(path.string, 0o755) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
  default:
    throw Errno(rawValue: errno)
  }
}
