import Archive
import Bundle
import Files
import Foundation
import Integrity
import SystemPackage
import Testing

@testable import Registry

extension SavedImagesTests {
  // MARK: Forms that few programs write

  @Test("null for manifest.json beside an index, as for a list of nothing")
  func noList() throws {
    let image = try fixture.image("one")
    let name = #"{"io.containerd.image.name":"app:1"}"#
    let entries = fixture.layout([(image.manifest.descriptor, name)], image.blobs)
    let found = try read(entries + [.file("manifest.json", Array("null".utf8))])
    #expect(found.names == ["docker.io/library/app:1"], "\(found.failures)")
  }

  @Test("A whole that is compressed twice, though the outer one only stores")
  func twice() throws {
    let image = try fixture.image("one")
    let entries = try fixture.dockerArchive([(image, ["app:1"])], .classic)
    let once = try fixture.write(entries, folder: "", .gzip(level: 6))
    for level in [0, 6] {
      let path = fixture.folder.appending("twice-\(level).tar.gz")
      let bytes = try readBytes(once)
      try writeAtomically(level == 0 ? Self.stored(bytes) : try fixture.compressed(bytes, "gz"), to: path)
      let saved = try SavedImages(path, scratch: fixture.folder.appending("scratch"))
      #expect(saved.images.map { "\($0.image.reference)" } == ["docker.io/library/app:1"], "\(level)")
    }
  }

  /// gzip that only stores (RFC 1951, section 3.2.4); nobody here looks at the sum behind it.
  private static func stored(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]
    let pieces = stride(from: 0, to: bytes.count, by: 0xffff).map {
      bytes[$0..<min(bytes.count, $0 + 0xffff)]
    }
    for (number, piece) in pieces.enumerated() {
      let count = UInt16(piece.count)
      result.append(number == pieces.count - 1 ? 1 : 0)
      for word in [count, ~count] { result += [UInt8(word & 0xff), UInt8(word >> 8)] }
      result += piece
    }
    var sum = UInt32.max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
    for word in [~sum, UInt32(bytes.count)] {
      result += (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }
    return result
  }

  @Test("A layout with tags alone is one repository, and takes the name of it")
  func tagsAlone() throws {
    let (one, two) = (try fixture.image("one"), try fixture.image("two"))
    func tagged(_ image: SavedFixture.Image, _ tag: String) -> (Descriptor, String) {
      (image.manifest.descriptor, #"{"org.opencontainers.image.ref.name":"\#(tag)"}"#)
    }
    let entries = fixture.layout([tagged(one, "v1"), tagged(two, "v2")], one.blobs + two.blobs)
    #expect(try read(entries).failures.count == 2)
    let named = try read(entries, named: "quay.io/acme/app")
    #expect(named.names == ["quay.io/acme/app:v1", "quay.io/acme/app:v2"], "\(named.failures)")
    // One name for both is none.
    #expect(try read(entries, named: "quay.io/acme/app:v1").names.isEmpty)
  }

  @Test("Encrypted layers are nobody's business but theirs who have the key")
  func encrypted() throws {
    let image = try fixture.image("one")
    let layers = image.packedBlobs.map { blob in
      SavedFixture.Blob(blob.bytes.reversed(), MediaType(rawValue: "\(MediaType.ociLayerGzip)+encrypted"))
    }
    let manifest = SavedFixture.Blob(
      ImageLayout.encode(
        ImageManifest(
          schemaVersion: 2, mediaType: .ociManifest, config: image.config.descriptor,
          layers: layers.map(\.descriptor), artifactType: nil)), .ociManifest)
    let entries = fixture.layout(
      [(manifest.descriptor, #"{"io.containerd.image.name":"app:1"}"#)], [manifest, image.config] + layers)
    let found = try read(entries)
    #expect(found.names == ["docker.io/library/app:1"], "\(found.failures)")
  }

  @Test(
    "A name that no registry takes is the name's fault, and not the image's",
    arguments: ["quay.io/Acme/App:1", "docker://quay.io/a/b:1", "quay.io/a/b:1 "])
  func misnamed(_ name: String) throws {
    let image = try fixture.image("one")
    let entries = fixture.layout(
      [(image.manifest.descriptor, #"{"io.containerd.image.name":"\#(name)"}"#)], image.blobs)
    let found = try read(entries)
    #expect(found.names.isEmpty)
    guard case .misnamed(_, name, _)? = found.saved.failures.first as? ImageArchiveError else {
      Issue.record("\(found.failures)")
      return
    }
    #expect(try read(entries, named: "quay.io/acme/app:1").names == ["quay.io/acme/app:1"])
  }
}
