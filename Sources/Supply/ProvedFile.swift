import Files
import Integrity
import SystemPackage

/// Writes a file beside its final name and gives it the name when it has the size and the digest that it must have.
///
/// A file of that name that is right already stays. Its bytes are not flushed: whoever writes many flushes all of them
/// before the one that says that they are complete.
struct ProvedFile {
  let path: FilePath
  let size: Int64
  let sha256: Digest

  /// Whether the file is there and right.
  var isThere: Bool {
    guard let info = FileInfo(regularFile: path), info.size == size else { return false }
    return (try? Digest(ofFile: path)) == sha256
  }

  /// Writes it.
  ///
  /// - Parameters:
  ///   - isProgram: Whether everybody may start it.
  ///   - content: Hands over the bytes to the function that it is given.
  /// - Returns: `nil`, or how the bytes were others than they must be; the final name is then as it was.
  /// - Throws: `FileError`, or what `content` throws.
  func write(
    isProgram: Bool = false, _ content: (@escaping (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws -> String? {
    let permissions: FilePermissions =
      isProgram ? [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute] : .publicFile
    try createDirectories(path.removingLastComponent(), isDurable: false)
    let file = try PendingFile(for: path, permissions: permissions)
    let passed = Passed()
    try content { [path] bytes in
      passed.hasher.update(bytes)
      passed.size += Int64(bytes.count)
      try FileError.naming(.write, path) { _ = try file.descriptor.writeAll(bytes) }
    }
    guard passed.size == size else { return "it has \(passed.size) bytes instead of \(size)" }
    let actual = passed.hasher.finalize()
    guard actual == sha256 else { return "its digest is \(actual) instead of \(sha256)" }
    try file.commit(isDurable: false)
    return nil
  }

  /// What has passed by.
  private final class Passed {
    var hasher = DigestHasher(.sha256)
    var size: Int64 = 0
  }
}
