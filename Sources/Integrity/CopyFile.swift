import Glibc
import SystemPackage

/// Copies a file beside its final name, flushes it, and renames it.
///
/// - Returns: The size in bytes and the digest of what was copied.
/// - Throws: `Errno`; the final name is then as it was.
public func copyDurably(_ source: FilePath, to destination: FilePath) throws -> (size: Int64, sha256: Digest)
{
  let temporary = FilePath(destination.string + ".tmp")
  do {
    var hasher = DigestHasher(.sha256)
    var size: Int64 = 0
    let descriptor = try FileDescriptor.open(
      temporary, .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
    try descriptor.closeAfter {
      try readFile(source) { bytes in
        hasher.update(bytes)
        size += Int64(bytes.count)
        _ = try descriptor.writeAll(bytes)
      }
      try synchronize(descriptor)
    }
    try renameDurably(temporary, to: destination)
    return (size, hasher.finalize())
  } catch {
    unlink(temporary.string)
    throw error
  }
}
