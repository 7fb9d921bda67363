/// Where the blocks of a gzip file that only stores begin: known from the sizes of what will be written, before there is a
/// byte of it.
///
/// Source: RFC 1952, section 2.3 (the file); RFC 1951, section 3.2.4 (stored blocks).
public struct StoredBlocks: Sendable, Equatable {
  /// The bytes before the first block: no name, no time, level 0, Unix.
  static let head: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
  /// The bytes of a block's header: its kind, its length, and that again with all bits turned.
  static let blockHeader: Int64 = 5
  /// The bytes behind the last block: checksum and length of the content.
  static let tailSize: Int64 = 8

  /// The most bytes that headers of blocks have within so much content: all blocks but the last have at least 32 KiB.
  static func mostHeaderBytes(in content: Int) -> Int {
    Int(blockHeader) * (content / StoredCutter.historySize + 3)
  }

  /// How many bytes are in the file.
  public let contentSize: Int64
  /// Where each block begins, counted in the content.
  private let starts: [Int64]

  /// The blocks into which libarchive with zlib at level 0 cuts content.
  ///
  /// - Parameter writes: The sizes of the pieces in which the content is handed over.
  public init(ofWrites writes: some Sequence<Int>) {
    var cutter = StoredCutter()
    for size in writes where size > 0 { cutter.take(size) }
    cutter.finish()
    (starts, contentSize) = (cutter.starts, cutter.position)
  }

  /// How many bytes the file has.
  public var fileSize: Int64 {
    Int64(Self.head.count) + contentSize + Self.blockHeader * Int64(starts.count) + Self.tailSize
  }

  /// Where in the file a part of the content lies, with the headers of the blocks that begin in it. The parts of the
  /// content are so one behind another.
  func place(of content: Range<Int64>) -> Range<Int64> {
    place(of: content.lowerBound)..<place(of: content.upperBound)
  }

  private func place(of offset: Int64) -> Int64 {
    Int64(Self.head.count) + offset + Self.blockHeader * Int64(firstBlock(notBefore: offset))
  }

  /// Where the tail lies, with the headers of blocks without content in front of it.
  var tail: Range<Int64> { place(of: contentSize)..<fileSize }

  /// Cuts a part of the content where blocks begin in it.
  ///
  /// - Parameters:
  ///   - content: The part.
  ///   - body: Gets the pieces in their order, and the number of the block that begins before a piece. More than one block
  ///     begins where the others have no content.
  func pieces(of content: Range<Int64>, _ body: (Range<Int64>, _ blocks: Range<Int>) throws -> Void) rethrows
  {
    var place = content.lowerBound
    var block = firstBlock(notBefore: place)
    while place < content.upperBound {
      let first = block
      while block < starts.count, starts[block] == place { block += 1 }
      let end = block < starts.count ? min(starts[block], content.upperBound) : content.upperBound
      try body(place..<end, first..<block)
      place = end
    }
  }

