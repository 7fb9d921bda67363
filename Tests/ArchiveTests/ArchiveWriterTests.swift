import Files
import Glibc
import Integrity
import SystemPackage
import Testing

@testable import Archive

@Suite struct ArchiveWriterTests {
  @Test(arguments: [ArchiveCompression.none, .gzip(level: 6), .xz(level: 1), .zstd(level: 3)])
  func theSameInputGivesTheSameBytes(_ compression: ArchiveCompression) async throws {
    try withTemporaryFolder { folder in
      var digests: Set<Digest> = []
      for (number, names) in [["b", "a", "ä"], ["ä", "b", "a"]].enumerated() {
        let tree = folder.appending("tree-\(number)")
        try createDirectories(tree.appending("sub"))
        for name in names {
          let file = tree.appending("sub/\(name)")
          try writeAtomically(name, to: file)
          chmod(file.string, number == 0 ? 0o600 : 0o664)
        }
        chmod(tree.appending("sub").string, number == 0 ? 0o700 : 0o775)
        try writeAtomically("x", to: tree.appending("run"))
        chmod(tree.appending("run").string, number == 0 ? 0o700 : 0o755)
        let archive = folder.appending("\(number).tar")
        try ArchiveWriter.tarball(
          of: tree, as: archive, prefix: "p", excluding: [], modified: 1_700_000_000, compression: compression
        )
        digests.insert(try Digest(ofFile: archive))
      }
      #expect(digests.count == 1)
    }
  }

