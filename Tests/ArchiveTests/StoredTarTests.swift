import Files
import Integrity
import SystemPackage
import Testing

@testable import Archive

/// Archives whose every byte has its place before it is written.
@Suite(.timeLimit(.minutes(5))) struct StoredTarTests {
  @Test func aChecksumIsPutTogetherFromThoseOfParts() {
    // The check value of the catalogue of parametrised CRC algorithms, CRC-32/ISO-HDLC.
    #expect(CRC32(of: Array("123456789".utf8)).value == 0xcbf4_3926)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      let parts = (0..<Int.random(in: 0...5)).map { _ in
        (0..<Int.random(in: 0...5000)).map { _ in UInt8.random(in: 0...255, using: &random) }
      }
      var combined = CRC32()
      for part in parts { combined.append(CRC32(of: part)) }
      #expect(combined == CRC32(of: Array(parts.joined())))
    }
  }

  /// A processor's instructions and the library take turns with its bytes.
  @Test func aChecksumIsThatOfTheDefinitionWhateverTheLength() {
    // RFC 1952, section 8.
    func defined(_ bytes: ArraySlice<UInt8>) -> UInt32 {
      ~bytes.reduce(~0) { crc, byte in
        (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in
          value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1
        }
      }
    }
    let bytes = (0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
    for length in Array(0...300) + [511, 512, 513, 1023, 1024, 1999] {
      for start in [0, 1, 7] where start + length <= bytes.count {
        var checksum = CRC32(of: Array(bytes[..<start]))
        bytes[start..<start + length].withUnsafeBytes { checksum.update($0) }
        #expect(checksum.value == defined(bytes[..<(start + length)]))
        #expect(checksum.count == Int64(start + length))
      }
    }
  }

  /// Sizes at which something happens: blocks, windows and buffers of zlib and libarchive are full, or one byte is missing.
  private static let edges: [Int] = [511, 512, 32768, 65535, 65536, 262_144, 524_288]
  private static let near: [Int] = [-10, -5, -1, 0, 1, 5]

  private static func size() -> Int {
    switch Int.random(in: 0..<4) {
    case 0: (edges.randomElement() ?? 0) + (near.randomElement() ?? 0)
    case 1: Int.random(in: 0...3000)
    case 2: Int.random(in: 0...100_000)
    default: Int.random(in: 0...1_500_000)
    }
  }

  /// The archives of earlier versions were written by libarchive and zlib, from their first byte to their last.
  @Test(
    .enabled(if: CRC32.isOfZlib, "the zlib of this machine is another one, which begins blocks elsewhere"),
    arguments: 0..<60)
  func writtenInAnyOrderItHasTheBytesOfTheLibrary(_ number: Int) throws {
    try withTemporaryFolder { folder in
      let content = folder.appending("content")
      let bytes = (0..<1_600_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13 ^ $0 >> 16) }
      let count = Int.random(in: 0...12)
      var entries: [StoredTar.Entry] = []
      var later: [[UInt8]] = []
      let library = try ArchiveWriter(folder.appending("library"), compression: .gzip(level: 0))
      for index in 0..<count {
        let name = Bool.random() ? "blobs/\(index)" : "\(String(repeating: "long", count: 40))/\(index)"
        let part = Array(bytes[..<Self.size()])
        if Bool.random() {
          entries.append(StoredTar.Entry(name, bytes: part))
          try library.add(bytes: part, as: name)
        } else {
          entries.append(StoredTar.Entry(name, size: Int64(part.count)))
          later.append(part)
          try writeAtomically(part, to: content)
          try library.add(file: content, as: name)
        }
      }
      let expected = try library.finish()

      let path = folder.appending("placed")
      let tar = try StoredTar(entries, of: path)
      #expect(tar.fileSize == expected.size)
      let file = StoredTarFile(
        try openFile(path, .readWrite, options: [.create], permissions: .publicFile), path, tar)
      for index in later.indices.shuffled() {
        let pieces = stride(from: 0, to: later[index].count, by: max(1, Int.random(in: 1...200_000)))
        let step = pieces.dropFirst().first { _ in true } ?? max(1, later[index].count)
        for start in pieces.shuffled() {
          let piece = Array(later[index][start..<min(start + step, later[index].count)])
          try piece.withUnsafeBytes { try file.write($0, at: tar.contents[index].lowerBound + Int64(start)) }
        }
      }
      for (range, part) in zip(tar.contents, later) {
        var read: [UInt8] = []
        try file.read(range) { read += $0 }
        #expect(read == part)
      }
      try file.complete(later.map { CRC32(of: $0) })
      #expect(try file.digest() == expected.sha256)
      #expect(try Digest(ofFile: path) == expected.sha256)
    }
  }

  @Test func aSizeThatNeedsAHeaderOfItsOwnIsPlanned() throws {
    let size: Int64 = 9 << 30
    let tar = try StoredTar(
      [StoredTar.Entry("large", size: size), StoredTar.Entry("b", bytes: [1])], of: "archive")
    // A header for the size, the size, the header, the content, the second file and the end.
    #expect(tar.contents == [1536..<(1536 + size)])
    #expect(tar.blocks.contentSize == 1536 + size + 1024 + 1024)
  }

  @Test(arguments: ["/a", "a/../b", "", "a//b"]) func aNameThatIsNoPlainPathIsRefused(_ name: String) {
    #expect(throws: ArchiveError.self) { try StoredTar([StoredTar.Entry(name, size: 1)], of: "archive") }
  }
}
