import Archive
import Cache
import Files
import Foundation
import Host
import Integrity
import Kubespray
import Synchronization
import SystemPackage
import Testing

/// Collects progress lines.
final class Lines: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
}

@Suite struct WorkspaceTests {
  private let version: KubesprayVersion

  init() throws { version = try KubesprayVersion("0.9.1") }

  /// The names of the trees in a cache.
  private static func trees(in cache: FilePath) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: cache.appending("trees-v2").string)
      .filter { !$0.hasPrefix(".") }
  }

  private func names(in archive: FilePath) throws -> [String] {
    var names: [String] = []
    try ArchiveReader.entries(of: archive) { names.append($0.path) }
    return names
  }

  /// A copy of the small tree with things that are no part of it.
  private func userTree(in folder: FilePath) throws -> FilePath {
    let tree = folder.appending("my kubespray")
    try FileManager.default.copyItem(atPath: miniTree.string, toPath: tree.string)
    for name in [".git/HEAD", "roles/download/__pycache__/x.pyc"] {
      let path = tree.appending(name)
      try createDirectories(path.removingLastComponent())
      try writeAtomically("x", to: path)
    }
    return tree
  }

  @Test func `A checkout with line ends of Windows gets those of the repository`() async throws {
    try await withTemporaryFolder { folder in
      let tree = try userTree(in: folder)
      let plain = try await KubesprayWorkspace(
        version: version, patches: nil, cache: try Cache(folder.appending("one"))
      ).prepare(.folder(tree))
      try writeAtomically([0, 13, 10, 13, 10], to: tree.appending("logo.png"))
      var texts = 0
      try walkFolder(tree, skipping: ["logo.png"]) { entry in
        guard entry.info.kind == .file else { return }
        let bytes = try readBytes(entry.path)
        texts += bytes.contains(10) ? 1 : 0
        try writeAtomically(
          bytes.flatMap { $0 == 10 ? [13, 10] : [$0] }, to: entry.path, permissions: entry.info.permissions)
      }
      #expect(texts > 3)
      let copy = try await KubesprayWorkspace(
        version: version, patches: nil, cache: try Cache(folder.appending("two"))
      ).prepare(.folder(tree))
      #expect(copy.tree.declaredVersion == "0.9.1")
      #expect(try readBytes(copy.tree.requirements) == readBytes(plain.tree.requirements))
      #expect(try readBytes(copy.tree.path.appending("logo.png")) == [0, 13, 10, 13, 10])
      // The tarball has what the copy has.
      let unpacked = folder.appending("unpacked")
      try ArchiveReader.extract(copy.tarball, into: unpacked, strippingComponents: 1)
      try removeFile(unpacked.appending("logo.png"))
      let original = folder.appending("original")
      try ArchiveReader.extract(plain.tarball, into: original, strippingComponents: 1)
      var differing: [String] = []
      try walkFolder(original) { entry in
        guard entry.info.kind == .file else { return }
        let other = try readBytes(ifPresent: unpacked.pushing(FilePath(entry.name)))
        if try readBytes(entry.path) != other { differing.append(entry.name) }
      }
      #expect(differing.isEmpty)
    }
  }

  @Test func `A folder becomes a tarball and a copy, and stays as it is`() async throws {
    try await withTemporaryFolder { folder in
      let tree = try userTree(in: folder)
      let workspace = KubesprayWorkspace(
        version: version, patches: nil, cache: try Cache(folder.appending("cache")))
      let copy = try await workspace.prepare(.folder(tree))
      #expect(copy.tree.declaredVersion == "0.9.1")
      let names = try names(in: copy.tarball)
      #expect(names.allSatisfy { $0.hasPrefix("kubespray-0.9.1") })
      #expect(names.contains { $0.hasSuffix("contrib/offline/generate_list.sh") })
      #expect(!names.contains { $0.contains(".git/") || $0.contains("__pycache__") })
      let first = try Digest(ofFile: copy.tarball)

      let lines = Lines()
      let again = try await workspace.prepare(.folder(tree)) { lines.add($0) }
      #expect(lines.all == ["kubespray 0.9.1 is ready"])
      #expect(again.stamp == copy.stamp)

      try writeAtomically("jmespath==1.0.1\n", to: tree.appending("requirements.txt"))
      let changed = try await workspace.prepare(.folder(tree))
      #expect(changed.stamp != copy.stamp)
      #expect(
        try String(contentsOfFile: changed.tree.requirements.string, encoding: .utf8) == "jmespath==1.0.1\n")
      #expect(FileManager.default.fileExists(atPath: tree.appending(".git/HEAD").string))

      let elsewhere = KubesprayWorkspace(
        version: version, patches: nil, cache: try Cache(folder.appending("other")))
      try writeAtomically("jmespath==1.0.1\n", to: tree.appending("requirements.txt"))
      let same = try await elsewhere.prepare(.folder(tree))
      #expect(try Digest(ofFile: same.tarball) == Digest(ofFile: changed.tarball))
      #expect(try Digest(ofFile: same.tarball) != first)
    }
  }

  @Test func `A release tarball is carried byte for byte`() async throws {
    try await withTemporaryFolder { folder in
      let tarball = folder.appending("download")
      try ArchiveWriter.tarball(
        of: miniTree, as: tarball, prefix: "kubespray-0.9.1", excluding: [], modified: 5)
      let workspace = KubesprayWorkspace(
        version: version, patches: nil, cache: try Cache(folder.appending("cache")))
      #expect(
        try KubespraySource.release.downloadURL(for: version)
          == "https://github.com/kubernetes-sigs/kubespray/archive/refs/tags/v0.9.1.tar.gz")
      let copy = try await workspace.prepare(.release, downloaded: tarball)
      #expect(try Digest(ofFile: copy.tarball) == Digest(ofFile: tarball))
      await #expect(throws: KubespraySourceError.self) { try await workspace.prepare(.release) }
    }
  }

  @Test
  func `What is served for a known release and has other files is refused; a source of one's own is not`()
    async throws
  {
    try await withTemporaryFolder { folder in
      let known = try KubesprayVersion("2.30.0")
      let tarball = folder.appending("download")
      try ArchiveWriter.tarball(
        of: miniTree, as: tarball, prefix: "kubespray-2.30.0", excluding: [], modified: 5)
      let cache = folder.appending("cache")
      let workspace = KubesprayWorkspace(version: known, patches: nil, cache: try Cache(cache))
      let error = await #expect(throws: KubespraySourceError.self) {
        try await workspace.prepare(.release, downloaded: tarball)
      }
      let expected = try #require(KubesprayReleases.tree(of: known))
      #expect(error?.description.contains("kubespray 2.30.0") == true)
      #expect(error?.description.contains("\(expected)") == true)
      #expect(try Self.trees(in: cache).isEmpty)
      let own = try await workspace.prepare(.tarball(tarball))
      #expect(!own.isKnownRelease && own.sourceTree != expected)
      // The same bytes under the address of the release, when the cache has them.
      await #expect(throws: KubespraySourceError.self) {
        try await workspace.prepare(.release, downloaded: tarball)
      }
      let other = KubesprayWorkspace(version: version, patches: nil, cache: try Cache(cache))
      #expect(try await other.prepare(.folder(miniTree)).sourceTree == own.sourceTree)
      #expect(KubesprayReleases.tree(of: try KubesprayVersion("v2.31.0")) != nil)
      #expect(KubesprayReleases.tree(of: try KubesprayVersion("master")) == nil)
    }
  }

  @Test(
    "a release that is newer than all known ones is told from an older one and from what is no release",
    arguments: [
      ("999.0.0", true), ("2.999.1", true), ("v2.100.0-rc1", true), ("2.9.999", false), ("2.30.0", false),
      ("master", false), ("0123456789", false),
    ])
  func newerRelease(_ text: String, _ isNewer: Bool) throws {
    #expect(KubesprayReleases.areOlder(than: try KubesprayVersion(text)) == isNewer)
    #expect(try !KubesprayReleases.areOlder(than: KubesprayVersion(KubesprayReleases.newest)))
  }

  @Test func `A tarball with another folder is packed anew under the expected name`() async throws {
    try await withTemporaryFolder { folder in
      let tarball = folder.appending("kubespray.tar.xz")
      try ArchiveWriter.tarball(
        of: miniTree, as: tarball, prefix: "kubespray-master", excluding: [], modified: 5, compression: .xz())
      let workspace = KubesprayWorkspace(
        version: version, patches: nil, cache: try Cache(folder.appending("cache")))
      let copy = try await workspace.prepare(try KubespraySource(tarball.string))
      #expect(try names(in: copy.tarball).allSatisfy { $0.hasPrefix("kubespray-0.9.1") })
    }
  }

  @Test func `A page in place of a tarball, and a tarball of something else, are errors at once`()
    async throws
  {
    try await withTemporaryFolder { folder in
      let workspace = KubesprayWorkspace(
        version: version, patches: nil, cache: try Cache(folder.appending("cache")))
      let page = folder.appending("page.tar.gz")
      try writeAtomically("<!DOCTYPE html><html><body>Not Found</body></html>", to: page)
      let first = await #expect(throws: KubespraySourceError.self) {
        try await workspace.prepare(.release, downloaded: page)
      }
      #expect(try #require(first).description.contains("github.com"))

      let other = folder.appending("other")
      try createDirectories(other)
      try writeAtomically("hello", to: other.appending("README"))
      let tarball = folder.appending("other.tar.gz")
      try ArchiveWriter.tarball(of: other, as: tarball, prefix: "other", excluding: [], modified: 5)
      let second = await #expect(throws: KubesprayTreeError.self) {
        try await workspace.prepare(.tarball(tarball))
      }
      #expect(try #require(second).description.contains("README"))
      await #expect(throws: KubesprayTreeError.self) { try await workspace.prepare(.folder(other)) }
      #expect(try Self.trees(in: folder.appending("cache")).isEmpty)
    }
  }

  @Test func `Patches change the copy, not the tarball; one that does not fit changes nothing`() async throws
  {
    try await withTemporaryFolder { folder in
      let patches = folder.appending("patches")
      try createDirectories(patches)
      func patch(_ name: String, from old: String, to new: String) throws {
        let text = "--- a/galaxy.yml\n+++ b/galaxy.yml\n@@ -4 +4 @@\n-version: \(old)\n+version: \(new)\n"
        try writeAtomically(text, to: patches.appending(name))
      }
      try patch("0002-b.patch", from: "0.9.2", to: "0.9.3")
      try patch("0001-a.patch", from: "0.9.1", to: "0.9.2")
      let workspace = KubesprayWorkspace(
        version: version, patches: patches, cache: try Cache(folder.appending("cache")))
      let copy = try await workspace.prepare(.folder(miniTree))
      #expect(copy.tree.declaredVersion == "0.9.3")
      let unpacked = folder.appending("unpacked")
      try ArchiveReader.extract(copy.tarball, into: unpacked, strippingComponents: 1)
      #expect(try KubesprayTree(unpacked).declaredVersion == "0.9.1")

      try patch("0003-c.patch", from: "7", to: "8")
      let error = await #expect(throws: KubespraySourceError.self) {
        try await workspace.prepare(.folder(miniTree))
      }
      let text = try #require(error).description
      #expect(text.contains("0003-c.patch") && text.contains("galaxy.yml"))
      #expect(try KubesprayTree(copy.tree.path).declaredVersion == "0.9.3")
      #expect(
        try Self.trees(in: folder.appending("cache")) == [
          try #require(copy.tree.path.removingLastComponent().lastComponent?.string)
        ])
      let left = try FileManager.default.contentsOfDirectory(
        atPath: copy.tree.path.removingLastComponent().string)
      #expect(left.sorted() == ["kubespray-0.9.1.tar.gz", "tree", "tree-id"])
    }
  }

  @Test func `A git repository is read at a tag, a branch and a commit`() async throws {
    try await withTemporaryFolder { folder in
      let repository = folder.appending("repository")
      try FileManager.default.copyItem(atPath: miniTree.string, toPath: repository.string)
      func git(_ arguments: String...) async throws -> String {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        return try await Command("git", ["-C", repository.string] + identity + arguments).output()
      }
      _ = try await git("init", "--quiet", "-b", "master")
      _ = try await git("add", "-A")
      _ = try await git("commit", "--quiet", "-m", "one")
      _ = try await git("tag", "-a", "v0.9.1", "-m", "release")
      let commit = try await git("rev-parse", "--short=10", "HEAD").trimmingCharacters(in: .newlines)
      try writeAtomically("---\nversion: 0.9.9\n", to: repository.appending("galaxy.yml"))
      _ = try await git("commit", "--quiet", "-am", "two")

      func copy(of text: String, as version: String) async throws -> WorkingCopy {
        let workspace = KubesprayWorkspace(
          version: try KubesprayVersion(version), patches: nil, cache: try Cache(folder.appending("cache")))
        return try await workspace.prepare(try KubespraySource(text))
      }
      func version(of text: String, as version: String) async throws -> String? {
        try await copy(of: text, as: version).tree.declaredVersion
      }
      let url = "file://\(repository.string.replacing(" ", with: "%20"))"
      #expect(try await version(of: url, as: "0.9.1") == "0.9.1")
      #expect(try await version(of: "\(url)#master", as: "0.9.1") == "0.9.9")
      #expect(try await version(of: url, as: "master") == "0.9.9")
      #expect(try await version(of: url, as: commit) == "0.9.1")
      await #expect(throws: KubespraySourceError.self) {
        try await version(of: "\(url)#nothing", as: "0.9.1")
      }
      let archive = try await copy(of: url, as: "master").tarball
      #expect(!(try names(in: archive)).contains { $0.contains("/.git/") })
    }
  }

  @Test(
    "What the setting means",
    arguments: [
      ("", KubespraySource.release),
      ("https://example.com/k.tar.gz", .download(url: "https://example.com/k.tar.gz")),
      ("https://example.com/k.git#a/b", .git(url: "https://example.com/k.git", reference: "a/b")),
      ("https://example.com/k", .git(url: "https://example.com/k", reference: nil)),
      ("git@example.com:o/k.git", .git(url: "git@example.com:o/k.git", reference: nil)),
      ("ssh://git@example.com/k#v1", .git(url: "ssh://git@example.com/k", reference: "v1")),
    ])
  func setting(text: String, expected: KubespraySource) throws {
    #expect(try KubespraySource(text) == expected)
  }

  @Test(
    "Settings that lead nowhere", arguments: ["/no/such/folder", "https://example.com/k.git#--upload-pack=x"])
  func badSetting(text: String) {
    #expect(throws: KubespraySourceError.self) { try KubespraySource(text) }
  }
}
