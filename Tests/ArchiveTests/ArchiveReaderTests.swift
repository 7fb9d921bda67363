import Files
import FoundationEssentials
import Glibc
import SystemPackage
import Testing

@testable import Archive

@Suite struct ArchiveReaderTests {
  @Test func entriesAreDescribed() async throws {
    var tar = RawTar()
    tar.add("./top/", type: "5", mode: 0o755)
    tar.add("./top/run", content: "#!/bin/sh\n", mode: 0o4755)
    tar.add("top/link", type: "2", link: "run")
    tar.add("top/again", type: "1", link: "top/run")
    tar.add("top/pipe", type: "6")
    let seen = try await list(tar.finished)
    let time: Int64 = 1_700_000_000
    #expect(
      seen == [
        ArchiveEntry(path: "top", kind: .directory, size: 0, permissions: 0o755, modified: time),
        ArchiveEntry(path: "top/run", kind: .file, size: 10, permissions: 0o4755, modified: time),
        ArchiveEntry(
          path: "top/link", kind: .symbolicLink(target: "run"), size: 0, permissions: 0o644, modified: time),
        ArchiveEntry(
          path: "top/again", kind: .hardLink(target: "top/run"), size: 0, permissions: 0o644, modified: time),
        ArchiveEntry(path: "top/pipe", kind: .other, size: 0, permissions: 0o644, modified: time),
      ])
  }

  @Test func namesBeyondAsciiAndBeyondTheHeader() async throws {
    let long = String(repeating: "größe-漢字/", count: 30) + "ende"
    var tar = RawTar()
    tar.addPax([("path", long)])
    tar.add("short", content: "pax")
    tar.add("././@LongLink", type: "L", content: long + "2\0", gnu: true)
    tar.add("short", content: "gnu", gnu: true)
    tar.add("größe", content: "ustar")
    tar.addPax([("linkpath", "größe")])
    tar.add("zeiger", type: "2", link: "x")
    let seen = try await list(tar.finished)
    #expect(seen.map(\.path) == [long, long + "2", "größe", "zeiger"])
    #expect(seen.last?.kind == .symbolicLink(target: "größe"))
    try withTemporaryFolder { folder in
      try writeAtomically(tar.finished, to: folder.appending("a.tar"))
      try ArchiveReader.extract(folder.appending("a.tar"), into: folder.appending("out"))
      #expect(try text(of: folder.appending("out").pushing(FilePath(long))) == "pax")
      #expect(try text(of: folder.appending("out/zeiger")) == "ustar")
    }
  }

  @Test func aNameThatIsNotUTF8IsRefused() async throws {
    var bytes: [UInt8] = []
    var tar = RawTar()
    tar.add("x", content: "")
    bytes = tar.finished
    bytes[0] = 0xe4
    // Keep the checksum right: it is the sum of all bytes.
    let sum = bytes[..<512].enumerated().reduce(0) { sum, byte in
      sum + ((148..<156).contains(byte.offset) ? 32 : Int(byte.element))
    }
    let digits = String(sum, radix: 8)
    bytes.replaceSubrange(
      148..<156, with: Array((String(repeating: "0", count: 6 - digits.count) + digits + "\0 ").utf8))
    await #expect(throws: ArchiveError.self) { try await list(bytes) }
  }

  /// A `git archive` puts the commit into a global header, which is no entry.
  @Test func globalHeadersAreNoEntries() async throws {
    var tar = RawTar()
    tar.add("pax_global_header", type: "g", content: "52 comment=0123456789012345678901234567890123456789\n")
    tar.add("kubespray-2.30.0/", type: "5")
    #expect(try await list(tar.finished).map(\.path) == ["kubespray-2.30.0"])
  }

  @Test(arguments: [
    ArchiveCompression.none, .gzip(level: 0), .gzip(level: 9), .xz(level: 1), .zstd(level: 3),
  ])
  func everyCompressionIsRecognised(_ compression: ArchiveCompression) async throws {
    try withTemporaryFolder { folder in
      let archive = folder.appending("any-name")
      let writer = try ArchiveWriter(archive, compression: compression)
      try writer.add(bytes: Array("hello\n".utf8), as: "a/b")
      try writer.finish()
      try ArchiveReader.extract(archive, into: folder.appending("out"))
      #expect(try text(of: folder.appending("out/a/b")) == "hello\n")
    }
  }

  /// Made with Python's tarfile and bz2, and zipfile: formats that this module only reads.
  @Test(arguments: [
    (
      "hello.txt", mode_t(0o644),
      """
      QlpoOTFBWSZTWSGQtiYAAHL7gMkQAARAAXeAAIBiRJ5ACAggAFQlI1DI0GmhpptQSSaj1AaAGgfd3EkIIqQhGdMrSzRoQIZUkNNxPEgN
      nDNX0xWPLqYThFXQepOo3XpYLXZrtLVEQPxdyRThQkCGQtiY
      """
    ),
    (
      "dir/größe.txt", mode_t(0o755),
      """
      UEsDBBQAAAgAAKqxblcgMDo2BgAAAAYAAAAPAAAAZGlyL2dyw7bDn2UudHh0aGVsbG8KUEsBAhQDFAAACAAAqrFuVyAwOjYGAAAABgAA
      AA8AAAAAAAAAAAAAAO2BAAAAAGRpci9ncsO2w59lLnR4dFBLBQYAAAAAAQABAD0AAAAzAAAAAAA=
      """
    ),
  ])
  func bzip2AndZip(_ name: String, _ mode: mode_t, _ base64: String) async throws {
    let content = try #require(Data(base64Encoded: String(base64.filter { !$0.isNewline })))
    try withTemporaryFolder { folder in
      try writeAtomically(Array(content), to: folder.appending("a"))
      try ArchiveReader.extract(folder.appending("a"), into: folder.appending("out"))
      let file = folder.appending("out").pushing(FilePath(name))
      #expect(try text(of: file) == "hello\n")
      #expect(status(of: file)?.st_mode == S_IFREG | mode)
    }
  }

  /// A zip with one entry of 100 000 blanks of which it says, in both places, that they are 10 bytes.
  private static let lyingZip =
    "UEsDBBQAAAAIAAAAIVwt8HnKcwAAAAoAAAAGAAAAYS5qc29u7cExAQAAAMKgKuuf0hoeQAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACvBlBLAQIU"
    + "AxQAAAAIAAAAIVwt8HnKcwAAAAoAAAAGAAAAAAAAAAAAAACAAQAAAABhLmpzb25QSwUGAAAAAAEAAQA0AAAAlwAAAAAA"

  @Test func contentIsNotLongerThanAnnounced() throws {
    try withTemporaryFolder { folder in
      let archive = folder.appending("test.zip")
      try writeAtomically(Array(try #require(Data(base64Encoded: Self.lyingZip))), to: archive)
      var count = 0
      #expect(throws: ArchiveError.self) {
        try ArchiveReader.visit(archive) { entry, content in
          #expect(entry.size == 10)
          try content.pieces { count += $0.count }
          return .next
        }
      }
      #expect(count <= 10)
    }
  }

  private func list(_ bytes: [UInt8]) async throws -> [ArchiveEntry] {
    try withTemporaryFolder { folder in
      let archive = folder.appending("test.tar")
      try writeAtomically(bytes, to: archive)
      var seen: [ArchiveEntry] = []
      try ArchiveReader.entries(of: archive) { seen.append($0) }
      return seen
    }
  }
}
