import Files
import SystemPackage

/// Copies a file beside its final name, flushes it, and renames it.
///
/// - Parameters:
///   - source: The file; a link is followed.
///   - destination: The final name; a file that has it is replaced.
///   - permissions: The mode of the copy, from its first byte and whatever the umask.
///   - expected: What the content must hash to.
/// - Returns: The size in bytes and the digest of what was copied.
/// - Throws: `FileError`, or ``CopyMismatch``; the final name is then as it was.
public func copyDurably(
  _ source: FilePath, to destination: FilePath, permissions: FilePermissions = .publicFile,
  expecting expected: Digest? = nil
) throws -> (size: Int64, sha256: Digest) {
  let file = try PendingFile(for: destination, permissions: permissions)
  var hasher = DigestHasher(.sha256)
  var expectedHasher = DigestHasher(expected?.algorithm ?? .sha256)
  let needsBoth = expected.map { $0.algorithm != .sha256 } ?? false
  var size: Int64 = 0
  try readFile(source) { bytes in
    hasher.update(bytes)
    if needsBoth { expectedHasher.update(bytes) }
    size += Int64(bytes.count)
    try FileError.naming(.write, destination) { _ = try file.descriptor.writeAll(bytes) }
  }
  let sha256 = hasher.finalize()
  let actual = needsBoth ? expectedHasher.finalize() : sha256
  if let expected, expected != actual {
    throw CopyMismatch(source: source, expected: expected, actual: actual)
  }
  try file.commit()
  return (size, sha256)
}

/// A file that was to be copied has another content than expected.
public struct CopyMismatch: Error, CustomStringConvertible {
  /// The file.
  public let source: FilePath
  /// What it should hash to.
  public let expected: Digest
  /// What it hashes to.
  public let actual: Digest

  /// A sentence for people.
  public var description: String {
    "\(source) has digest \(actual) where \(expected) was expected"
  }
}
