import Integrity
import SystemPackage
import Testing

/// Files that are there as a whole or not at all.
@Suite struct WriteTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> FilePath { folder.path.appending(name) }

  @Test func theNewContentReplacesTheOld() throws {
    try writeAtomically("a long old content", to: path("file"))
    try writeAtomically("new", to: path("file"))
    #expect(folder.text("file") == "new" && folder.names == ["file"])
  }

  @Test func theRestOfAnInterruptedWriteIsNoHindrance() throws {
    try writeAtomically("half of something longer", to: path("file.tmp"))
    try writeAtomically("whole", to: path("file"))
    #expect(folder.text("file") == "whole" && folder.names == ["file"])
  }

  @Test func aLinkIsReplacedAndNotFollowed() throws {
    try writeAtomically("target", to: path("target"))
    try link("target", at: path("file"))
    try writeAtomically("new", to: path("file"))
    #expect(folder.text("file") == "new" && folder.text("target") == "target")
  }

  @Test func aLinkInPlaceOfTheTemporaryFileIsNotFollowed() throws {
    try writeAtomically("target", to: path("target"))
    try link("target", at: path("file.tmp"))
    #expect(throws: Errno.self) { try writeAtomically("new", to: path("file")) }
    #expect(folder.text("target") == "target" && folder.text("file") == nil)
  }

  @Test func aFailureLeavesTheOldContentAndNothingElse() throws {
    try createDirectories(path("file/inside"))
    #expect(throws: Errno.self) { try writeAtomically("new", to: path("file")) }
    #expect(folder.names == ["file"])
    #expect(throws: Errno.noSuchFileOrDirectory) { try writeAtomically("new", to: path("no/file")) }
  }

  @Test func foldersAreMadeWithThoseAbove() throws {
    try createDirectories(path("a/b/c"))
    try createDirectories(path("a/b/c"))
    try createDirectories("")
    try writeAtomically("x", to: path("a/b/c/x"))
    #expect(folder.text("a/b/c/x") == "x")
    #expect(throws: Errno.notDirectory) { try createDirectories(path("a/b/c/x")) }
    #expect(throws: Errno.notDirectory) { try createDirectories(path("a/b/c/x/y")) }
  }

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
    #expect(throws: Errno.noSuchFileOrDirectory) { try copyDurably(path("source"), to: path("copy")) }
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
