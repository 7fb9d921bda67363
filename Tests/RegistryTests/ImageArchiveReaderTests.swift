import Archive
import Bundle
import Glibc
import Integrity
import SystemPackage
import Testing

@testable import Registry

@Suite struct ImageArchiveReaderTests {
  private let fixture: ImageArchiveFixture

  init() throws { fixture = try ImageArchiveFixture() }

  enum Kind: CaseIterable { case docker, oci, withoutLayers, platforms, digest, index, list, nested }

  private func image(_ kind: Kind) throws -> ArchivedImage {
    let isIndexed = [.index, .list, .nested].contains(kind)
    // The fixture's indexes name no platforms.
    let main = try fixture.manifest(
      kind == .withoutLayers ? [] : [noise(3000), noise(10)], oci: kind != .docker && kind != .list,
      architecture: isIndexed ? nil : "amd64")
    let other = try fixture.manifest([noise(20)], architecture: isIndexed ? nil : "arm64")
    switch kind {
    case .docker, .oci, .withoutLayers: return try fixture.image("quay.io/a/b:1", main)
    case .platforms: return try fixture.image("quay.io/a/b:1", main, other)
    case .digest: return try fixture.image("quay.io/a/b@\(main.descriptor.digest)", main)
    case .index, .list:
      let index = try fixture.index([main.descriptor], list: kind == .list)
      return try fixture.image("quay.io/a/b:1@\(index.descriptor.digest)", main, indexes: [index])
    case .nested:
      let inner = try fixture.index([main.descriptor, other.descriptor])
      let outer = try fixture.index([inner.descriptor])
      return try fixture.image(
        "quay.io/a/b@\(outer.descriptor.digest)", main, other, indexes: [outer, inner])
    }
  }

  @Test("What was written is read", arguments: Kind.allCases)
  func roundTrip(_ kind: Kind) throws {
    let image = try image(kind)
    _ = try fixture.write(image)
    #expect(try ImageArchiveReader.summary(of: fixture.archive) == image)
    #expect(try ImageArchiveReader.verify(fixture.archive) == image)
  }

  @Test(
    "A summary needs the first kilobytes only; the proof needs everything", arguments: [Kind.oci, .index])
  func cutOff(_ kind: Kind) throws {
    let manifest = try fixture.manifest([noise(2 << 20)], architecture: nil)
    let index = try fixture.index([manifest.descriptor])
    let image =
      kind == .oci
      ? try fixture.image("a:1", manifest)
      : try fixture.image("a@\(index.descriptor.digest)", manifest, indexes: [index])
    _ = try fixture.write(image)
    #expect(truncate(fixture.archive.string, 1 << 20) == 0)
    #expect(try ImageArchiveReader.summary(of: fixture.archive) == image)
    #expect(throws: ArchiveError.self) { try ImageArchiveReader.verify(fixture.archive) }
  }

