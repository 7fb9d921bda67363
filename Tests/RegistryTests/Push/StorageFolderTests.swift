import Files
import Integrity
import SystemPackage
import TestSupport
import Testing

@testable import Registry

/// The folder of a registry that may have been taken over: what it puts there leads root nowhere else.
@Suite("Storage folder of a registry")
struct StorageFolderTests {
  private let digest = Digest(of: Array("content".utf8))

  @Test(
    "links in the place of folders and files are not followed, neither to write nor to read nor to remove")
  func links() throws {
    try withFolder { folder in
      let outside = folder.appending("outside")
      try put("theirs", at: outside.appending("kept"))
      let before = try content(of: outside)
      for place in ["docker", "docker/registry/v2/blobs", "docker/registry/v2/blobs/sha256"] {
        let root = folder.appending(FilePath(place).components.map(\.string).joined(separator: "-"))
        let link = root.pushing(FilePath(place))
        try createDirectories(link.removingLastComponent())
        try createLink(link, to: outside.string)
        let storage = try StorageFolder(root)
        #expect(throws: FileError.self) {
          try storage.write(storage.data(digest)) { try $0.writeAll("x".utf8) }
        }
        #expect(storage.size(storage.data(digest)) == nil)
        storage.remove(storage.data(digest))
        #expect(try content(of: outside) == before, "\(place)")
        #expect(try linkTarget(link) == outside.string)
      }
    }
  }

  @Test("a link in the place of a file is replaced, and what it led to stays")
  func linkedFile() throws {
    try withFolder { folder in
      try put("theirs", at: folder.appending("kept"))
      let root = folder.appending("root")
      try createDirectories(root)
      let storage = try StorageFolder(root)
      let (place, tag) = (storage.data(digest), storage.tagLinks("team/app", "1", digest).current)
      for path in [place, tag] {
        try createDirectories(path.removingLastComponent())
        try createLink(path, to: folder.appending("kept").string)
      }
      #expect(storage.size(place) == nil)
      try storage.write(place) { try $0.writeAll("content".utf8) }
      try storage.link(tag, to: digest)
      #expect(text(folder.appending("kept")) == "theirs")
      #expect(text(place) == "content" && text(tag) == "\(digest)")
      #expect(try storage.digest(place, .sha256) == digest)
      #expect(storage.target(of: tag) == digest)
      storage.remove(tag)
      #expect(try !listFolder(root.appending("docker/registry/v2")).contains("repositories"))
    }
  }

  @Test("what a killed run has laid there to be asked for is known by its link")
  func layers() throws {
    try withFolder { folder in
      let storage = try StorageFolder(folder)
      #expect(storage.layers(of: "probe") == [])
      try storage.link(storage.layerLink("probe", digest), to: digest)
      #expect(storage.layers(of: "probe") == [digest])
      // Killed after the folder of the data was removed and before those above.
      let data = storage.data(digest)
      try createDirectories(data.removingLastComponent().removingLastComponent())
      storage.remove(data)
      storage.remove(storage.layerLink("probe", digest))
      #expect(try content(of: folder).isEmpty)
    }
  }

  @Test("a repository that is a link is not looked into")
  func linkedRepository() throws {
    try withFolder { folder in
      let repositories = folder.appending("docker/registry/v2/repositories")
      try createDirectories(repositories.appending("own/_manifests"))
      try createLink(repositories.appending("loop"), to: "..")
      #expect(try StorageFolder.repositories(in: folder) == ["own"])
    }
  }
}
