import Bundle
import Integrity
import SystemPackage
import TestSupport
import Testing

/// What a machine remembers of files it has verified.
@Suite struct VerifiedFilesTests {
  let folder: TemporaryFolder
  let digest = Digest(of: Array("content".utf8))

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("content", to: "outputs/a")
    try folder.touch("outputs/a", 1_000_000)
  }

  private var memory: VerifiedFiles { VerifiedFiles(folder.path.appending("memory")) }
  private var file: FilePath { folder.path.appending("outputs/a") }

  private func record() { memory.record(file, stage: .files, sha256: digest, url: "https://example.com") }

  @Test func aFileIsKnownToTheNextProcess() throws {
    record()
    let entry = try #require(memory.entry(for: file))
    #expect(entry.sha256 == digest && entry.url == "https://example.com" && entry.size == 7)
    #expect(memory.entry(for: folder.path.appending("outputs/./../outputs/a")) == entry)
  }

  @Test func aRelativePathIsTheSameFile() throws {
    record()
    let up = String(repeating: "../", count: 32)
    #expect(memory.entry(for: FilePath(up + file.string.dropFirst())) != nil)
  }

  @Test func aFileOfAnotherTimeOrSizeIsUnknown() throws {
    record()
    try folder.touch("outputs/a", 1_000_001)
    #expect(memory.entry(for: file) == nil)
    try folder.touch("outputs/a", 1_000_000)
    #expect(memory.entry(for: file) != nil)
    try folder.append("more", to: "outputs/a")
    try folder.touch("outputs/a", 1_000_000)
    #expect(memory.entry(for: file) == nil)
  }

  @Test func aMissingFileAndALinkAreUnknown() throws {
    record()
    try folder.write("content", to: "elsewhere")
    try folder.remove("outputs/a")
    #expect(memory.entry(for: file) == nil)
    try folder.link("../elsewhere", at: "outputs/a")
    #expect(memory.entry(for: file) == nil)
  }

  @Test func whatIsNotThereIsNotRemembered() throws {
    memory.record(folder.path.appending("outputs/none"), stage: .files, sha256: digest)
    #expect(memory.recorded(below: folder.path).isEmpty)
  }

  @Test func aKillInTheMidstOfALineLosesThatLineOnly() throws {
    record()
    try folder.append("{\"path\":\"/half", to: "memory")
    try folder.write("next", to: "outputs/b")
    memory.record(folder.path.appending("outputs/b"), stage: .py, sha256: digest)
    #expect(memory.entry(for: file) != nil)
    #expect(memory.entry(for: folder.path.appending("outputs/b"))?.stage == .py)
  }

  @Test(arguments: ["", "\n\n", "garbage\n", "{}\n[1]\n\u{0}\n"])
  func garbageIsNoHindrance(_ text: String) throws {
    try folder.write(text, to: "memory")
    record()
    #expect(memory.entry(for: file) != nil)
    memory.compact()
    #expect(memory.entry(for: file) != nil)
  }

  @Test func theLastRecordCountsAndTheMemoryDoesNotGrow() throws {
    for _ in 1...5 { record() }
    memory.record(file, stage: .files, sha256: Digest(of: []))
    memory.compact()
    #expect(memory.entry(for: file)?.sha256 == Digest(of: []))
    #expect(folder.text("memory")?.split(separator: "\n").count == 1)
  }

  @Test func forgettingReachesTheDiskWhenCompacted() throws {
    record()
    let memory = memory
    memory.forget(file)
    #expect(memory.entry(for: file) == nil)
    memory.compact()
    #expect(self.memory.entry(for: file) == nil)
  }

  @Test func whatIsBelowAFolderIsListedAndItsNeighbourIsNot() throws {
    try folder.write("content", to: "outputs-2/a")
    record()
    memory.record(folder.path.appending("outputs-2/a"), stage: .files, sha256: digest)
    #expect(memory.recorded(below: folder.path.appending("outputs")).map(\.path) == ["a"])
  }

  @Test func aMemoryThatCannotBeWrittenStillServesTheRun() throws {
    let memory = VerifiedFiles(folder.path.appending("no/such/folder/memory"))
    memory.record(file, stage: .files, sha256: digest)
    #expect(memory.entry(for: file) != nil)
    memory.compact()
  }
}
