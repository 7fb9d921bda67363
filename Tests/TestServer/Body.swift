import Glibc

extension TestServer {
  /// The bytes of a response, made where they are asked for, so that a huge body takes no memory.
  public struct Body: Sendable {
    /// Puts the bytes that begin at `offset` into the buffer and fills it.
    public typealias Filler = @Sendable (_ offset: Int64, _ buffer: UnsafeMutableRawBufferPointer) -> Void

    /// The length in bytes.
    public let count: Int64
    private let start: Int64
    private let fill: Filler

    /// A body whose bytes are a function of their offset.
    public init(count: Int64, fill: @escaping Filler) {
      self.init(count: count, start: 0, fill: fill)
    }

    /// A body in memory.
    public init(_ bytes: [UInt8]) {
      self.init(count: Int64(bytes.count)) { offset, buffer in
        bytes.withUnsafeBytes { source in
          buffer.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: source[Int(offset)...].prefix(buffer.count)))
        }
      }
    }

    /// A text in UTF-8.
    public init(_ text: String) { self.init(Array(text.utf8)) }

    private init(count: Int64, start: Int64, fill: @escaping Filler) {
      self.count = count
      self.start = start
      self.fill = fill
    }

    /// Pseudo-random bytes of any length: another seed gives other bytes.
    ///
    /// They repeat after a prime number of bytes, so a piece that is put at a wrong offset is noticed.
    public static func pattern(count: Int64, seed: UInt64 = 1) -> Body {
      let period = 1_048_573
      var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
      // A loop over memory: an optimiser is not there to make one of `map`, and many tests begin here.
      let block = [UInt8](unsafeUninitializedCapacity: period) { bytes, filled in
        while filled < period {
          // xorshift64 (Marsaglia, "Xorshift RNGs", 2003).
          state ^= state << 13
          state ^= state >> 7
          state ^= state << 17
          bytes[filled] = UInt8(truncatingIfNeeded: state >> 32)
          filled += 1
        }
      }
      return Body(count: count) { offset, buffer in
        block.withUnsafeBytes { source in
          var done = 0
          while done < buffer.count {
            let from = Int((offset + Int64(done)) % Int64(period))
            let length = min(period - from, buffer.count - done)
            UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + length])
              .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[from..<from + length]))
            done += length
          }
        }
      }
    }

    /// Part of the body, offsets in bytes.
    public subscript(range: Range<Int64>) -> Body {
      precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside the body")
      return Body(count: Int64(range.count), start: start + range.lowerBound, fill: fill)
    }

    /// All bytes, for a body that fits into memory.
    public var bytes: [UInt8] {
      [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
        read(0, into: UnsafeMutableRawBufferPointer(buffer))
        initialized = Int(count)
      }
    }

    /// Fills a buffer with the bytes that begin at `offset`.
    public func read(_ offset: Int64, into buffer: UnsafeMutableRawBufferPointer) {
      precondition(offset + Int64(buffer.count) <= count, "read past the end of the body")
      if buffer.count > 0 { fill(start + offset, buffer) }
    }

    /// Hands out the whole body in pieces, for a digest of a body that does not fit into memory.
    ///
    /// - Throws: Whatever `body` throws.
    public func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
      defer { buffer.deallocate() }
      var offset: Int64 = 0
      while offset < count {
        let piece = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(Int(min(1 << 18, count - offset))))
        read(offset, into: piece)
        try body(UnsafeRawBufferPointer(piece))
        offset += Int64(piece.count)
      }
    }
  }
}
