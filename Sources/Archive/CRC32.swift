import CZlib

/// The checksum that a gzip file has of its content (RFC 1952, section 8), computed as bytes pass by or put together from
/// those of parts.
public struct CRC32: Sendable, Equatable {
  /// The checksum.
  public private(set) var value: UInt32 = 0
  /// How many bytes it is of.
  public private(set) var count: Int64 = 0

  /// Whether the library is zlib itself, not another one with its interface: only zlib's version is just numbers.
  static var isOfZlib: Bool {
    String(cString: zlibVersion()).split(separator: ".").allSatisfy { Int($0) != nil }
  }

  /// The checksum of no bytes.
  public init() {}

  /// The checksum of bytes in memory.
  public init(of bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  /// Takes in more bytes.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(updateFast(bytes)))
    while !rest.isEmpty {
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      value = UInt32(
        truncatingIfNeeded: crc32(
          UInt(value), piece.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(piece.count)))
      count += Int64(piece.count)
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
    }
  }

  /// Takes in the first bytes, as many as the processor has instructions for.
  ///
  /// - Returns: How many.
  private mutating func updateFast(_ bytes: UnsafeRawBufferPointer) -> Int {
    #if arch(x86_64)
      guard Self.hasInstructions, bytes.count >= 64 else { return 0 }
      let taken = bytes.count & ~15
      value = ko_crc32(value, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), taken)
      count += Int64(taken)
      return taken
    #else
      return 0
    #endif
  }

  #if arch(x86_64)
    private static let hasInstructions = ko_has_clmul() != 0
  #endif

  /// Takes in the bytes that another checksum is of, without having them at hand.
  public mutating func append(_ other: CRC32) {
    value = UInt32(truncatingIfNeeded: crc32_combine(UInt(value), UInt(other.value), Int(other.count)))
    count += other.count
  }
}
