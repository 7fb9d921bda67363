import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Files

/// Folders: listed, walked and removed.
@Suite struct FolderTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["b", "a/deep", "a/.hidden/x"] {
      try createDirectories(path(name).removingLastComponent())
      try writeAtomically(name, to: path(name))
    }
    try link("../b", at: path("a/link"))
  }

  private func path(_ name: String) -> FilePath { folder.path.appending(name) }

  @Test func theNamesComeInOrderOfBytes() throws {
    for name in ["ä", "Z", "10", "9"] { try writeAtomically("", to: path(name)) }
    #expect(try listFolder(folder.path) == ["10", "9", "Z", "a", "b", "ä"])
  }

  @Test func aMissingFolderIsAnErrorUnlessItMayBeMissing() throws {
    #expect(throws: FileError(.list, path("no"), .noSuchFileOrDirectory)) { try listFolder(path("no")) }
    #expect(throws: FileError(.list, path("b"), .notDirectory)) { try listFolder(path("b")) }
    #expect(try listFolder(ifPresent: path("no")).isEmpty)
  }

  @Test func aFolderThatStopsListingHalfWayIsAnErrorAndNotAShortFolder() throws {
    var count = 0
    #expect(throws: FileError(.list, folder.path, .ioError)) {
      try folderNames(folder.path) { stream in
        count += 1
        guard count > 2 else { return readdir(stream) }
        errno = EIO
        return nil
      }
    }
    #expect(count == 3)
  }

  @Test func whatErrnoWasBeforeIsNotTakenForAFailure() throws {
    let names = try folderNames(folder.path) { stream in
      // As after a call that failed earlier: the listing must clear it before each entry.
      #expect(errno == 0)
      let entry = readdir(stream)
      if entry != nil { errno = EAGAIN }
      return entry
    }
    #expect(names.map(\.string) == ["a", "b"])
  }

  @Test func aWalkFindsEverythingAndFollowsNoLink() throws {
    var found: [String] = []
    try walkFolder(folder.path) { entry in
      #expect(entry.path == path(entry.name))
      found.append("\(entry.name) \(entry.info.kind)")
    }
    #expect(
      found == ["a folder", "a/.hidden folder", "a/.hidden/x file", "a/deep file", "a/link link", "b file"])
    found = []
    try walkFolder(folder.path, skipping: [".hidden", "b"]) { found.append($0.name) }
    #expect(found == ["a", "a/deep", "a/link"])
  }

  @Test func whatGoesAwayDuringAWalkIsLeftOut() throws {
    var found: [String] = []
    try walkFolder(folder.path) { entry in
      if entry.name == "a" { try removeTree(path("b")) }
      found.append(entry.name)
    }
    #expect(found == ["a", "a/.hidden", "a/.hidden/x", "a/deep", "a/link"])
  }

  @Test func aTreeIsRemovedAndWhatItsLinksLeadToStays() throws {
    try removeTree(path("a"))
    #expect(folder.names == ["b"] && folder.text("b") == "b")
    try removeTree(path("a"))
    try removeTree(path("b/below"))
    try removeFile(path("no"))
    try removeFile(path("b"))
    #expect(folder.names.isEmpty)
  }

  @Test func aNameThatIsNotUTF8CanBeRemoved() throws {
    let name = try #require(
      [UInt8(0x61), 0xff, 0].withUnsafeBytes {
        FilePath.Component(platformString: $0.bindMemory(to: CChar.self).baseAddress!)
      })
    try openFile(path("a").appending(name), .writeOnly, options: .create, permissions: .publicFile).close()
    #expect(try listFolder(path("a")).contains("a\u{FFFD}"))
    try removeTree(path("a"))
    #expect(folder.names == ["b"])
  }

  @Test func onlyAnEmptyFolderIsRemovedAsSuch() throws {
    try createDirectories(path("empty"))
    #expect(removeEmptyFolder(path("empty")) && !removeEmptyFolder(path("a")) && folder.names == ["a", "b"])
  }

  @Test func temporaryFoldersArePrivateAndGoAway() async throws {
    let first = try withTemporaryFolder(in: folder.path, named: "work") { made in
      #expect(made.lastComponent?.string.hasPrefix("work-") == true)
      #expect(try FileInfo(made).permissions == .ownerReadWriteExecute)
      try writeAtomically("x", to: made.appending("x"))
      return made
    }
    let second = try await withTemporaryFolder(in: folder.path) { made in
      await Task.yield()
      #expect(folderExists(made))
      return made
    }
    #expect(!fileExists(first) && !fileExists(second) && folder.names == ["a", "b"])
    struct Broken: Error {}
    #expect(throws: Broken.self) { try withTemporaryFolder(in: folder.path) { _ in throw Broken() } }
    #expect(folder.names == ["a", "b"])
  }

  @Test func whatAKilledRunLeavesGoesAndWhatIsInUseStays() throws {
    let parent = folder.path
    let inUse = try WorkFolder(in: parent)
    // As a kill leaves one: there, with something in it, and not locked.
    let left = try createTemporaryFolder(in: parent, named: WorkFolder.name)
    try writeAtomically("x", to: left.appending("x"))
    let other = try createTemporaryFolder(in: parent, named: "kubespray-offline")
    try createLink(parent.appending("\(WorkFolder.name)-link"), to: path("a").string)
    let next = try WorkFolder(in: parent)
    #expect(!fileExists(left) && folderExists(inUse.path) && folderExists(other) && folderExists(path("a")))
    #expect(WorkFolder.removeAbandoned(in: parent).isEmpty && folderExists(next.path))
    inUse.remove()
    next.remove()
    #expect(!fileExists(inUse.path) && !fileExists(next.path))
  }

  @Test func temporaryFilesArePrivateAndDiffer() throws {
    let first = try createTemporaryFile(in: folder.path, named: "t")
    let second = try createTemporaryFile(in: folder.path, named: "t")
    #expect(first.path != second.path)
    #expect(try FileInfo(first.descriptor).permissions == .ownerReadWrite)
    try first.descriptor.close()
    try second.descriptor.close()
  }
}
