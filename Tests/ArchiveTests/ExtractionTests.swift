import Files
import Glibc
import SystemPackage
import Testing

@testable import Archive

@Suite struct ExtractionTests {
  @Test func modesTimesAndLinks() async throws {
    var tar = RawTar()
    tar.add("top/", type: "5", mode: 0o2777, modified: 1_000_000_000)
    tar.add("top/run", content: "run", mode: 0o6777, modified: 1_100_000_000)
    tar.add("top/secret", content: "s", mode: 0o600)
    tar.add("top/locked", content: "l", mode: 0o0)
    tar.add("top/sub/up", type: "2", link: "../run", modified: 1_200_000_000)
    tar.add("top/again", type: "1", link: "./top/run")
    tar.add("top/read-only/", type: "5", mode: 0o555)
    tar.add("top/read-only/file", content: "inside")
    try await extracted(tar) { out in
      let top = try #require(status(of: out.appending("top")))
      #expect(top.st_mode == S_IFDIR | 0o755)
      #expect(top.st_mtim.tv_sec == 1_000_000_000)
      let run = try #require(status(of: out.appending("top/run")))
      #expect(run.st_mode == S_IFREG | 0o755)
      #expect(run.st_mtim.tv_sec == 1_100_000_000)
      #expect(run.st_nlink == 2)
      #expect(status(of: out.appending("top/again"))?.st_ino == run.st_ino)
      #expect(status(of: out.appending("top/secret"))?.st_mode == S_IFREG | 0o600)
      #expect(status(of: out.appending("top/locked"))?.st_mode == S_IFREG | 0o600)
      #expect(status(of: out.appending("top/sub"))?.st_mode == S_IFDIR | 0o755)
      let link = try #require(status(of: out.appending("top/sub/up")))
      #expect(link.st_mode & S_IFMT == S_IFLNK)
      #expect(link.st_mtim.tv_sec == 1_200_000_000)
      #expect(try text(of: out.appending("top/sub/up")) == "run")
      #expect(try text(of: out.appending("top/read-only/file")) == "inside")
    }
  }

  @Test func leadingFoldersAreStripped() async throws {
    var tar = RawTar()
    tar.add("kubespray-2.30.0/", type: "5")
    tar.add("kubespray-2.30.0/cluster.yml", content: "c")
    tar.add("kubespray-2.30.0/a/b", content: "b")
    tar.add("kubespray-2.30.0/a/hard", type: "1", link: "kubespray-2.30.0/a/b")
    try await extracted(tar, strippingComponents: 2) { out in #expect(names(in: out) == ["b", "hard"]) }
    tar.add("kubespray-2.30.0/a/soft", type: "2", link: "../cluster.yml")
    try await extracted(tar, strippingComponents: 1) { out in
      let contents = try ["a/hard", "a/soft"].map { try text(of: out.pushing(FilePath($0))) }
      #expect(contents == ["b", "c"])
      #expect(names(in: out) == ["a", "a/b", "a/hard", "a/soft", "cluster.yml"])
    }
  }

  @Test func aLinkThatLeavesOnlyAfterStrippingIsRefused() async throws {
    var tar = RawTar()
    tar.add("top/link", type: "2", link: "../other")
    try await extracted(tar) { out in #expect(names(in: out) == ["top", "top/link"]) }
    await #expect(throws: ArchiveError.self) { try await extracted(tar, strippingComponents: 1) { _ in } }
  }

  @Test func anUnfinishedFileIsRemoved() async throws {
    try withTemporaryFolder { folder in
      var tar = RawTar()
      tar.add("whole", content: "1")
      tar.add("part", content: "2", size: 4000)
      try writeAtomically(tar.bytes, to: folder.appending("a.tar"))
      let error = try #require(throws: ArchiveError.self) {
        try ArchiveReader.extract(folder.appending("a.tar"), into: folder.appending("out"))
      }
      #expect(error.description.contains("is damaged at \"part\""))
      #expect(names(in: folder.appending("out")) == ["whole"])
    }
  }

  @Test func aFolderThatCannotBeMadeIsNamed() async throws {
    try withTemporaryFolder { folder in
      try writeAtomically(RawTar().finished, to: folder.appending("a.tar"))
      let error = try #require(throws: ArchiveError.self) {
        try ArchiveReader.extract(folder.appending("a.tar"), into: folder.appending("a.tar/x"))
      }
      #expect(error.description.contains("a.tar/x: Not a directory"))
    }
  }

  @Test func aCancelledTaskStops() async throws {
    try await withTemporaryFolder { folder in
      var tar = RawTar()
      tar.add("a", content: "1")
      try writeAtomically(tar.finished, to: folder.appending("a.tar"))
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try ArchiveReader.extract(folder.appending("a.tar"), into: folder.appending("out"))
      }
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(names(in: folder.appending("out")).isEmpty)
    }
  }

  private func extracted(
    _ tar: RawTar, strippingComponents: Int = 0, _ body: (FilePath) throws -> Void
  ) async throws {
    try withTemporaryFolder { folder in
      let archive = folder.appending("a.tar")
      try writeAtomically(tar.finished, to: archive)
      try ArchiveReader.extract(
        archive, into: folder.appending("new/out"), strippingComponents: strippingComponents)
      try body(folder.appending("new/out"))
    }
  }
}
