import Files
import SystemPackage
import Testing

@testable import Archive

@Suite struct DamagedArchiveTests {
  @Test(arguments: [
    ("<!DOCTYPE html>\n<html><head><title>Sign in</title>", "looks like an HTML page"),
    ("\u{feff}\n <HTML>", "looks like an HTML page"),
    ("<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>", "looks like XML"),
    ("{\"message\": \"Not Found\"}", "looks like JSON"),
    ("Not Found", "looks like text"),
    ("", "it is empty"),
    (
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 1\n",
      "it is a pointer of Git LFS, and the file itself was not fetched: git lfs pull"
    ),
    ("Rar!\u{1a}\u{07}", "it is packed with rar, which is not read here: unpack it first"),
  ])
  func otherContentIsNamed(_ content: String, _ guess: String) async throws {
    try withTemporaryFolder { folder in
      let file = folder.appending("kubespray.tar.gz")
      try writeAtomically(content, to: file)
      let error = try #require(throws: ArchiveError.self) {
        try ArchiveReader.extract(file, into: folder.appending("out"))
      }
      #expect(error.description.contains("kubespray.tar.gz is not an archive (\(guess))"))
    }
  }

  @Test(arguments: [
    ([0xff, 0xfe, 0x62, 0, 0x6c, 0] as [UInt8], "PowerShell"), ([0x04, 0x22, 0x4d, 0x18, 0x64, 0x40], "lz4"),
    ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4], "7z"), ([0x1f, 0x9d, 0x90, 1], "compress"),
  ])
  func formsThatAreNotReadAreNamed(_ start: [UInt8], _ word: String) async throws {
    try withTemporaryFolder { folder in
      let file = folder.appending("image.tar")
      try writeAtomically(start + [UInt8](repeating: 0, count: 600), to: file)
      let error = try #require(throws: ArchiveError.self) { try ArchiveReader.entries(of: file) { _ in } }
      #expect(
        error.description.contains("image.tar is not an archive (it is") && error.description.contains(word))
    }
  }

  @Test func garbageIsNoArchive() async throws {
    try withTemporaryFolder { folder in
      let file = folder.appending("noise")
      // 0x55 and on: neither text nor any known magic number.
      try writeAtomically((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 0x55) }, to: file)
      let error = try #require(throws: ArchiveError.self) { try ArchiveReader.entries(of: file) { _ in } }
      #expect(error.description.contains("noise is not an archive: expected tar"))
    }
  }

  @Test func whatCannotBeOpenedIsSaid() async throws {
    try withTemporaryFolder { folder in
      let missing = try #require(throws: ArchiveError.self) {
        try ArchiveReader.entries(of: folder.appending("none")) { _ in }
      }
      #expect(missing.description.hasSuffix("none: No such file or directory"))
      let directory = try #require(throws: ArchiveError.self) {
        try ArchiveReader.entries(of: folder) { _ in }
      }
      #expect(directory.description.hasSuffix("it is not a regular file"))
    }
  }

  /// Cut anywhere before the closing blocks, an archive must be refused, in finite time.
  @Test(arguments: [
    ArchiveCompression.none, .gzip(level: 6), .xz(level: 1), .zstd(level: 1),
  ])
  func everyTruncationIsFound(_ compression: ArchiveCompression) async throws {
    try withTemporaryFolder { folder in
      let whole = folder.appending("whole")
      let writer = try ArchiveWriter(whole, compression: compression)
      try writer.add(bytes: (0..<3000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }, as: "first")
      try writer.add(bytes: Array(repeating: 7, count: 700), as: "second")
      try writer.finish()
      var bytes: [UInt8] = []
      try readFile(whole) { bytes += $0 }
      // Plain tar: header and 3000 bytes in 3584, header and 700 in 1536, two closing blocks. A cut between
      // two entries cannot be told from an archive without closing blocks, which some programs write.
      let end = compression == .none ? 512 + 3072 + 512 + 700 : bytes.count - 30
      let boundaries: Set<Int> = compression == .none ? [512 + 3072] : []
      let cut = folder.appending("cut")
      for length in stride(from: 1, to: end, by: 61) where !boundaries.contains(length) {
        try writeAtomically(Array(bytes[..<length]), to: cut)
        #expect(throws: ArchiveError.self, "cut at \(length) of \(bytes.count)") {
          try ArchiveReader.extract(cut, into: folder.appending("out"))
        }
        #expect(!names(in: folder.appending("out")).contains("second"))
      }
    }
  }

  @Test func aWrongHeaderInTheMiddleIsAnError() async throws {
    try withTemporaryFolder { folder in
      var tar = RawTar()
      tar.add("first", content: "1")
      tar.add("second", content: "2")
      tar.add("third", content: "3")
      var bytes = tar.finished
      bytes[1024 + 20] = 0x41
      try writeAtomically(bytes, to: folder.appending("a.tar"))
      let error = try #require(throws: ArchiveError.self) {
        try ArchiveReader.extract(folder.appending("a.tar"), into: folder.appending("out"))
      }
      #expect(error.description.contains("a.tar is damaged at \"first\""))
    }
  }
}
