import Files
import Glibc
import SystemPackage
import Testing

@testable import Archive

@Suite struct HostileArchiveTests {
  struct Attack: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let entries: [(name: String, type: Character, link: String)]
    /// The entry and the reason that the error must name.
    let culprit: String
    let reason: String

    init(
      _ description: String, _ entries: [(name: String, type: Character, link: String)], culprit: String,
      reason: String
    ) {
      testDescription = description
      self.entries = entries
      self.culprit = culprit
      self.reason = reason
    }
  }

  static let attacks = [
    Attack(
      "parent folder", [("../victim", "0", "")], culprit: "../victim", reason: "has \"..\" in its path"),
    Attack(
      "parent folder in the middle", [("a/../../victim", "0", "")], culprit: "a/../../victim",
      reason: "has \"..\" in its path"),
    Attack(
      "a slash with a mark", [("../\u{301}victim", "0", "")], culprit: "../\u{301}victim",
      reason: "has a name or a target in which something combines with a slash"),
    Attack(
      "a root with a mark", [("/\u{301}victim", "0", "")], culprit: "/\u{301}victim",
      reason: "has a name or a target in which something combines with a slash"),
    Attack(
      "a link over a slash with a mark", [("a", "2", "../\u{301}victim")], culprit: "../\u{301}victim",
      reason: "has a name or a target in which something combines with a slash"),
    Attack("absolute", [("/tmp/victim", "0", "")], culprit: "/tmp/victim", reason: "has an absolute path"),
    Attack(
      "absolute link", [("a", "2", "/etc/passwd")], culprit: "a",
      reason: "is a symbolic link to the absolute path \"/etc/passwd\""),
    Attack(
      "link to the parent", [("a", "2", "..")], culprit: "a",
      reason: "is a symbolic link that leaves its folder, to \"..\""),
    Attack(
      "deep link out", [("a/b/c", "2", "../../../victim")], culprit: "a/b/c",
      reason: "is a symbolic link that leaves its folder, to \"../../../victim\""),
    Attack(
      "two links that leave together", [("d/d/up", "2", "../.."), ("out", "2", "d/d/up/../victim")],
      culprit: "out", reason: "is a symbolic link that leaves its folder"),
    Attack(
      "file through a link", [("here", "2", "."), ("here/x", "0", "")], culprit: "here/x",
      reason: "has a path through something that is not a folder"),
    Attack(
      "directory in place of a link", [("here", "2", "."), ("here/", "5", "")], culprit: "here",
      reason: "has a path through something that is not a folder"),
    Attack(
      "file below a file", [("a", "0", ""), ("a/b", "0", "")], culprit: "a/b",
      reason: "has a path through something that is not a folder"),
    Attack(
      "hard link to the parent", [("a", "1", "../victim")], culprit: "a", reason: "has \"..\" in its path"),
    Attack(
      "hard link to an absolute path", [("a", "1", "/etc/passwd")], culprit: "a",
      reason: "has an absolute path"),
    Attack(
      "hard link to nothing", [("a", "1", "b")], culprit: "a",
      reason: "is a hard link to \"b\", which was not extracted before it"),
    Attack(
      "hard link to a symbolic link", [("b", "2", "c"), ("a", "1", "b")], culprit: "a",
      reason: "is a hard link to \"b\", which was not extracted before it"),
    Attack(
      "device", [("sda", "4", "")], culprit: "sda", reason: "is a device node, a named pipe or a socket"),
    Attack("pipe", [("p", "6", "")], culprit: "p", reason: "is a device node, a named pipe or a socket"),
    Attack(
      "terminal escape in the name", [("../\u{1b}[2J", "0", "")], culprit: "../\\u{1B}[2J",
      reason: "has \"..\" in its path"),
  ]

  @Test(arguments: attacks) func nothingOutsideIsTouched(_ attack: Attack) async throws {
    try withTemporaryFolder { folder in
      try writeAtomically("untouched", to: folder.appending("victim"))
      var tar = RawTar()
      for entry in attack.entries {
        tar.add(entry.name, type: entry.type, content: entry.type == "0" ? "evil" : "", link: entry.link)
      }
      try writeAtomically(tar.finished, to: folder.appending("a.tar"))
      let error = try #require(throws: ArchiveError.self) {
        try ArchiveReader.extract(folder.appending("a.tar"), into: folder.appending("out"))
      }
      guard case .unsafeEntry = error else {
        Issue.record("\(error)")
        return
      }
      #expect(error.description.contains("its entry \"\(attack.culprit)\" \(attack.reason)"))
      #expect(try text(of: folder.appending("victim")) == "untouched")
      #expect(names(in: folder).filter { !$0.hasPrefix("out") } == ["a.tar", "victim"])
      #expect(status(of: "/tmp/victim") == nil)
    }
  }

  @Test func aLinkThatWasThereBeforeIsNotFollowed() async throws {
    try withTemporaryFolder { folder in
      let out = folder.appending("out")
      try createDirectories(out)
      try writeAtomically("untouched", to: folder.appending("victim"))
      #expect(symlink("../victim", out.appending("file").string) == 0)
      #expect(symlink("..", out.appending("folder").string) == 0)
      var tar = RawTar()
      tar.add("file", content: "new")
      try writeAtomically(tar.finished, to: folder.appending("a.tar"))
      try ArchiveReader.extract(folder.appending("a.tar"), into: out)
      #expect(try text(of: out.appending("file")) == "new")
      #expect(try text(of: folder.appending("victim")) == "untouched")
      tar.add("folder/victim", content: "evil")
      try writeAtomically(tar.finished, to: folder.appending("a.tar"))
      #expect(throws: ArchiveError.self) { try ArchiveReader.extract(folder.appending("a.tar"), into: out) }
      #expect(try text(of: folder.appending("victim")) == "untouched")
    }
  }

  @Test func replacingAHardLinkLeavesItsOtherNameAlone() async throws {
    try withTemporaryFolder { folder in
      var tar = RawTar()
      tar.add("a", content: "first")
      tar.add("b", type: "1", link: "a")
      tar.add("b", content: "second")
      try writeAtomically(tar.finished, to: folder.appending("a.tar"))
      try ArchiveReader.extract(folder.appending("a.tar"), into: folder.appending("out"))
      #expect(try text(of: folder.appending("out/a")) == "first")
      #expect(try text(of: folder.appending("out/b")) == "second")
    }
  }

  @Test func limitsStopABomb() async throws {
    try withTemporaryFolder { folder in
      let bomb = folder.appending("bomb.tar.gz")
      let writer = try ArchiveWriter(bomb, compression: .gzip(level: 9))
      for number in 1...3 { try writer.add(bytes: [UInt8](repeating: 0, count: 1 << 20), as: "\(number)") }
      try writer.finish()
      let out = folder.appending("out")
      let bytes = try #require(throws: ArchiveError.self) {
        try ArchiveReader.extract(bomb, into: out, limits: ExtractionLimits(totalBytes: 5 << 19))
      }
      #expect(bytes.description.contains("its files have more than 2621440 bytes"))
      #expect(names(in: out) == ["1", "2"])
      let entries = try #require(throws: ArchiveError.self) {
        try ArchiveReader.extract(bomb, into: out, limits: ExtractionLimits(entries: 2))
      }
      #expect(entries.description.contains("it has more than 2 entries"))
      try ArchiveReader.extract(bomb, into: out, limits: ExtractionLimits(totalBytes: 3 << 20, entries: 3))
    }
  }

  /// A header may claim any size; nothing may be reserved or written on its word alone.
  @Test func aHugeClaimedSizeIsRefusedAtOnce() async throws {
    try withTemporaryFolder { folder in
      var tar = RawTar()
      tar.add("huge", content: "small", size: 0o77777777777)
      try writeAtomically(tar.finished, to: folder.appending("a.tar"))
      let out = folder.appending("out")
      #expect(throws: ArchiveError.self) {
        try ArchiveReader.extract(
          folder.appending("a.tar"), into: out, limits: ExtractionLimits(totalBytes: 1 << 20))
      }
      #expect(names(in: out).isEmpty)
    }
  }
}
