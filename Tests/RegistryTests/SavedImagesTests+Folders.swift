import Archive
import Bundle
import Files
import Foundation
import Integrity
import SystemPackage
import Testing

@testable import Registry

extension SavedImagesTests {
  // MARK: Folders

  @Test("Folders are read as archives are: layouts, and those of skopeo's and podman's transport dir")
  func folders() throws {
    let image = try fixture.image("one")
    let layout = fixture.layout(
      [(image.manifest.descriptor, #"{"org.opencontainers.image.ref.name":"quay.io/a/b:1"}"#)], image.blobs)
    let flat =
      [
        SavedFixture.Entry.file("manifest.json", image.manifest.bytes),
        .file("version", Array("Directory Transport Version: 1.1\n".utf8)),
      ]
      + ([image.config] + image.packedBlobs).map { .file($0.descriptor.digest.hex, $0.bytes) }
    for (entries, name) in [(layout, nil), (flat, "quay.io/a/b:1")] as [([SavedFixture.Entry], String?)] {
      let folder = fixture.folder.appending("out")
      try? removeTree(folder)
      for entry in entries {
        let path = folder.appending(FilePath(entry.name).components)
        try createDirectories(path.removingLastComponent())
        try writeAtomically(entry.bytes, to: path, isDurable: false)
      }
      let saved = try SavedImages(folder, scratch: fixture.folder.appending("scratch"), named: name)
      #expect(saved.images.map { "\($0.image.reference)" } == ["quay.io/a/b:1"], "\(saved.failures)")
      #expect(saved.images.first?.image.descriptor.digest == image.manifest.descriptor.digest)
      for blob in saved.images.flatMap(\.image.blobs) { try saved.blobs.prove(blob) }
      if name != nil { #expect(try SavedImages(folder, scratch: nil).failures.count == 1) }
    }
  }

  // MARK: What is none

  @Test(
    "What has no images says what it seems to be",
    arguments: [
      ([("etc/passwd", ""), ("usr/bin/x", "")], "docker export"), ([("repositories", "{}")], "before 1.10"),
      ([("a.tar", ""), ("b.tar.gz", "")], "other archives"), ([("x", "")], "neither index.json"),
      ([("manifest.json", "{}")], "malformed"), ([("index.json", "[]")], "malformed"),
      ([("manifest.json", "[]")], "empty"), ([("index.json", #"{"manifests":null}"#)], "empty"),
    ])
  func noImages(_ files: [(String, String)], _ reason: String) throws {
    let error = try #require(throws: ImageArchiveError.self) {
      try read(files.map { .file($0.0, Array($0.1.utf8)) })
    }
    #expect("\(error)".contains(reason), "\(error)")
  }
}
