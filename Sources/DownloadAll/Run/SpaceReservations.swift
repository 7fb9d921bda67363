import Bundle
import Console
import Files
import Host
import Integrity
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

  /// Reserves room for files that will be written soon.
  ///
  /// - Throws: ``NotEnoughSpace``; nothing is reserved then.
  func take(_ files: [(path: BundlePath, bytes: Int64)]) throws -> SpaceReservation {
    let bytes = files.byteSum(of: \.bytes)
    let available = try FileSystemSpace.at(folder).availableBytes
    // What is reserved always fits on the disk, so that these numbers stay far from their end.
    try reserved.withLock { reserved in
      let needed = ByteSize.sum(reserved, bytes, Self.reserve)
      guard bytes == 0 || needed <= available else {
        throw NotEnoughSpace(folder: folder, needed: needed, available: available)
      }
      reserved += bytes
    }
    return SpaceReservation(files) { freed in self.reserved.withLock { $0 -= freed } }
  }

  /// Bytes that are promised and not written yet.
  var reservedBytes: Int64 { reserved.withLock { $0 } }
}

/// Room that a stage has reserved. Each file gives its part back when it is written, for it then counts as used.
final class SpaceReservation: Sendable {
  private let files: Mutex<[BundlePath: Int64]>
  private let free: @Sendable (Int64) -> Void

  init(_ files: [(path: BundlePath, bytes: Int64)], free: @escaping @Sendable (Int64) -> Void) {
    self.files = Mutex(
      Dictionary(files.map { ($0.path, $0.bytes) }, uniquingKeysWith: { ByteSize.sum($0, $1) }))
    self.free = free
  }

  /// The file is written, or will not be.
  func release(_ path: BundlePath) {
    free(files.withLock { $0.removeValue(forKey: path) } ?? 0)
  }

  /// Nothing more will be written.
  func release() {
    let rest = files.withLock { files in
      defer { files = [:] }
      return files.values.byteSum(of: \.self)
    }
    free(rest)
  }
}

/// The disk is too small.
struct NotEnoughSpace: Error, CustomStringConvertible {
  let folder: FilePath
  let needed: Int64
  let available: Int64

  var description: String {
    "not enough space: \(ByteCount.format(needed)) are needed and \(ByteCount.format(available)) are free"
  }
}
