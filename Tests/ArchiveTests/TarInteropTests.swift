import Archive
import Files
import Glibc
import Host
import Integrity
import SystemPackage
import Testing

/// The system's tar reads what we write, and we read what it writes.
@Suite struct TarInteropTests {
  private let longName = "a/" + String(repeating: "long-", count: 40) + "größe"

  @Test(arguments: [ArchiveCompression.none, .gzip(level: 6)])
  func tarReadsOurs(_ compression: ArchiveCompression) async throws {
    try await withTemporaryFolder { folder in
      let archive = folder.appending("ours")
      let writer = try ArchiveWriter(archive, compression: compression, modified: 1_700_000_000)
      try writer.add(directory: "a")
      try writer.add(bytes: Array("long".utf8), as: longName)
      try writer.add(symlink: "ö", target: longName)
      try writer.add(bytes: [], as: "empty", permissions: 0o755)
      try writer.finish()
      try createDirectories(folder.appending("out"))
      let said = try await Command(
        "tar", ["-xvpf", archive.string, "-C", folder.appending("out").string],
        environment: ["LC_ALL": "C.UTF-8"]
      ).run()
      #expect(said.status == 0 && said.standardError.isEmpty, "\(said)")
      #expect(names(in: folder.appending("out")) == ["a", longName, "empty", "ö"])
      #expect(try text(of: folder.appending("out/ö")) == "long")
      let empty = try #require(status(of: folder.appending("out/empty")))
      #expect(empty.st_mode == S_IFREG | 0o755)
      #expect(empty.st_mtim.tv_sec == 1_700_000_000)
    }
  }

  @Test(arguments: ["gnu", "pax", "ustar"], ["", "z"])
  func weReadTars(_ format: String, _ compression: String) async throws {
    try await withTemporaryFolder { folder in
      let tree = folder.appending("tree")
      let name = format == "ustar" ? "a/größe" : longName
      try createDirectories(tree.appending("a"))
      try writeAtomically("content", to: tree.pushing(FilePath(name)))
      #expect(link(tree.pushing(FilePath(name)).string, tree.appending("hard").string) == 0)
      #expect(symlink(name, tree.appending("soft").string) == 0)
      let sparse = try FileDescriptor.open(
        tree.appending("sparse"), .writeOnly, options: .create, permissions: [.ownerReadWrite])
      try sparse.closeAfter {
        _ = try sparse.writeAll(toAbsoluteOffset: 1 << 20, "end".utf8)
        try sparse.resize(to: 3 << 20)
      }
      let archive = folder.appending("theirs")
      let options = format == "ustar" ? [] : ["--sparse"]
      _ = try await Command(
        "tar",
        options + ["-c\(compression)f", archive.string, "--format=\(format)", "-C", tree.string, "."]
      ).output()
      let out = folder.appending("out")
      try ArchiveReader.extract(archive, into: out)
      #expect(names(in: out) == ["a", name, "hard", "soft", "sparse"])
      #expect(try text(of: out.appending("soft")) == "content")
      #expect(status(of: out.appending("hard"))?.st_nlink == 2)
      #expect(try Digest(ofFile: out.appending("sparse")) == Digest(ofFile: tree.appending("sparse")))
    }
  }
}