  @Test("A changed byte is found, and the blob is named")
  func changedByte() throws {
    let layer = noise(1 << 20)
    _ = try fixture.write(try fixture.image("a:1", try fixture.manifest([layer])))
    let file = try FileDescriptor.open(fixture.archive, .readWrite)
    try file.closeAfter {
      _ = try file.writeAll(toAbsoluteOffset: 700_000, [0x55, 0xaa, 0x55])
    }
    let error = try #require(throws: ImageArchiveError.self) {
      try ImageArchiveReader.verify(fixture.archive)
    }
    #expect(error.description.contains("\(Digest(of: layer))"))
  }

  /// An archive of these files, in this order.
  private func archive(_ files: [(String, [UInt8])]) throws {
    let writer = try ArchiveWriter(fixture.archive, compression: .none)
    for (name, bytes) in files { try writer.add(bytes: bytes, as: name) }
    try writer.finish()
  }

  private func files(of image: ArchivedImage) throws -> [(String, [UInt8])] {
    _ = try fixture.write(image)
    var files: [(String, [UInt8])] = []
    try ArchiveReader.visit(fixture.archive) { entry, content in
      files.append((entry.path, try content.bytes(limit: 1 << 20)))
      return .next
    }
    return files
  }

  @Test("Other programs write the index last", arguments: [Kind.oci, .platforms, .nested])
  func otherOrder(_ kind: Kind) throws {
    let image = try image(kind)
    try archive(try files(of: image).reversed())
    #expect(try ImageArchiveReader.verify(fixture.archive) == image)
  }

  @Test("Content that is missing is named", arguments: [Kind.oci, .platforms, .index])
  func missing(_ kind: Kind) throws {
    let image = try image(kind)
    let files = try files(of: image)
    let needed = image.blobs.map(\.digest) + [image.manifests[0].descriptor.digest, image.descriptor.digest]
    for digest in Set(needed) {
      try archive(files.filter { $0.0 != "blobs/sha256/\(digest.hex)" })
      let error = try #require(throws: ImageArchiveError.self) {
        try ImageArchiveReader.verify(fixture.archive)
      }
      #expect(error.description.contains("is not complete"))
    }
  }

  @Test("Indexes that are nested without end are refused after a few, in whatever order they come")
  func nestedIndexes() throws {
    var content = try fixture.manifest([noise(100)])
    var blobs = [content]
    for _ in 0..<60 {
      content = try fixture.index([content.descriptor])
      blobs.append(content)
    }
    var top = content.descriptor
    top.annotations = ["io.containerd.image.name": "quay.io/a/b:1"]
    let index = ImageLayout.encode(ImageIndex(schemaVersion: 2, mediaType: nil, manifests: [top]))
    let files = blobs.map { (ImageLayout.blobPath($0.descriptor.digest), $0.bytes) }
    for order in [files, files.reversed()] {
      try archive([("index.json", index)] + order)
      let error = try #require(throws: ImageArchiveError.self) {
        try ImageArchiveReader.summary(of: fixture.archive)
      }
      #expect(error.description.contains("nested without end"))
    }
  }

  @Test("A docker-archive whose documents fill the memory is refused, compressed or not")
  func documentBomb() throws {
    let blank = [UInt8](repeating: 0x20, count: 4 << 20)
    let items = (0..<17).map { #"{"Config":"\#($0).json","RepoTags":["a:\#($0)"],"Layers":[]}"# }
    for compression in [ArchiveCompression.none, .gzip(level: 1)] {
      let writer = try ArchiveWriter(fixture.archive, compression: compression)
      for number in 0..<17 { try writer.add(bytes: blank, as: "\(number).json") }
      try writer.add(bytes: Array("[\(items.joined(separator: ","))]".utf8), as: "manifest.json")
      try writer.finish()
      let error = try #require(throws: ImageArchiveError.self) {
        try SavedImages(fixture.archive, scratch: fixture.folder.appending("scratch"))
      }
      #expect(error.description.contains("more than 64 MiB together"))
    }
  }

  @Test("What is no image archive is refused with a reason")
  func refused() throws {
    let image = try image(.oci)
    let index = try #require(try files(of: image).first { $0.0 == "index.json" }?.1)
    let text = String(decoding: index, as: UTF8.self)
    let unnamed = text.replacing("io.containerd.image.name", with: "x")
    let badName = text.replacing("quay.io/a/b:1", with: "quay.io/A/b:1")
    let two = #"{"schemaVersion":2,"manifests":[]}"#
    let cases: [([(String, [UInt8])], String)] = [
      ([("manifest.json", [])], "has no index.json"), ([("index.json", [1, 2])], "is malformed"),
      ([("index.json", Array(two.utf8))], "holds 0 images"),
      (
        try files(of: image).map { ($0.0, $0.0 == "index.json" ? Array(unnamed.utf8) : $0.1) }, "image's name"
      ),
      (try files(of: image).map { ($0.0, $0.0 == "index.json" ? Array(badName.utf8) : $0.1) }, "lower case"),
    ]
    for (files, reason) in cases {
      try archive(files)
      let error = try #require(throws: ImageArchiveError.self) {
        try ImageArchiveReader.summary(of: fixture.archive)
      }
      #expect(error.description.contains(reason), "\(error)")
    }
  }
}