  /// The headers of blocks.
  func headers(_ blocks: Range<Int>) -> [UInt8] {
    blocks.flatMap { block -> [UInt8] in
      let isLast = block == starts.count - 1
      let length = (isLast ? contentSize : starts[block + 1]) - starts[block]
      let (low, high) = (UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8))
      return [isLast ? 1 : 0, low, high, ~low, ~high]
    }
  }

  /// What stands at ``tail``.
  func tailBytes(_ checksum: CRC32) -> [UInt8] {
    let length = UInt32(truncatingIfNeeded: contentSize)
    return headers(firstBlock(notBefore: contentSize)..<starts.count)
      + [checksum.value, length].flatMap { number in
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
      }
  }

  /// The first block that begins at a place or behind it.
  private func firstBlock(notBefore place: Int64) -> Int {
    var (low, high) = (0, starts.count)
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] < place { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// Decides what zlib decides at level 0, with the sizes of the content in place of the content.
///
/// Source: `deflate_stored` of zlib 1.2.12 to 1.3.1 (deflate.c), and `drive_compressor` of libarchive 3
/// (archive_write_add_filter_gzip.c). Archives of earlier versions of this program were made by these two; what other
/// libraries, such as zlib-ng, would do is of no matter, since none of them is asked.
private struct StoredCutter {
  /// The longest stored block.
  private static let longest = 65535
  private static let blockHeader = 5
  private static let windowSize = 65536
  static let historySize = 32768
  private static let pendingSize = 65536
  /// The size of libarchive's buffer for what is compressed.
  private static let outputSize = 1 << 18

  private(set) var starts: [Int64] = []
  /// How much of the content is in blocks.
  private(set) var position: Int64 = 0
  private var output = Self.outputSize - StoredBlocks.head.count
  /// Bytes that wait for room in the output.
  private var pending = 0
  /// The end of what is in the window, and the beginning of what of it is not yet in a block.
  private var (windowEnd, blockStart) = (0, 0)

  private enum Outcome { case needsMore, finishStarted, finished }

  mutating func take(_ size: Int) {
    var input = size
    while input > 0 {
      refill()
      _ = deflate(&input, isLast: false)
    }
  }

  mutating func finish() {
    var input = 0
    var outcome = Outcome.needsMore
    while outcome == .needsMore {
      refill()
      outcome = deflate(&input, isLast: true)
    }
  }

  /// Empties the output when it is full.
  private mutating func refill() {
    if output == 0 { output = Self.outputSize }
  }

  private mutating func emit(_ length: Int) {
    starts.append(position)
    position += Int64(length)
  }

  private mutating func flushPending() {
    let count = min(pending, output)
    pending -= count
    output -= count
  }

  private mutating func deflate(_ input: inout Int, isLast: Bool) -> Outcome {
    if pending > 0 {
      flushPending()
      if output == 0 { return .needsMore }
    }
    let before = input
    if copyDirectly(&input, isLast: isLast) { return .finished }
    remember(before - input)
    fillWindow(&input)
    return storeWindow(input, isLast: isLast)
  }

  /// Blocks straight from the input to the output; whether the last one was among them.
  private mutating func copyDirectly(_ input: inout Int, isLast: Bool) -> Bool {
    while output >= Self.blockHeader {
      let room = output - Self.blockHeader
      let left = windowEnd - blockStart
      let length = min(Self.longest, left + input, room)
      let isAll = length == left + input
      if length < Self.historySize, !isLast || !isAll { return false }
      output -= Self.blockHeader + length
      emit(length)
      let fromWindow = min(left, length)
      blockStart += fromWindow
      input -= length - fromWindow
      if isLast, isAll { return true }
    }
    return false
  }

  /// The window has what was last copied past it.
  private mutating func remember(_ copied: Int) {
    guard copied > 0 else { return }
    if copied >= Self.historySize {
      windowEnd = Self.historySize
    } else {
      if Self.windowSize - windowEnd <= copied { windowEnd -= Self.historySize }
      windowEnd += copied
    }
    blockStart = windowEnd
  }

  private mutating func fillWindow(_ input: inout Int) {
    var room = Self.windowSize - windowEnd
    if input > room, blockStart >= Self.historySize {
      blockStart -= Self.historySize
      windowEnd -= Self.historySize
      room += Self.historySize
    }
    let count = min(room, input)
    input -= count
    windowEnd += count
  }

  /// A block of what is in the window, when that is much enough or all.
  private mutating func storeWindow(_ input: Int, isLast: Bool) -> Outcome {
    let room = min(Self.pendingSize - Self.blockHeader, Self.longest)
    let left = windowEnd - blockStart
    guard left >= min(room, Self.historySize) || isLast && input == 0 && left <= room else {
      return .needsMore
    }
    let length = min(left, room)
    emit(length)
    pending += Self.blockHeader + length
    blockStart += length
    flushPending()
    return isLast && input == 0 && length == left ? .finishStarted : .needsMore
  }
}
