import Files
import Integrity
import SystemPackage

/// The file of a ``StoredTar``, written and read at places of the tar; closed with the last reference.
///
/// Several may write and read different places at the same time.
public final class StoredTarFile: Sendable {
  /// What is written and read at a time.
  private static let pieceSize = ArchiveWriter.pieceSize

  private let descriptor: FileDescriptor
  private let path: FilePath
  private let tar: StoredTar

  /// - Parameters:
  ///   - descriptor: The file, open for reading, or for both; it is closed with this value.
  ///   - path: Its name, for errors.
  ///   - tar: The plan of its bytes.
  public init(_ descriptor: FileDescriptor, _ path: FilePath, _ tar: StoredTar) {
    (self.descriptor, self.path, self.tar) = (descriptor, path, tar)
  }

  deinit { try? descriptor.close() }

  /// Writes bytes at a place of the tar, with the headers of the blocks that begin there.
  ///
  /// - Throws: `FileError`.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
    let range = offset..<offset + Int64(bytes.count)
    // The headers of all blocks that begin here, one behind another, and which part of them stands before which bytes.
    var headers: [UInt8] = []
    var pieces: [(headers: Range<Int>, bytes: Range<Int>)] = []
    tar.blocks.pieces(of: range) { piece, blocks in
      let before = headers.count
      headers += tar.blocks.headers(blocks)
      pieces.append((before..<headers.count, Int(piece.lowerBound - offset)..<Int(piece.upperBound - offset)))
    }
    try headers.withUnsafeBytes { headers in
      let parts = pieces.flatMap {
        [
          UnsafeRawBufferPointer(rebasing: headers[$0.headers]),
          UnsafeRawBufferPointer(rebasing: bytes[$0.bytes]),
        ]
      }
      try FileError.naming(.write, path) {
        try descriptor.writeAll(
          parts.filter { !$0.isEmpty }, toAbsoluteOffset: tar.blocks.place(of: range).lowerBound)
      }
    }
  }

  /// Hands over a part of the tar, piece by piece, each at most 256 KiB.
  ///
  /// - Throws: `FileError`; also where the file ends before it. Or what `body` throws.
  public func read(_ range: Range<Int64>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Self.pieceSize + StoredBlocks.mostHeaderBytes(in: Self.pieceSize), alignment: 16)
    defer { buffer.deallocate() }
    var start = range.lowerBound
    while start < range.upperBound {
      let part = start..<min(range.upperBound, start + Int64(Self.pieceSize))
      let place = tar.blocks.place(of: part)
      let whole = Int(place.upperBound - place.lowerBound)
      try read(part, place.lowerBound, UnsafeMutableRawBufferPointer(rebasing: buffer[..<whole]), body)
      start = part.upperBound
    }
  }

  private func read(
    _ part: Range<Int64>, _ place: Int64, _ buffer: UnsafeMutableRawBufferPointer,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try fill(buffer, at: place)
    var headers = 0
    try tar.blocks.pieces(of: part) { piece, blocks in
      headers += Int(StoredBlocks.blockHeader) * blocks.count
      let start = headers + Int(piece.lowerBound - part.lowerBound)
      try body(UnsafeRawBufferPointer(rebasing: buffer[start..<start + piece.count]))
    }
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = try FileError.naming(.read, path) {
        try descriptor.read(fromAbsoluteOffset: offset + Int64(done), into: rest)
      }
      guard count > 0 else { throw FileError(.read, path, .ioError) }
      done += count
    }
  }

  /// Writes everything but the contents that come later, which must be there.
  ///
  /// - Parameter checksums: Those of the contents, in the order of the tar.
  /// - Throws: `FileError`.
  public func complete(_ checksums: [CRC32]) throws {
    try FileError.naming(.write, path) {
      _ = try descriptor.writeAll(toAbsoluteOffset: 0, StoredBlocks.head)
    }
    var whole = CRC32()
    var known = tar.known[...]
    for (content, checksum) in zip(tar.contents, checksums) {
      while let part = known.first, part.offset < content.upperBound { try add(part, &whole, &known) }
      whole.append(checksum)
    }
    while let part = known.first { try add(part, &whole, &known) }
    let tail = tar.blocks.tailBytes(whole)
    try FileError.naming(.write, path) {
      _ = try descriptor.writeAll(toAbsoluteOffset: tar.blocks.tail.lowerBound, tail)
      try descriptor.resize(to: tar.fileSize)
    }
  }

  private func add(_ part: StoredTar.Known, _ whole: inout CRC32, _ rest: inout ArraySlice<StoredTar.Known>)
    throws
  {
    try part.bytes.withUnsafeBytes { bytes in
      try write(bytes, at: part.offset)
      whole.update(bytes)
    }
    rest.removeFirst()
  }

  /// Does something else with the file, such as noting behind the archive what is there.
  public func update(_ body: (FileDescriptor) throws -> Void) rethrows { try body(descriptor) }

  /// Has the disk begin to write what is there, while something else is done before ``flush()``.
  public func beginWriting() { Files.beginWriting(0..<tar.fileSize, of: descriptor) }

  /// Flushes the file to the disk.
  ///
  /// - Throws: `FileError`.
  public func flush() throws { try FileError.naming(.write, path) { try synchronize(descriptor) } }

  /// The digest of the whole file.
  ///
  /// - Throws: `FileError`, or `CancellationError`.
  public func digest() throws -> Digest {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceSize, alignment: 16)
    defer { buffer.deallocate() }
    var hasher = DigestHasher(.sha256)
    var offset: Int64 = 0
    while offset < tar.fileSize {
      try Task.checkCancellation()
      let piece = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<Int(min(Int64(buffer.count), tar.fileSize - offset))])
      try fill(piece, at: offset)
      hasher.update(UnsafeRawBufferPointer(piece))
      offset += Int64(piece.count)
    }
    return hasher.finalize()
  }
}
