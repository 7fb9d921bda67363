import Files
import SystemPackage
import TestSupport
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

  @Test func partsAreWrittenOneBehindAnother() throws {
    // More than the system takes at once, and some without content.
    let parts = (0..<3000).map { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: $0 % 5) }
    let all = UnsafeMutableRawBufferPointer.allocate(byteCount: 6000, alignment: 1)
    defer { all.deallocate() }
    all.copyBytes(from: parts.joined())
    var pieces: [UnsafeRawBufferPointer] = []
    var place = 0
    for part in parts {
      pieces.append(UnsafeRawBufferPointer(rebasing: all[place..<place + part.count]))
      place += part.count
    }
    let file = try openFile(path("file"), .writeOnly, options: .create, permissions: .publicFile)
    try file.closeAfter {
      try file.writeAll(pieces, toAbsoluteOffset: 3)
      try file.writeAll([], toAbsoluteOffset: 0)
    }
    #expect(try readBytes(path("file")) == [0, 0, 0] + parts.joined())
  }

  @Test func theRestOfAnInterruptedWriteIsNoHindrance() throws {
    try writeAtomically("half of something longer", to: path(".incomplete.file.tmp"))
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
    try link("target", at: path(".incomplete.file.tmp"))
    #expect(throws: FileError(.create, path(".incomplete.file.tmp"), .tooManySymbolicLinkLevels)) {
      try writeAtomically("new", to: path("file"))
    }
    #expect(folder.text("target") == "target" && folder.text("file") == nil)
  }

  @Test func aFailureLeavesTheOldContentAndNothingElse() throws {
    try createDirectories(path("file/inside"))
    #expect(throws: FileError(.move, path("file"), .isDirectory)) {
      try writeAtomically("new", to: path("file"))
    }
    #expect(folder.names == ["file"])
    #expect(throws: FileError(.create, path("no/.incomplete.file.tmp"), .noSuchFileOrDirectory)) {
      try writeAtomically("new", to: path("no/file"))
    }
  }

  @Test func foldersAreMadeWithThoseAbove() throws {
    try createDirectories(path("a/b/c"))
    try createDirectories(path("a/b/c"))
    try createDirectories("")
    try writeAtomically("x", to: path("a/b/c/x"))
    #expect(folder.text("a/b/c/x") == "x")
    #expect(throws: FileError(.createFolder, path("a/b/c/x"), .notDirectory)) {
      try createDirectories(path("a/b/c/x"))
    }
    #expect(throws: FileError(.createFolder, path("a/b/c/x/y"), .notDirectory)) {
      try createDirectories(path("a/b/c/x/y"))
    }
  }
}
