import Glibc
import SystemPackage

/// An exclusive lock that the kernel releases when the process ends, however it ends.
public final class FileLock: Sendable {
  private let descriptor: FileDescriptor

  /// Takes the lock; when another process has it, reports that at once, or waits.
  ///
  /// - Parameters:
  ///   - path: The lock file; it is made if missing and stays behind, empty of meaning.
  ///   - waits: Whether to wait, which blocks the thread.
  /// - Throws: ``FileLockError`` when another process holds it, or ``FileError``.
  public init(_ path: FilePath, waits: Bool = false) throws {
    let descriptor = try openFile(
      path, .readWrite, options: [.create, .noFollow], permissions: .publicFile)
    guard flock(descriptor.rawValue, waits ? LOCK_EX : LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      var holder = [UInt8](repeating: 0, count: 32)
      let count = (try? holder.withUnsafeMutableBytes { try descriptor.read(into: $0) }) ?? 0
      try? descriptor.close()
      guard code == EWOULDBLOCK else { throw FileError(.lock, path, Errno(rawValue: code)) }
      let process = String(decoding: holder[..<count], as: UTF8.self)
      throw FileLockError(path: path, holder: Int32(process.filter(\.isNumber)))
    }
    _ = ftruncate(descriptor.rawValue, 0)
    _ = try? descriptor.writeAll("\(getpid())\n".utf8)
    self.descriptor = descriptor
  }

  deinit {
    // A child that was forked but has not yet become another program still has the descriptor: closing ours alone
    // would leave the lock to it.
    flock(descriptor.rawValue, LOCK_UN)
    try? descriptor.close()
  }
}

/// Another process holds a ``FileLock``.
public struct FileLockError: Error, CustomStringConvertible {
  /// The lock file.
  public let path: FilePath
  /// The process id that the holder wrote into the file, if it could be read.
  public let holder: Int32?

  /// A sentence for people.
  public var description: String {
    let who = holder.map { "process \($0)" } ?? "another process"
    return "\(path) is locked by \(who)"
  }
}
