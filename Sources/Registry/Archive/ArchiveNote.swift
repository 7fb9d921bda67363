import Archive
import Files
import Integrity
import SystemPackage

/// What stands behind an archive on its way: of which archive it is, and how many bytes of each blob are there. It goes when
/// the archive is complete.
struct ArchiveNote: Sendable {
  private static let magic = Array("kubespray-offline partial archive 1\n".utf8)

  private let offset: Int64
  private let head: [UInt8]
  private let sizes: [Int64]

  init(of tar: StoredTar, _ blobs: [Descriptor]) {
    offset = tar.fileSize
    // The places follow from what is known and from the sizes.
    var hasher = DigestHasher(.sha256)
    for bytes in tar.knownBytes { hasher.update(bytes) }
    for blob in blobs { hasher.update(Array("\(blob.digest) \(blob.size)\n".utf8)) }
    head = Self.magic + Array("\(hasher.finalize())\n".utf8)
    sizes = blobs.map(\.size)
  }

  /// The bytes of each blob that are said to be there; `nil` for a file that is none of this archive.
  ///
  /// - Throws: `Errno`.
  func read(_ descriptor: FileDescriptor) throws -> [Int64]? {
    let size = try FileInfo(descriptor).size
    // The note has gone, and the name not yet come.
    if size == offset { return sizes }
    var bytes = [UInt8](repeating: 0, count: head.count + 8 * sizes.count)
    guard size == offset + Int64(bytes.count) else { return nil }
    var done = 0
    while done < bytes.count {
      let count = try bytes.withUnsafeMutableBytes {
        try descriptor.read(
          fromAbsoluteOffset: offset + Int64(done),
          into: UnsafeMutableRawBufferPointer(rebasing: $0[done...]))
      }
      guard count > 0 else { return nil }
      done += count
    }
    guard bytes.starts(with: head) else { return nil }
    let kept = sizes.indices.map { index in
      let start = head.count + 8 * index
      return bytes[start..<start + 8].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    }
    guard zip(kept, sizes).allSatisfy({ $0 <= UInt64($1) }) else { return nil }
    return kept.map(Int64.init)
  }

  /// Writes all of it.
  ///
  /// - Throws: `Errno`.
  func write(_ kept: [Int64], to descriptor: FileDescriptor) throws {
    try descriptor.resize(to: offset + Int64(head.count + 8 * sizes.count))
    _ = try descriptor.writeAll(toAbsoluteOffset: offset, head + kept.flatMap(Self.encode))
  }

  /// Notes how much of one blob is there.
  ///
  /// - Throws: `Errno`.
  func write(_ kept: Int64, of index: Int, to descriptor: FileDescriptor) throws {
    _ = try descriptor.writeAll(
      toAbsoluteOffset: offset + Int64(head.count + 8 * index), Self.encode(kept))
  }

  private static func encode(_ number: Int64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
}
