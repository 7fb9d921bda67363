import Files
import SystemPackage

/// A gzip file that only stores: what image archives of bundles are. Any part of what is in it can be read without the
/// rest, and what is in it together with ``head``, ``blocks`` and ``tail`` gives the file again, byte for byte, whatever
/// library has written it.
///
/// Source: RFC 1952, section 2.3 (the file), RFC 1951, section 3.2.4 (stored blocks). Level 0 of zlib writes such blocks,
/// each of which begins at a byte.
struct StoredArchive {
  /// The bytes of a block's header: its kind, its length, and that again with all bits turned.
  static let blockHeader = 5
  /// The bytes before the first block.
  static let headSize = 10
  /// The bytes behind the last block.
  static let tailSize = 8
  /// The most bytes of a block.
  static let largestBlock = 0xffff
  /// The most bytes that are read at once.
  private static let window: Int64 = 1 << 18

  /// The bytes before the first block.
  let head: [UInt8]
  /// The length of each block.
  let blocks: [Int]
  /// The bytes behind the last block: checksum and length.
  let tail: [UInt8]
  /// How many bytes are in it.
  let size: Int64

  private let descriptor: FileDescriptor
  private let path: FilePath
  /// Where each block begins, counted in what is in it.
  private let starts: [Int64]

  /// Looks at a file; `nil` when it is anything else than a gzip file that only stores.
  ///
  /// Its blocks begin 64 KiB from each other, and where the next one begins stands in each: a disk would be asked for a page
  /// here and a page there.
  /// - Parameters:
  ///   - descriptor: The file, which must stay open as long as it is read here.
  ///   - isWanted: Whether most of it is read soon: the disk then reads all of it in one go.
  /// - Throws: `FileError`.
  init?(_ descriptor: FileDescriptor, _ path: FilePath, isWanted: Bool = false) throws {
    self.descriptor = descriptor
    self.path = path
    let fileSize = try FileError.naming(.read, path) { try FileInfo(descriptor).size }
    head = try Self.bytes(descriptor, path, at: 0, count: Self.headSize)
    // Method 8 is deflate; no flag means that nothing else precedes the first block.
    guard head.count == Self.headSize, head.starts(with: [0x1f, 0x8b, 8, 0]) else { return nil }
    // What consists of tiny blocks is nothing that anybody writes, and would fill the memory.
    let mostBlocks = fileSize / 1024 + 16
    var (blocks, starts): ([Int], [Int64]) = ([], [])
    var (place, size) = (Int64(Self.headSize), Int64(0))
    var isLast = false
    var ahead = AheadReading(descriptor)
    while !isLast {
      if isWanted { ahead.reach(place) }
      let header = try Self.bytes(descriptor, path, at: place, count: Self.blockHeader)
      guard header.count == Self.blockHeader, header[0] <= 1, header[1] == ~header[3],
        header[2] == ~header[4],
        Int64(blocks.count) < mostBlocks
      else { return nil }
      isLast = header[0] == 1
      let length = Int(header[1]) | Int(header[2]) << 8
      starts.append(size)
      blocks.append(length)
      size += Int64(length)
      place += Int64(Self.blockHeader + length)
    }
    guard fileSize == place + Int64(Self.tailSize) else { return nil }
    tail = try Self.bytes(descriptor, path, at: place, count: Self.tailSize)
    guard tail.count == Self.tailSize else { return nil }
    (self.blocks, self.starts, self.size) = (blocks, starts, size)
  }

  /// Hands over a part of what is in it, piece by piece.
  ///
  /// - Throws: `FileError`; also when the file has become shorter. Or what `body` throws.
  func read(_ range: Range<Int64>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard !range.isEmpty else { return }
    var (place, block) = (range.lowerBound, index(at: range.lowerBound))
    var offset = fileOffset(of: place, in: block)
    let end = fileOffset(of: range.upperBound - 1, in: index(at: range.upperBound - 1)) + 1
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Int(min(end - offset, Self.window)), alignment: 16)
    defer { buffer.deallocate() }
    // Many blocks are read at once, and the headers between them left out.
    while offset < end {
      let wanted = Int(min(end - offset, Int64(buffer.count)))
      let count = try FileError.naming(.read, path) {
        try descriptor.read(
          fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
      }
      guard count > 0 else { throw FileError(.read, path, .ioError) }
      var position = 0
      while position < count {
        let left = starts[block] + Int64(blocks[block]) - place
        guard left > 0 else {
          // A header may end behind what was read.
          position += Self.blockHeader
          block += 1
          continue
        }
        let length = Int(min(left, Int64(count - position)))
        try body(UnsafeRawBufferPointer(rebasing: buffer[position..<position + length]))
        position += length
        place += Int64(length)
      }
      offset += Int64(position)
    }
  }

  /// Where a byte lies in the file.
  private func fileOffset(of place: Int64, in block: Int) -> Int64 {
    Int64(Self.headSize + Self.blockHeader * (block + 1)) + place
  }

  /// A small part of what is in it.
  ///
  /// - Throws: `FileError`.
  func bytes(_ range: Range<Int64>) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try read(range) { bytes.append(contentsOf: $0) }
    return bytes
  }

  /// The last block that begins at a place or before it: what is behind blocks without content.
  private func index(at place: Int64) -> Int {
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= place { low = middle } else { high = middle }
    }
    return low
  }

  private static func bytes(
    _ descriptor: FileDescriptor, _ path: FilePath, at offset: Int64, count: Int
  ) throws -> [UInt8] {
    try FileError.naming(.read, path) {
      try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        while filled < count {
          let rest = UnsafeMutableRawBufferPointer(
            rebasing: UnsafeMutableRawBufferPointer(buffer)[filled..<count])
          let read = try descriptor.read(fromAbsoluteOffset: offset + Int64(filled), into: rest)
          if read == 0 { break }
          filled += read
        }
      }
    }
  }
}

/// Puts the blocks of a ``StoredArchive`` around what is in it.
struct StoredFraming {
  private var blocks: ArraySlice<Int>
  /// How much of the current block is still to come.
  private var left = 0
  private let write: (UnsafeRawBufferPointer) throws -> Void

  /// - Parameter write: Where the bytes of the file go.
  /// - Throws: What `write` throws.
  init(head: [UInt8], blocks: [Int], _ write: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
    self.blocks = blocks[...]
    self.write = write
    try head.withUnsafeBytes(write)
    try openBlocks()
  }

  /// Takes more of what is in it.
  ///
  /// - Throws: What the function that writes throws. More than the blocks hold is left out: the digest of the file then is
  ///   another one.
  mutating func add(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty, left > 0 {
      let count = min(left, rest.count)
      try write(UnsafeRawBufferPointer(rebasing: rest[..<count]))
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      left -= count
      if left == 0 { try openBlocks() }
    }
  }

  /// Begins the next block that has something in it, and all those before it that have not.
  private mutating func openBlocks() throws {
    while left == 0, let length = blocks.popFirst() {
      let (low, high) = (UInt8(length & 0xff), UInt8(length >> 8 & 0xff))
      try [blocks.isEmpty ? 1 : 0, low, high, ~low, ~high].withUnsafeBytes(write)
      left = length
    }
  }
}
