import Glibc
import SystemPackage

/// A lock on a cache entry, shared by those who use it or held by one who makes, changes or removes it.
///
/// The lock is a file beside the entries (flock(2)): the kernel releases it when a process ends, however it ends. Its
/// time is that of the last use of the entry, its content the mark that an entry made in place is complete.
final class EntryLock: Sendable {
  /// Who else may have it.
  enum Kind { case shared, exclusive }

  private let descriptor: FileDescriptor
  private let path: FilePath

  private init(_ descriptor: FileDescriptor, _ path: FilePath) {
    self.descriptor = descriptor
    self.path = path
  }

  /// Takes the lock when the others have left it. That is tried again and again: a thread that waits in flock(2) could be
  /// needed by the one who holds the lock, and would not notice that the run is stopped.
  ///
  /// - Throws: `Errno` or `CancellationError`.
  static func wait(_ path: FilePath, _ kind: Kind) async throws -> EntryLock {
    var pause = Duration.milliseconds(2)
    while true {
      if let lock = try take(path, kind) { return lock }
      try await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(200))
    }
  }

  /// Takes the lock.
  ///
  /// - Returns: `nil` when others have it.
  /// - Throws: `Errno`.
  static func take(_ path: FilePath, _ kind: Kind) throws(Errno) -> EntryLock? {
    while true {
      let descriptor: FileDescriptor
      do {
        descriptor = try FileDescriptor.open(
          path, .readWrite, options: [.create, .closeOnExec, .noFollow],
          permissions: [.ownerReadWrite, .groupRead, .otherRead])
      } catch {
        throw error as? Errno ?? .ioError
      }
      guard flock(descriptor.rawValue, (kind == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
        let code = errno
        try? descriptor.close()
        guard code == EWOULDBLOCK else { throw Errno(rawValue: code) }
        return nil
      }
      // Whoever removes an entry removes its lock too: then this one is on a file that has no name any more.
      if isSameFile(descriptor, path) { return EntryLock(descriptor, path) }
      try? descriptor.close()
    }
  }

  deinit {
    // A child that has not yet become another program still has the descriptor.
    flock(descriptor.rawValue, LOCK_UN)
    try? descriptor.close()
  }

  /// Notes that the entry is used now.
  func touch() { futimens(descriptor.rawValue, nil) }

  /// Whether the entry was marked as complete.
  var isMarked: Bool {
    var status = stat()
    return fstat(descriptor.rawValue, &status) == 0 && status.st_size > 0
  }

  /// Marks the entry as complete, or no longer; the lock is exclusive.
  ///
  /// - Throws: `Errno`.
  func mark(_ isComplete: Bool) throws(Errno) {
    guard ftruncate(descriptor.rawValue, 0) == 0 else { throw Errno(rawValue: errno) }
    guard isComplete else { return }
    guard pwrite(descriptor.rawValue, "complete\n", 9, 0) == 9 else { throw Errno(rawValue: errno) }
  }

  /// Removes the lock file; the lock is exclusive.
  func discard() { unlink(path.string) }

  private static func isSameFile(_ descriptor: FileDescriptor, _ path: FilePath) -> Bool {
    var (own, named) = (stat(), stat())
    return fstat(descriptor.rawValue, &own) == 0 && lstat(path.string, &named) == 0
      && own.st_ino == named.st_ino && own.st_dev == named.st_dev
  }
}
