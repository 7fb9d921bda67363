import Files
import SystemPackage

/// A file that is read at places, closed with the last reference.
final class RandomAccessFile: Sendable {
  let path: FilePath
  let size: Int64
  private let descriptor: FileDescriptor

  /// - Throws: `FileError`.
  init(_ path: FilePath) throws {
    self.path = path
    let descriptor = try openFile(path, .readOnly)
    self.descriptor = descriptor
    do {
      size = try FileError.naming(.inspect, path) { try FileInfo(descriptor).size }
    } catch {
      try? descriptor.close()
      throw error
    }
  }

  deinit { try? descriptor.close() }

  /// Reads until the buffer is full or the file ends.
  ///
  /// - Throws: `FileError`.
  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = try FileError.naming(.read, path) {
        try descriptor.read(fromAbsoluteOffset: offset + Int64(done), into: rest)
      }
      if count == 0 { break }
      done += count
    }
    return done
  }
}

/// Why bytes cannot be read where they lie in an archive.
enum StoredStreamError: Error {
  /// They are compressed, or of a form that this reader does not know: another one must unpack them.
  case notStored
  /// The archive is damaged there.
  case damaged(String)
}

/// The content of a file that has it byte for byte: a plain file, or gzip that only stores (RFC 1951, section 3.2.4),
/// as ``ImageArchiveWriter`` makes it. Any place in it can be remembered and returned to.
struct StoredStream {
  private let file: RandomAccessFile
  private var offset: Int64
  /// Bytes left of the stored block; of a plain file all that is left.
  private var left: Int64
  private let isGzip: Bool
  private var isLastBlock = false

  /// The content of a file that is a tar.
  ///
  /// - Throws: ``StoredStreamError`` or `FileError`.
  init(_ file: RandomAccessFile) throws {
    self.file = file
    var head = [UInt8](repeating: 0, count: 512)
    let count = try head.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
    guard count >= 2, head[0] == 0x1f, head[1] == 0x8b else {
      // POSIX, "ustar Interchange Format": the magic at byte 257.
      guard count == 512, head[257..<262].elementsEqual("ustar".utf8) else {
        throw StoredStreamError.notStored
      }
      (isGzip, offset, left) = (false, 0, file.size)
      return
    }
    // RFC 1952, section 2.3: without FEXTRA, FNAME, FCOMMENT and FHCRC the header has ten bytes.
    guard count >= 10, head[2] == 8, head[3] == 0 else { throw StoredStreamError.notStored }
    (isGzip, offset, left) = (true, 10, 0)
  }

  /// The content of a plain file, whatever it looks like.
  init(plain file: RandomAccessFile) {
    (self.file, isGzip, offset, left) = (file, false, 0, file.size)
  }

  /// Reads until the buffer is full or the content ends.
  ///
  /// - Throws: ``StoredStreamError`` or `FileError`.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var done = 0
    while done < buffer.count {
      if left == 0 {
        guard try nextBlock() else { break }
        continue
      }
      let wanted = Int(min(Int64(buffer.count - done), left))
      let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<(done + wanted)])
      let count = try file.read(at: offset, into: piece)
      guard count == wanted else { throw StoredStreamError.damaged("the file ends too early") }
      advance(count)
      done += count
    }
    return done
  }

  /// Passes over bytes without reading them.
  ///
  /// - Throws: ``StoredStreamError`` or `FileError`.
  mutating func skip(_ count: Int64) throws {
    var rest = count
    while rest > 0 {
      if left == 0, try !nextBlock() { throw StoredStreamError.damaged("the file ends too early") }
      let step = min(rest, left)
      advance(Int(step))
      rest -= step
    }
  }

  private mutating func advance(_ count: Int) {
    offset += Int64(count)
    left -= Int64(count)
  }

  /// Goes into the next block; false at the end.
  private mutating func nextBlock() throws -> Bool {
    guard isGzip, !isLastBlock else { return false }
    // Stored blocks end on a byte: three bits of header, five of padding, the length and its complement.
    let head: (UInt64, Int) = try withUnsafeTemporaryAllocation(byteCount: 5, alignment: 8) { bytes in
      let count = try file.read(at: offset, into: bytes)
      return (bytes.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }, count)
    }
    guard head.1 == 5 else { throw StoredStreamError.damaged("the file ends too early") }
    guard head.0 & 0b110 == 0 else { throw StoredStreamError.notStored }
    let length = head.0 >> 8 & 0xffff
    guard length ^ 0xffff == head.0 >> 24 & 0xffff else {
      throw StoredStreamError.damaged("a block's length is wrong at byte \(offset)")
    }
    isLastBlock = head.0 & 1 == 1
    offset += 5
    left = Int64(length)
    return true
  }
}
