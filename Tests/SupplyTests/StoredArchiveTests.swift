import Files
import Integrity
import SystemPackage
import TestSupport
import Testing

@testable import Supply

/// gzip files that only store, and the tars in them.
@Suite struct StoredArchiveTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(isOnDisk: false) }

  private static let head: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]

  /// A file of these blocks.
  private func file(_ blocks: [[UInt8]], head: [UInt8] = Self.head, tail: [UInt8] = Array(1...8)) throws
    -> FilePath
  {
    var bytes = head
    for (index, block) in blocks.enumerated() {
      let (low, high) = (UInt8(block.count & 0xff), UInt8(block.count >> 8))
      bytes += [index == blocks.count - 1 ? 1 : 0, low, high, ~low, ~high] + block
    }
    let path = folder.path.appending("x.gz")
    try writeAtomically(bytes + tail, to: path)
    return path
  }

  private func stream<T>(_ path: FilePath, _ body: (StoredArchive?) throws -> T) throws -> T {
    let descriptor = try openFile(path, .readOnly)
    defer { try? descriptor.close() }
    return try body(try StoredArchive(descriptor, path))
  }

  @Test func anyPartCanBeReadAndTheFileMadeAgain() throws {
    let content = Dice.noise(1000, seed: 3)
    let lengths = [1, 0, 499, 0, 0, 400, 100, 0]
    var rest = content[...]
    let blocks = lengths.map { length in
      defer { rest = rest.dropFirst(length) }
      return Array(rest.prefix(length))
    }
    let path = try file(blocks)
    try stream(path) { stream in
      let stream = try #require(stream)
      #expect(stream.size == 1000 && stream.blocks == lengths)
      for (from, to) in [(0, 1000), (0, 0), (0, 1), (1, 2), (499, 501), (500, 500), (999, 1000), (3, 950)] {
        #expect(try stream.bytes(Int64(from)..<Int64(to)) == Array(content[from..<to]), "\(from)..<\(to)")
      }
      var made: [UInt8] = []
      var framing = try StoredFraming(head: stream.head, blocks: stream.blocks) { made += Array($0) }
      for piece in [0..<1, 1..<700, 700..<1000] { try content[piece].withUnsafeBytes { try framing.add($0) } }
      made += stream.tail
      #expect(made == (try readBytes(path)))
    }
  }

  /// Much is read at once: wherever that ends, in a block or in a header, nothing is lost and nothing taken twice.
  @Test func aLongPartIsReadInPieces() throws {
    let content = Dice.noise(600_000, seed: 5)
    for first in 65_500...65_535 {
      var rest = content[...]
      var blocks: [[UInt8]] = []
      while !rest.isEmpty {
        blocks.append(Array(rest.prefix(blocks.isEmpty ? first : StoredArchive.largestBlock)))
        rest = rest.dropFirst(blocks.last?.count ?? 0)
      }
      try stream(try file(blocks)) { stream in
        let stream = try #require(stream)
        #expect(try stream.bytes(0..<600_000) == content, "\(first)")
        #expect(try stream.bytes(7..<599_999) == Array(content[7..<599_999]), "\(first)")
      }
    }
  }

  @Test func anythingElseIsNotOne() throws {
    let good = try readBytes(try file([[1, 2, 3]]))
    var others: [[UInt8]] = (0..<good.count).map { Array(good.prefix($0)) } + [good + [0]]
    // A name in the header; a block that is compressed; a length that does not match; a second file behind it.
    for place in [3, 10, 12] { others.append(good.enumerated().map { $0 == place ? $1 ^ 8 : $1 }) }
    others.append(good + good)
    for bytes in others {
      let path = folder.path.appending("other")
      try writeAtomically(bytes, to: path)
      try stream(path) { #expect($0 == nil) }
    }
    // Blocks without content would fill the memory.
    try stream(try file(Array(repeating: [], count: 100))) { #expect($0 == nil) }
  }

  @Test func whatIsNoTarIsOnePart() throws {
    for content in [[], [1, 2, 3], Dice.noise(5000, seed: 4)] {
      try stream(try file([content])) { stream in
        let segments = try TarSegments.of(try #require(stream))
        #expect(segments.map(\.blob) == (content.isEmpty ? [] : [nil]))
      }
    }
  }

  @Test func theBlobsOfAnArchiveAreFound() throws {
    let blobs = [Dice.noise(70_000, seed: 5), [], [7], Dice.noise(512, seed: 6)]
    let path = folder.path.appending("image.tar.gz")
    _ = try SmallBundle.write(.init(reference: "a:1", blobs: blobs), to: path)
    try stream(path) { stream in
      let stream = try #require(stream)
      let segments = try TarSegments.of(stream)
      let found = segments.filter { $0.blob != nil }
      #expect(found.map(\.blob) == [blobs[0], blobs[2], blobs[3]].map { Digest(of: $0) })
      for segment in found { #expect(Digest(of: try stream.bytes(segment.range)) == segment.blob) }
      var end: Int64 = 0
      for segment in segments {
        #expect(segment.range.lowerBound == end)
        end = segment.range.upperBound
      }
      #expect(end == stream.size)
    }
  }
}
