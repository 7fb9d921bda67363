import Console
import Host
import Synchronization
import SystemPackage

/// Keeps the stages of a run from filling the disk together: each reserves what it is about to write.
final class SpaceReservations: Sendable {
  /// Left free for the manifest, logs and the file system itself, in bytes.
  static let reserve: Int64 = 64 << 20

  private let folder: FilePath
  private let reserved = Mutex<Int64>(0)

  init(folder: FilePath) {
    self.folder = folder
  }

  /// Reserves bytes that will be written soon.
  ///
  /// - Throws: ``NotEnoughSpace``; nothing is reserved then.
  func take(_ bytes: Int64) throws {
    let available = try FileSystemSpace.at(folder).availableBytes
    let isEnough = reserved.withLock { reserved in
      guard bytes == 0 || reserved + bytes + Self.reserve <= available else { return false }
      reserved += bytes
      return true
    }
    guard isEnough else {
      throw NotEnoughSpace(folder: folder, needed: bytes + Self.reserve, available: available)
    }
  }

  /// Gives back bytes that are written, or will not be.
  func release(_ bytes: Int64) {
    reserved.withLock { $0 -= bytes }
  }
}

/// The disk is too small.
struct NotEnoughSpace: Error, CustomStringConvertible {
  let folder: FilePath
  let needed: Int64
  let available: Int64

  var description: String {
    "not enough space for \(folder): \(ByteCount.format(needed)) are needed and \(ByteCount.format(available)) are "
      + "free. Free space, or choose a larger disk with --outputs."
  }
}
