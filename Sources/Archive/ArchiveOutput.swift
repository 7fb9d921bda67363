import Integrity
import SystemPackage

/// Where the bytes of a new archive go: into a file, counted and hashed as they pass.
///
/// The archive is so never read again for the digest that the bundle's manifest wants.
final class ArchiveOutput {
  /// Where they go; `nil` collects them.
  let descriptor: FileDescriptor?
  /// What was written, write by write, where it goes to no file.
  private(set) var collected: [[UInt8]] = []
  private(set) var size: Int64 = 0
  private var hasher = DigestHasher(.sha256)
  /// Why the file could not be written; libarchive can only be told that it could not.
  private(set) var failure: Errno?

  init(_ descriptor: FileDescriptor?) {
    self.descriptor = descriptor
  }

  /// The digest of everything written so far.
  var sha256: Digest { hasher.finalize() }

  /// Writes all of the bytes.
  ///
  /// - Returns: Whether that succeeded; if not, ``failure`` says why.
  func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let descriptor else {
      collected.append(Array(bytes))
      return true
    }
    do {
      hasher.update(bytes)
      size += Int64(try descriptor.writeAll(bytes))
      return true
    } catch {
      failure = error as? Errno ?? .ioError
      return false
    }
  }
}
