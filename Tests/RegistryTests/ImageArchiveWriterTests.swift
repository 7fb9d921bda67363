import Archive
import Bundle
import Files
import Integrity
import Registry
import SystemPackage
import Testing

@Suite struct ImageArchiveWriterTests {
  private let fixture: ImageArchiveFixture

  init() throws { fixture = try ImageArchiveFixture() }

  private func content(of name: String) throws -> [UInt8]? {
    var found: [UInt8]?
    try ArchiveReader.visit(fixture.archive) { entry, content in
      guard entry.path == name else { return .next }
      found = try content.bytes(limit: 1 << 20)
      return .stop
    }
    return found
  }

  @Test("Small files come first, and every blob is as the registry served it")
  func layout() throws {
    let low = noise(5000)
    let high = noise(300, seed: 2)
    // Real images have the empty layer several times.
    let manifest = try fixture.manifest([low, high, low])
    let image = try fixture.image("nginx:1.29.4", manifest)
    _ = try fixture.write(image)
    var names: [String] = []
    try ArchiveReader.entries(of: fixture.archive) { names.append($0.path) }
    let layers = [low, high].map { Digest(of: $0) }
    let blobs = ([manifest.descriptor.digest, image.contents[0].config.digest] + layers)
      .map { "blobs/sha256/\($0.hex)" }
    #expect(names == ["oci-layout", "index.json", "manifest.json"] + blobs)
    #expect(try content(of: "oci-layout") == Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
    #expect(try content(of: blobs[0]) == manifest.bytes)
    #expect(try content(of: blobs[2]) == low)
  }

  @Test(
    "Loaders find the image's name",
    arguments: [
      ("nginx:1.29.4", "docker.io/library/nginx:1.29.4", "1.29.4"),
      ("localhost:5000/a/b", "localhost:5000/a/b:latest", "latest"),
    ])
  func names(reference: String, full: String, tag: String) throws {
    let manifest = try fixture.manifest([noise(100)], oci: false)
    let image = try fixture.image(reference, manifest)
    _ = try fixture.write(image)
    let index = String(decoding: try #require(try content(of: "index.json")), as: UTF8.self)
    let expected =
      #"{"manifests":[{"annotations":{"io.containerd.image.name":"\#(full)","#
      + #""org.opencontainers.image.ref.name":"\#(tag)"},"digest":"\#(manifest.descriptor.digest)","#
      + #""mediaType":"\#(MediaType.dockerManifest)","platform":{"architecture":"amd64","os":"linux"},"#
      + #""size":\#(manifest.bytes.count)}],"mediaType":"\#(MediaType.ociIndex)","schemaVersion":2}"#
    #expect(index == expected)
    let docker = String(decoding: try #require(try content(of: "manifest.json")), as: UTF8.self)
    let config = image.contents[0].config.digest.hex
    let layer = Digest(of: noise(100)).hex
    #expect(
      docker
        == #"[{"Config":"blobs/sha256/\#(config)","Layers":["blobs/sha256/\#(layer)"],"RepoTags":["\#(full)"]}]"#
    )
  }

  @Test("The same image gives the same bytes, and their size and digest are told")
  func reproducible() throws {
    let image = try fixture.image("a:1", try fixture.manifest([noise(1 << 20), noise(77, seed: 3)]))
    let first = try fixture.write(image)
    #expect(try Digest(ofFile: fixture.archive) == first.sha256)
    #expect(try fixture.write(image) == first)
    var size: Int64 = 0
    try readFile(fixture.archive) { size += Int64($0.count) }
    #expect(size == first.size)
  }

  @Test("Layers are compressed already: storing them costs next to nothing")
  func stored() throws {
    let layers = [noise(3 << 20)]
    let written = try fixture.write(try fixture.image("a:1", try fixture.manifest(layers)))
    #expect(written.size < 3 << 20 + 20_000)
  }

  @Test("A blob that is missing or has another size stops it, and the old archive stays")
  func badBlobs() throws {
    let image = try fixture.image("a:1", try fixture.manifest([noise(4000), noise(50, seed: 9)]))
    let old = try fixture.write(image)
    let victim = fixture.path(of: Digest(of: noise(50, seed: 9)))
    try writeAtomically("short", to: victim)
    let error = try #require(throws: ImageArchiveError.self) { try fixture.write(image) }
    #expect(error.description.contains("\(victim) is not complete"))
    #expect(throws: FileError.self) {
      try ImageArchiveWriter.write(image, blobs: { _ in "/nowhere/at/all" }, to: fixture.archive)
    }
    #expect(fixture.files == ["image.tar.gz"])
    #expect(try Digest(ofFile: fixture.archive) == old.sha256)
  }

  @Test("A blob that rotted on the disk is found, and nothing is left of the archive")
  func proving() throws {
    let image = try fixture.image("a:1", try fixture.manifest([noise(50)]))
    try writeAtomically(noise(50, seed: 4), to: fixture.path(of: Digest(of: noise(50))))
    let error = try #require(throws: ImageArchiveError.self) { try fixture.write(image) }
    #expect(error.description.contains("its content \(Digest(of: noise(50))) has digest"))
    #expect(fixture.files.isEmpty)
  }

  @Test("A name with a digest is never written on other content")
  func otherDigest() throws {
    let manifest = try fixture.manifest([noise(50)])
    let other = try fixture.manifest([noise(51)])
    let reference = "a@\(other.descriptor.digest)"
    let error = try #require(throws: ImageArchiveError.self) {
      try fixture.write(try fixture.image(reference, manifest))
    }
    #expect(error.description.hasPrefix("docker.io/library/a@sha256:"))
    #expect(fixture.files.isEmpty)
  }
}
