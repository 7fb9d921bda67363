import CFiles
import Glibc
import Synchronization
import SystemPackage

/// A file being written beside its final name, which it takes when it is complete.
///
/// Until then it has an ``IncompleteName``, can be read by nobody but its owner while its permissions are not yet set, and
/// is locked: a second writer of the same file, in this process or another, waits for its turn. What a killed writer
/// left is not locked, and removed. A file that is not committed is removed when the value goes away.
public final class PendingFile: Sendable {
  /// The final name.
  public let destination: FilePath
  /// The file, opened for writing. It is closed when the file is committed or the value goes away.
  public let descriptor: FileDescriptor

  private let temporary: FilePath
  private let isPending = Mutex(true)

  /// Creates the temporary file.
  ///
  /// - Parameters:
  ///   - destination: The final name; its folder must exist.
  ///   - permissions: The mode of the file, from its first byte and whatever the umask.
  /// - Throws: ``FileError``; also when there is a link in place of the temporary file.
  public init(
    for destination: FilePath, permissions: FilePermissions = .publicFile
  ) throws(FileError) {
    self.destination = destination
    temporary = temporaryName(for: destination)
    descriptor = try Self.create(temporary)
    // FAT and some network file systems know no permissions and refuse to set them.
    guard fchmod(descriptor.rawValue, permissions.rawValue) == 0 || [EPERM, ENOTSUP, ENOSYS].contains(errno)
    else { throw FileError(.setAttributes, temporary) }
  }

  deinit { if isPending.withLock({ $0 }) { discard() } }

  /// Gives the file to a user and a group, which only root can do.
  ///
  /// - Throws: ``FileError``.
  public func setOwner(_ user: UInt32, group: UInt32) throws(FileError) {
    guard fchown(descriptor.rawValue, user, group) == 0 else { throw FileError(.setAttributes, temporary) }
  }

  /// Has the disk begin with a part that is written.
  public func beginWriting(_ range: Range<Int64>) { Files.beginWriting(range, of: descriptor) }

  /// Gives the file its final name, in place of a file that has it.
  ///
  /// - Parameter isDurable: Whether to wait for the disk; without it a power cut may leave an empty file.
  /// - Throws: ``FileError``; the file of the final name is then as it was.
  public func commit(isDurable: Bool = true) throws(FileError) {
    if isDurable {
      do { try synchronize(descriptor) } catch { throw FileError(.write, destination, error) }
    }
    try moveFile(temporary, to: destination)
    isPending.withLock { $0 = false }
    if isDurable { flushFolder(destination.removingLastComponent()) }
    close()
  }

  private func discard() {
    _ = temporary.withPlatformString(unlink)
    close()
  }

  private func close() {
    // A child that was forked but has not yet become another program still has the descriptor.
    flock(descriptor.rawValue, LOCK_UN)
    try? descriptor.close()
  }

  private static func create(_ path: FilePath) throws(FileError) -> FileDescriptor {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    // Each round but the last ends with another writer's file complete, or the rest of one removed.
    for _ in 0..<1000 {
      let raw = path.withPlatformString { open($0, flags, 0o600) }
      if raw >= 0 {
        let descriptor = FileDescriptor(rawValue: raw)
        lock(descriptor)
        // Between its creation and the lock another writer may have taken it for what a killed one left.
        if isNamed(path, descriptor) { return descriptor }
        try? descriptor.close()
      } else if errno == EEXIST {
        try removeRest(path)
      } else {
        throw FileError(.create, path)
      }
    }
    throw FileError(.create, path, .resourceBusy)
  }

  /// Waits for the writer of a temporary file. If it has gone without finishing it, removes the file.
  private static func removeRest(_ path: FilePath) throws(FileError) {
    let raw = path.withPlatformString { open($0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
    guard raw >= 0 else {
      if errno == ENOENT { return }
      throw FileError(.create, path)
    }
    let descriptor = FileDescriptor(rawValue: raw)
    defer { try? descriptor.close() }
    lock(descriptor)
    guard isNamed(path, descriptor) else { return }
    guard path.withPlatformString(unlink) == 0 || errno == ENOENT else { throw FileError(.create, path) }
  }

  /// Waits for the lock. Where the file system has no locks, nobody waits.
  private static func lock(_ descriptor: FileDescriptor) {
    while flock(descriptor.rawValue, LOCK_EX) != 0, errno == EINTR {}
  }

  /// Whether what was opened still has the name.
  static func isNamed(_ path: FilePath, _ descriptor: FileDescriptor) -> Bool {
    guard let named = try? FileInfo(path), let opened = try? FileInfo(descriptor) else { return false }
    return named.inode == opened.inode && named.device == opened.device
  }
}

/// Has the disk begin with a part of a file that is written. Nobody waits for it, and nothing is safe by it: the flush at the
/// end then finds less to do.
///
/// Source: sync_file_range(2).
public func beginWriting(_ range: Range<Int64>, of descriptor: FileDescriptor) {
  _ = sync_file_range(
    descriptor.rawValue, Int(range.lowerBound), Int(range.upperBound - range.lowerBound), begin_writing)
}

/// Gives an open file another name on the same file system: a copy that shares its bytes where the file system has such
/// copies, or else a hard link.
///
/// - Parameters:
///   - descriptor: The file, open for reading.
///   - path: The name, at which there must be nothing.
/// - Returns: Whether that was possible: not on FAT, for one, nor from one disk to another.
public func shareFile(_ descriptor: FileDescriptor, at path: FilePath) -> Bool {
  if cloneFile(descriptor, at: path) { return true }
  // A link to what was opened, whatever lies at its path by now (open(2), O_TMPFILE).
  return "/proc/self/fd/\(descriptor.rawValue)".withPlatformString { source in
    path.withPlatformString { linkat(AT_FDCWD, source, AT_FDCWD, $0, AT_SYMLINK_FOLLOW) == 0 }
  }
}

private func cloneFile(_ descriptor: FileDescriptor, at path: FilePath) -> Bool {
  // FICLONE of linux/fs.h (ioctl_ficlonerange(2)).
  let clone: UInt = 0x4004_9409
  let isProgram = (try? FileInfo(descriptor).permissions.contains(.ownerExecute)) ?? false
  let permissions: FilePermissions =
    isProgram ? [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute] : .publicFile
  guard let file = try? PendingFile(for: path, permissions: permissions),
    ioctl(file.descriptor.rawValue, clone, descriptor.rawValue) == 0
  else { return false }
  return (try? file.commit(isDurable: false)) != nil
}
