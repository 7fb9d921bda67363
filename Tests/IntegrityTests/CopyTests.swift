import Files
import Integrity
import SystemPackage
import TestSupport
import Testing

/// Copies that prove what they copied.
@Suite struct CopyTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> FilePath { folder.path.appending(name) }

  @Test(arguments: [0, 1, (1 << 20) - 1, 1 << 20, 3_000_000])
  func aCopyHasTheBytesAndTellsThem(_ count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
    try writeAtomically(bytes, to: path("source"))
    let copied = try copyDurably(path("source"), to: path("copy"))
    #expect(copied.size == Int64(count) && copied.sha256 == Digest(of: bytes))
    #expect(try Digest(ofFile: path("copy")) == Digest(of: bytes))
    #expect(folder.names == ["copy", "source"])
  }

  @Test(arguments: [DigestAlgorithm.sha256, .sha512])
  func aCopyOfOtherBytesThanExpectedDoesNotAppear(_ algorithm: DigestAlgorithm) throws {
    try writeAtomically("source", to: path("source"))
    try writeAtomically("old", to: path("copy"))
    let expected = Digest(of: Array("other".utf8), algorithm: algorithm)
    let error = #expect(throws: CopyMismatch.self) {
      try copyDurably(path("source"), to: path("copy"), expecting: expected)
    }
    #expect("\(try #require(error))".contains("\(expected) was expected"))
    #expect(folder.text("copy") == "old" && folder.names == ["copy", "source"])
    let right = Digest(of: Array("source".utf8), algorithm: algorithm)
    _ = try copyDurably(path("source"), to: path("copy"), expecting: right)
    #expect(folder.text("copy") == "source")
  }

  @Test func aMissingSourceLeavesTheDestination() throws {
    try writeAtomically("old", to: path("copy"))
    #expect(throws: FileError(.read, path("source"), .noSuchFileOrDirectory)) {
      try copyDurably(path("source"), to: path("copy"))
    }
    #expect(folder.text("copy") == "old" && folder.names == ["copy"])
  }

  @Test func bothDigestsComeOfOneReading() throws {
    try writeAtomically("abc", to: path("file"))
    let bytes = Array("abc".utf8)
    for algorithm in DigestAlgorithm.allCases {
      let found = try digests(ofFile: path("file"), algorithm)
      #expect(found.wanted == Digest(of: bytes, algorithm: algorithm) && found.sha256 == Digest(of: bytes))
    }
  }
}
