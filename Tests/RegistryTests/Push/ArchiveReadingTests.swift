import Archive
import Bundle
import Files
import Foundation
import Integrity
import SystemPackage
import TestRegistry
import TestServer
import Testing

@testable import Registry

@Suite struct ArchiveReadingTests {
  private let fixture: PushFixture

  init() throws { fixture = try PushFixture() }

  private func open(_ path: FilePath) throws -> [PushImage] {
    try PushImage.open(
      path, target: try PushTarget("localhost:1"),
      configuration: PushConfiguration(scratch: fixture.folder.appending("scratch"))
    ).images
  }

  private func content(_ blob: Descriptor, _ image: PushImage) throws -> [UInt8] {
    let reader = try BlobReader(blob, in: image.contents.file(blob), of: image.contents.path) { _ in }
    return try [UInt8](unsafeUninitializedCapacity: Int(blob.size)) { buffer, count in
      while count < blob.size {
        // Pieces that fit no block of the archive.
        let piece = UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(buffer)[count...].prefix(70_001))
        count += try reader.read(into: piece)
      }
    }
  }

  @Test func `Every blob is found where it lies`() throws {
    let image = PushFixture.image([0, 1, 511, 512, 65_535, 65_536, 1_500_000])
    let opened = try #require(try open(fixture.archive("nginx:1", image)).first)
    for blob in [image.config] + image.layers {
      #expect(try content(blob.descriptor, opened) == blob.bytes)
    }
    #expect(!FileManager.default.fileExists(atPath: fixture.folder.appending("scratch").string))
  }

  @Test(
    "A compressed archive is unpacked",
    arguments: [ArchiveCompression.gzip(level: 6), .zstd(level: 1), .none])
  func compressed(_ compression: ArchiveCompression) throws {
    let image = PushFixture.image([1_500_000, 20_000])
    let plain = try fixture.archive("nginx:1", image)
    let path = fixture.folder.appending("again.tar")
    let writer = try ArchiveWriter(path, compression: compression)
    try ArchiveReader.visit(plain) { entry, content in
      try writer.add(bytes: try content.bytes(limit: 1 << 24), as: entry.path)
      return .next
    }
    try writer.finish()
    let opened = try #require(try open(path).first)
    opened.contents.announce(opened.image.blobs.map(\.digest))
    for blob in [image.config] + image.layers {
      #expect(try content(blob.descriptor, opened) == blob.bytes)
    }
  }

  @Test func `A damaged byte is found wherever it is`() throws {
    let image = PushFixture.image([400_000])
    let path = try fixture.archive("nginx:1", image)
    let good = try Data(contentsOf: URL(fileURLWithPath: path.string))
    for place in stride(from: 4_200, to: good.count - 2_000, by: 30_011) {
      var bad = good
      bad[place] ^= 0x10
      try writeAtomically(Array(bad), to: path, isDurable: false)
      let error = #expect(throws: (any Error).self, "byte \(place)") {
        let opened = try #require(try open(path).first)
        for blob in opened.image.blobs { _ = try content(blob, opened) }
      }
      #expect("\(error.map { "\($0)" } ?? "")".contains(path.string))
    }
  }

  @Test func `A docker-archive becomes an image with the layers it has`() throws {
    let layers = [
      TestServer.Body.pattern(count: 70_000).bytes, TestServer.Body.pattern(count: 9, seed: 4).bytes,
    ]
    let digests = layers.map { Digest(of: $0) }
    let config = Array(
      #"{"architecture":"arm64","os":"linux","rootfs":{"type":"layers","diff_ids":["\#(digests[0])","\#(digests[1])","\#(digests[0])"]}}"#
        .utf8)
    let path = fixture.folder.appending("saved.tar.gz")
    let writer = try ArchiveWriter(path, compression: .gzip(level: 6))
    try writer.add(bytes: layers[0], as: "a/layer.tar")
    try writer.add(bytes: layers[1], as: "b/layer.tar")
    try writer.add(symlink: "c/layer.tar", target: "../a/layer.tar")
    try writer.add(bytes: config, as: "config.json")
    let list =
      #"[{"Config":"config.json","RepoTags":["nginx:1","quay.io/x/y:2"],"Layers":["a/layer.tar","b/layer.tar","c/layer.tar"]}]"#
    try writer.add(bytes: Array(list.utf8), as: "manifest.json")
    try writer.finish()
    let images = try open(path)
    #expect(images.map { "\($0.destination)" } == ["localhost:1/library/nginx:1", "localhost:1/x/y:2"])
    let image = try #require(images.first)
    #expect(image.image.contents[0].layers.map(\.digest) == [digests[0], digests[1], digests[0]])
    #expect(image.image.manifests[0].descriptor.platform == Platform(architecture: "arm64"))
    #expect(try content(image.image.contents[0].config, image) == config)
    #expect(try content(image.image.contents[0].layers[1], image) == layers[1])
    #expect(try content(image.image.contents[0].layers[2], image) == layers[0])
  }

  @Test(
    "Where images are pushed to",
    arguments: [
      ("localhost:35000", "localhost:35000/library/nginx:1", true),
      ("Harbor/k8s/", "harbor/k8s/library/nginx:1", false),
      ("https://r.example.com:8443/a/b", "r.example.com:8443/a/b/library/nginx:1", false),
      ("127.0.0.1:5000", "127.0.0.1:5000/library/nginx:1", true),
      ("[::1]:5000", "[::1]:5000/library/nginx:1", true),
      ("127.example.com", "127.example.com/library/nginx:1", false),
    ])
  func targets(text: String, name: String, isLoopback: Bool) throws {
    let target = try PushTarget(text)
    let reference = try target.reference(of: try ImageReference("nginx:1"), strippedRegistries: ["docker.io"])
    #expect("\(reference)" == name)
    #expect(target.isLoopback == isLoopback)
  }

  @Test(
    "What is no target",
    arguments: ["", "http://", "/x", "a b", "user:secret@host", "host/UPPER", "host:99999"])
  func badTargets(text: String) {
    #expect(throws: PushTargetError.self) { try PushTarget(text) }
  }

  @Test func `What was proved before the machine was started anew is not trusted`() throws {
    let digest = Digest(of: [1])
    let record = SeedRecord(in: fixture.folder, start: "first")
    record.add(digest)
    try record.save()
    #expect(SeedRecord(in: fixture.folder, start: "first").contains(digest))
    #expect(!SeedRecord(in: fixture.folder, start: "second").contains(digest))
    #expect(!SeedRecord(in: fixture.folder, start: nil).contains(digest))
  }
}