  @Test func entriesComeInOrderWithPlainOwnersAndModes() async throws {
    try withTemporaryFolder { folder in
      let tree = folder.appending("tree")
      try createDirectories(tree.appending("b/.git"))
      try createDirectories(tree.appending(".git/objects"))
      try writeAtomically("1", to: tree.appending("b/c"))
      try writeAtomically("2", to: tree.appending("a.b"))
      try writeAtomically("3", to: tree.appending("a"))
      #expect(symlink("b/../a", tree.appending("bad").string) == 0)
      #expect(symlink("../a", tree.appending("b/up").string) == 0)
      let archive = folder.appending("t.tar.gz")
      #expect(throws: ArchiveError.self) {
        try ArchiveWriter.tarball(of: tree, as: archive, prefix: "p-1", excluding: [".git"], modified: 5)
      }
      #expect(names(in: folder).filter { !$0.hasPrefix("tree") }.isEmpty)
      unlink(tree.appending("bad").string)
      try ArchiveWriter.tarball(of: tree, as: archive, prefix: "p-1", excluding: [".git"], modified: 5)
      var entries: [ArchiveEntry] = []
      try ArchiveReader.entries(of: archive) { entries.append($0) }
      #expect(entries.map(\.path) == ["p-1", "p-1/a", "p-1/a.b", "p-1/b", "p-1/b/c", "p-1/b/up"])
      #expect(entries.map(\.permissions) == [0o755, 0o644, 0o644, 0o755, 0o644, 0o777])
      #expect(entries.allSatisfy { $0.modified == 5 })
    }
  }

  @Test func aLinkOutOfThePackedFolderIsNamed() async throws {
    try withTemporaryFolder { folder in
      try createDirectories(folder.appending("tree"))
      #expect(symlink("../../x", folder.appending("tree/out").string) == 0)
      let error = try #require(throws: ArchiveError.self) {
        try ArchiveWriter.tarball(
          of: folder.appending("tree"), as: folder.appending("t.tar"), prefix: "a/b", excluding: [],
          modified: 0)
      }
      #expect(error.description.contains("is a symbolic link that leaves its folder, to \"../../x\""))
      #expect(names(in: folder) == ["tree", "tree/out"])
    }
  }

  @Test func theGzipHeaderHasNeitherTimeNorName() async throws {
    try withTemporaryFolder { folder in
      let archive = folder.appending("t.tar.gz")
      let writer = try ArchiveWriter(archive, compression: .gzip(level: 6), modified: 1_700_000_000)
      try writer.add(bytes: [1], as: "a")
      try writer.finish()
      var bytes: [UInt8] = []
      try readFile(archive) { bytes += $0 }
      // RFC 1952: magic, deflate, FLG without FNAME, MTIME 0.
      #expect(bytes[..<8] == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0])
    }
  }

  @Test func anUnfinishedArchiveLeavesTheOldOne() async throws {
    try withTemporaryFolder { folder in
      let archive = folder.appending("t.tar")
      try writeAtomically("old", to: archive)
      do {
        let writer = try ArchiveWriter(archive, compression: .none)
        try writer.add(bytes: Array(repeating: 1, count: 1 << 20), as: "a")
        #expect(names(in: folder) == [".incomplete.t.tar.tmp", "t.tar"])
      }
      #expect(names(in: folder) == ["t.tar"])
      #expect(try text(of: archive) == "old")
    }
  }

  @Test func afterAnErrorNothingIsLeftAndNothingIsFinished() async throws {
    try withTemporaryFolder { folder in
      let archive = folder.appending("t.tar")
      let writer = try ArchiveWriter(archive, compression: .none)
      try writer.add(bytes: [1], as: "a")
      let error = try #require(throws: ArchiveError.self) {
        try writer.add(file: folder.appending("missing"), as: "b")
      }
      #expect(error.description == "cannot add \"b\" to \(archive): No such file or directory")
      #expect(throws: ArchiveError.self) { try writer.add(bytes: [1], as: "c") }
      #expect(throws: ArchiveError.self) { try writer.finish() }
      #expect(names(in: folder).isEmpty)
    }
  }

  @Test(arguments: ["", "/a", "../a", "a/../b", "a//b", "./a", "a/", ".", "there"])
  func badNamesAreRefused(_ name: String) async throws {
    try withTemporaryFolder { folder in
      let writer = try ArchiveWriter(folder.appending("t.tar"), compression: .none)
      try writer.add(bytes: [], as: "there")
      #expect(throws: ArchiveError.self) { try writer.add(bytes: [], as: name) }
    }
  }

  @Test(arguments: [
    ArchiveCompression.gzip(level: 10), .gzip(level: -1), .xz(level: 12), .zstd(level: 0), .zstd(level: 23),
  ])
  func badLevelsAreRefused(_ compression: ArchiveCompression) async throws {
    try withTemporaryFolder { folder in
      #expect(throws: ArchiveError.self) {
        try ArchiveWriter(folder.appending("t.tar"), compression: compression)
      }
      #expect(names(in: folder).isEmpty)
    }
  }

  @Test func sizeAndDigestOfTheFileAreTold() async throws {
    try withTemporaryFolder { folder in
      let archive = folder.appending("t.tar.gz")
      let writer = try ArchiveWriter(archive, compression: .gzip(level: 0))
      try writer.add(bytes: Array(repeating: 7, count: 1 << 20), as: "a")
      let written = try writer.finish()
      #expect(written.size == status(of: archive).map { Int64($0.st_size) })
      #expect(try written.sha256 == Digest(ofFile: archive))
    }
  }

  @Test func aFullDiskIsTold() throws {
    // Writing to this device fails as on a full disk.
    let device = try FileDescriptor.open("/dev/full", .writeOnly)
    defer { try? device.close() }
    let handle = try WriteHandle(ArchiveOutput(device), compression: .none)
    try handle.writeHeader(
      ArchiveEntry(path: "a", kind: .file, size: 1 << 20, permissions: 0o644, modified: 0))
    let failure = try #require(throws: WriteHandle.Failure.self) {
      try Array(repeating: 1, count: 1 << 20).withUnsafeBytes { bytes throws in try handle.writeContent(bytes)
      }
    }
    #expect(failure.reason == "No space left on device")
  }

  @Test func aFileThatIsNotTheExpectedOneIsRefused() async throws {
    try withTemporaryFolder { folder in
      let file = folder.appending("file")
      try writeAtomically("content", to: file)
      let right = Digest(of: Array("content".utf8))
      for (size, digest, isRight) in [
        (7, right, true), (7, nil, true), (8, nil, false), (7, Digest(of: []), false),
      ] as [(Int64, Digest?, Bool)] {
        let writer = try ArchiveWriter(folder.appending("t.tar"), compression: .none)
        if isRight {
          try writer.add(file: file, as: "a", size: size, digest: digest)
        } else {
          #expect(throws: ArchiveError.self) {
            try writer.add(file: file, as: "a", size: size, digest: digest)
          }
        }
      }
    }
  }

  @Test func aFolderIsNoFile() async throws {
    try withTemporaryFolder { folder in
      let writer = try ArchiveWriter(folder.appending("t.tar"), compression: .none)
      let error = try #require(throws: ArchiveError.self) { try writer.add(file: folder, as: "x") }
      #expect(error.description.hasSuffix("it is not a regular file"))
    }
  }
}
