import Files
import SystemPackage

/// A folder that only one process may write to at a time. It is made where it is missing.
struct FolderLock: Sendable {
  /// The name of the file in the folder: that of something unfinished, which no file of a bundle has.
  static let name = "\(IncompleteName.prefix)lock"

  private let path: FilePath
  private let lock: FileLock

  /// - Throws: `FileLockError` when another process has it, or `FileError`.
  init(_ folder: FilePath) throws {
    try createDirectories(folder)
    path = folder.appending(Self.name)
    lock = try FileLock(path)
  }

  /// Removes the file; the lock itself goes with the value.
  func remove() { try? removeFile(path) }
}
