import Files
import SystemPackage
import TestSupport
import Testing

/// Files and what is known of them: read, inspected, resolved.
@Suite struct ReadTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> FilePath { folder.path.appending(name) }

  @Test(arguments: [0, 1, 1 << 20, (1 << 20) + 1])
  func aFileIsReadCompletely(_ count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 3) }
    try writeAtomically(bytes, to: path("file"))
    #expect(try readBytes(path("file")) == bytes)
    #expect(try readBytes(path("file"), limit: count) == bytes)
    if count > 0 {
      #expect(throws: FileError(.read, path("file"), .fileTooLarge)) {
        try readBytes(path("file"), limit: count - 1)
      }
    }
  }

  @Test func theBeginningOfAFileIsRead() throws {
    try writeAtomically("12345", to: path("file"))
    #expect(try readBeginning(path("file"), count: 2) == Array("12".utf8))
    #expect(try readBeginning(path("file"), count: 100) == Array("12345".utf8))
    #expect(throws: FileError(.read, path("no"), .noSuchFileOrDirectory)) {
      try readBeginning(path("no"), count: 1)
    }
  }

  @Test func whatIsNotUTF8IsReplaced() throws {
    try writeAtomically([0x61, 0xff], to: path("file"))
    #expect(try readText(path("file")) == "a\u{FFFD}")
  }

  @Test func onlyAMissingFileMayBeMissing() throws {
    #expect(try readBytes(ifPresent: path("no")) == nil)
    try createDirectories(path("folder"))
    #expect(throws: FileError(.read, path("folder"), .isDirectory)) {
      try readText(ifPresent: path("folder"))
    }
    #expect(throws: FileError(.read, path("no"), .noSuchFileOrDirectory)) { try readText(path("no")) }
  }

  @Test func anErrorIsASentence() {
    #expect("\(FileError(.read, "/a/b", .permissionDenied))" == "cannot read /a/b: Permission denied")
    #expect("\(FileError(.list, "/a", .ioError))" == "cannot list the folder /a: Input/output error")
    #expect(
      "\(FileError(.createFolder, "/a", .noSpace))" == "cannot create the folder /a: No space left on device")
  }

  @Test func aLinkIsInspectedOrFollowed() throws {
    try writeAtomically("12345", to: path("file"), permissions: .ownerReadWrite)
    try link("file", at: path("link"))
    try link("no", at: path("dangling"))
    let file = try FileInfo(path("file"))
    #expect(file.kind == .file && file.size == 5 && file.permissions == .ownerReadWrite)
    #expect(try FileInfo(path("link"), followsLinks: true) == file)
    #expect(try FileInfo(path("link")).kind == .link && FileInfo(regularFile: path("link")) == nil)
    #expect(FileInfo(regularFile: path("file")) == file)
    #expect(fileExists(path("link")) && !fileExists(path("dangling")))
    #expect(try FileInfo(path("dangling")).kind == .link)
    #expect(throws: FileError(.inspect, path("no"), .noSuchFileOrDirectory)) { try FileInfo(path("no")) }
    #expect(folderExists(folder.path) && !folderExists(path("file")))
  }

  @Test func permissionsAndTimeCanBeGivenToAnotherFile() throws {
    try writeAtomically("x", to: path("model"), permissions: [.ownerReadWriteExecute, .groupRead])
    try writeAtomically("y", to: path("file"))
    let model = try FileInfo(path("model"))
    try model.apply(to: path("file"))
    let file = try FileInfo(path("file"))
    #expect(file.permissions == model.permissions && file.modified == model.modified)
  }

  @Test func pathsAreResolved() throws {
    try createDirectories(path("folder"))
    try link("folder", at: path("link"))
    #expect(try realPath(path("link")) == realPath(folder.path).appending("folder"))
    #expect(try linkTarget(path("link")) == "folder")
    try link("../x//y/", at: path("exact"))
    #expect(try linkTarget(path("exact")) == "../x//y/")
    #expect(throws: FileError(.readLink, path("folder"), .invalidArgument)) { try linkTarget(path("folder")) }
    #expect(throws: FileError(.resolve, path("no"), .noSuchFileOrDirectory)) { try realPath(path("no")) }
    #expect(throws: FileError(.createLink, path("link"), .fileExists)) { try link("x", at: path("link")) }
    #expect(try currentFolder().isAbsolute)
  }
}
