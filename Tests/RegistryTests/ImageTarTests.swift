import Archive
import Bundle
import Files
import Host
import Integrity
import SystemPackage
import TestRegistry
import Testing

@testable import Registry

/// The plain tar of an image, as other programs read it.
@Suite struct ImageTarTests {
  private let fixture: PushFixture

  init() throws { fixture = try PushFixture() }

  private func write(_ tar: ImageTar) throws -> FilePath {
    let path = fixture.folder.appending("plain.tar")
    var bytes: [UInt8] = []
    try tar.write { bytes.append(contentsOf: $0) }
    #expect(Int64(bytes.count) == tar.size)
    try writeAtomically(bytes, to: path, isDurable: false)
    return path
  }

  @Test func `It is a tar of the length that was told, with the same image`() async throws {
    let image = PushFixture.image([0, 1, 511, 512, 70_001])
    let path = try write(try ImageTar(try fixture.archive("quay.io/one/two:1", image)))
    let listed = try await Command("tar", ["-tvf", path.string]).output()
    let count: Int = listed.split(separator: "\n").count
    // Three small files, the manifest, the configuration, the layers.
    #expect(count == 10)
    #expect(listed.contains("-rw-r--r-- 0/0") && listed.contains("70001 1970-01-01"))
    let again = try ImageArchiveReader.verify(path)
    #expect(again.reference.description == "quay.io/one/two:1")
    #expect(again.descriptor.digest == image.manifest.descriptor.digest)
  }

  @Test func `It may have another name, also for readers of docker-archives`() async throws {
    let archive = try fixture.archive("registry:3.0.0", PushFixture.image([10]))
    let tar = try ImageTar(archive, named: try ImageReference("registry:latest"))
    let path = try write(tar)
    #expect(
      try ImageArchiveReader.summary(of: path).reference.description == "docker.io/library/registry:latest")
    let list = try await Command("tar", ["-xOf", path.string, "manifest.json"]).output()
    #expect(list.contains(#""RepoTags":["docker.io/library/registry:latest"]"#))
  }

  @Test func `A damaged blob is found before its image is done`() throws {
    let archive = try fixture.archive("one:1", PushFixture.image([200_000]))
    var bytes: [UInt8] = []
    try readFile(archive) { bytes.append(contentsOf: $0) }
    bytes[bytes.count - 5_000] ^= 1
    try writeAtomically(bytes, to: archive, isDurable: false)
    let tar = try ImageTar(archive)
    #expect(throws: (any Error).self) { try tar.write { _ in } }
  }
}
