import Bundle
import Files
import Integrity
import SystemPackage
import Testing

@testable import Archive
@testable import Registry

/// Archives that are filled in any order, left, and gone on with.
@Suite(.timeLimit(.minutes(5))) struct PartialArchiveTests {
  let fixture: ImageArchiveFixture

  init() throws { fixture = try ImageArchiveFixture() }

  /// An archive as earlier versions wrote it: from start to end, by libarchive.
  private func writtenByLibrary(_ image: ArchivedImage) throws -> (size: Int64, sha256: Digest) {
    let writer = try ArchiveWriter(fixture.folder.appending("library"), compression: .gzip(level: 0))
    try writer.add(bytes: ImageLayout.marker, as: ImageLayout.markerFile)
    try writer.add(bytes: ImageLayout.index(of: image), as: ImageLayout.indexFile)
    try writer.add(bytes: ImageLayout.dockerManifest(of: image), as: ImageLayout.dockerFile)
    if !image.attached.isEmpty {
      try writer.add(bytes: ImageLayout.attached(to: image), as: ImageLayout.attachedFile)
    }
    var written: Set<Digest> = []
    for document in image.indexes + image.manifests + image.attached.map(\.manifest)
    where written.insert(document.descriptor.digest).inserted {
      try writer.add(bytes: document.bytes, as: ImageLayout.blobPath(document.descriptor.digest))
    }
    for blob in image.blobs where written.insert(blob.digest).inserted {
      try writer.add(
        file: fixture.path(of: blob.digest), as: ImageLayout.blobPath(blob.digest), size: blob.size)
    }
    return try writer.finish()
  }

  private func image(seed: UInt64) throws -> ArchivedImage {
    let layers = { (seed: UInt64) in
      (0..<Int.random(in: 1...5)).map { noise(Int.random(in: 1...400_000), seed: seed &* 16 &+ UInt64($0)) }
    }
    let manifests = try (0..<Int.random(in: 1...2)).map {
      try fixture.manifest(layers(seed &* 4 &+ UInt64($0)), architecture: "arch\($0)")
    }
    let signature = try fixture.manifest([noise(700, seed: seed &+ 9)], architecture: nil)
    return try ArchivedImage(
      reference: try ImageReference("quay.io/a/b:\(seed)"), manifests: manifests,
      attached: Bool.random() ? [AttachedManifest(manifest: signature, tag: nil)] : [])
  }

  /// A download of a blob that ends after some bytes.
  private func download(_ blob: Descriptor, to archive: PartialArchive, until end: Int64 = .max) throws {
    let place = try archive.place(of: blob.digest)
    var (hasher, offset) = (DigestHasher(blob.digest.algorithm), Int64(0))
    try place.readKept { bytes in
      hasher.update(bytes)
      offset += Int64(bytes.count)
    }
    let content = try readBytes(fixture.path(of: blob.digest))
    while offset < min(blob.size, end) {
      let piece = Array(
        content[Int(offset)..<Int(min(blob.size, end, offset + Int64.random(in: 1...150_000)))])
      hasher.update(piece)
      try piece.withUnsafeBytes { try place.write($0, at: offset) }
      offset += Int64(piece.count)
    }
    guard offset == blob.size else { return }
    #expect(hasher.finalize() == blob.digest)
    place.complete()
  }

  @Test(
    "Filled in any order, and left again and again, it has the bytes of earlier versions",
    .enabled(if: CRC32.isOfZlib, "the zlib of this machine is another one, which begins blocks elsewhere"),
    arguments: UInt64(0)..<25)
  func anyOrder(_ seed: UInt64) throws {
    let image = try image(seed: seed)
    let expected = try writtenByLibrary(image)
    var archive = try PartialArchive(image, at: fixture.archive)
    #expect(archive.size == expected.size)
    for blob in archive.blobs.shuffled() + archive.blobs.shuffled() {
      try download(blob, to: archive, until: Int64.random(in: 0...blob.size))
      // What a kill leaves is what lies on the disk.
      if Bool.random() { archive = try PartialArchive(image, at: fixture.archive) }
    }
    for blob in archive.blobs { try download(blob, to: archive) }
    let written = try archive.complete()
    #expect(written == expected)
    #expect(try Digest(ofFile: fixture.archive) == expected.sha256)
    #expect(try ImageArchiveReader.verify(fixture.archive) == image)
    for blob in archive.blobs {
      var bytes: [UInt8] = []
      try ImageArchiveReader.read(blob, in: fixture.archive) { bytes += $0 }
      #expect(Digest(of: bytes, algorithm: blob.digest.algorithm) == blob.digest)
    }
  }

  @Test("Bytes that come ahead of others count when they are read")
  func ahead() throws {
    let image = try fixture.image("a:1", try fixture.manifest([noise(700_000), noise(40_000, seed: 2)]))
    let expected = try fixture.write(image)
    try removeFile(fixture.archive)
    let archive = try PartialArchive(image, at: fixture.archive)
    for blob in archive.blobs where blob.size < 100_000 { try download(blob, to: archive) }
    let blob = try #require(archive.blobs.first { $0.size >= 100_000 })
    let content = try readBytes(fixture.path(of: blob.digest))
    let place = try archive.place(of: blob.digest)
    func write(_ range: Range<Int>) throws {
      try content[range].withUnsafeBytes { try place.write($0, at: Int64(range.lowerBound)) }
    }
    try write(600_000..<700_000)
    try write(200_000..<600_000)
    #expect(place.kept == 0 && archive.remains()[blob.digest] == nil)
    try write(0..<200_000)
    #expect(place.kept == 200_000)
    place.complete()
    #expect(throws: ImageArchiveError.self) { try archive.complete() }
    var read: [UInt8] = []
    try place.read(200_000..<700_000) { read += $0 }
    #expect(read == Array(content[200_000...]) && place.kept == 700_000)
    place.complete()
    #expect(try archive.complete() == expected)
    #expect(try Digest(ofFile: fixture.archive) == expected.sha256)
  }

  @Test("The bytes of an archive do not depend on the libraries of the machine")
  func golden() throws {
    let written = try fixture.write(
      try fixture.image("quay.io/a/b:1", try fixture.manifest([noise(700_000), noise(40_000, seed: 2)])))
    #expect(written.sha256.hex == "a103b8a5fc3ad39ca15c11c30ce0965afc2a0ee619ce6ad5297f7c027b3d5d73")
  }

  @Test(
    "A blob that another archive has is copied, whether that is complete or not", arguments: [true, false])
  func shared(isComplete: Bool) throws {
    let common = noise(300_000, seed: 5)
    let first = try fixture.image("a:1", try fixture.manifest([noise(90_000, seed: 6), common]))
    let second = try fixture.image("b:1", try fixture.manifest([common, noise(100, seed: 7)]))
    let expected = try fixture.write(second)
    let one = try PartialArchive(first, at: fixture.folder.appending("one"))
    for blob in one.blobs { try download(blob, to: one) }
    if isComplete { _ = try one.complete() }
    let two = try PartialArchive(second, at: fixture.archive)
    for blob in two.blobs where blob.digest != Digest(of: common) { try download(blob, to: two) }
    #expect(throws: ImageArchiveError.self) { try two.complete() }
    #expect(try two.complete { _, place in try place.fill(from: one) } == expected)
    #expect(try Digest(ofFile: fixture.archive) == expected.sha256)
  }

  @Test("What it says of its blobs is believed by nobody")
  func damage() throws {
    let image = try fixture.image("a:1", try fixture.manifest([noise(300_000), noise(5000, seed: 2)]))
    let expected = try fixture.write(image)
    try removeFile(fixture.archive)
    let path = try PartialArchive(image, at: fixture.archive).path
    let damages: [(String, (inout [UInt8]) -> Void)] = [
      ("empty", { $0 = [] }), ("cut off", { $0.removeLast($0.count / 2) }),
      ("without a note", { $0.removeLast(130) }),
      ("with more behind it", { $0.append(0) }), ("another note", { $0[$0.count - 50] ^= 1 }),
      ("more than there is", { $0[$0.count - 2] = 0xff }),
      ("the note has gone", { $0.removeLast($0.count - Int(expected.size)) }),
    ]
    for (name, change) in damages {
      let archive = try PartialArchive(image, at: fixture.archive)
      for blob in archive.blobs { try download(blob, to: archive, until: blob.size / 2) }
      archive.rest()
      var bytes = try readBytes(path)
      change(&bytes)
      try writeAtomically(bytes, to: path)
      let next = try PartialArchive(image, at: fixture.archive)
      for blob in next.blobs {
        let place = try next.place(of: blob.digest)
        var kept: [UInt8] = []
        try place.readKept { kept += $0 }
        let content = try readBytes(fixture.path(of: blob.digest))
        // The engine starts again when the digest of the whole is not right.
        if !content.starts(with: kept) || kept.count == content.count && kept != content { place.discard() }
        try download(blob, to: next)
      }
      #expect(try next.complete() == expected, "\(name)")
      #expect(try Digest(ofFile: fixture.archive) == expected.sha256, "\(name)")
      try removeFile(fixture.archive)
    }
  }

  @Test("A blob with other bytes is refused, and what is no part of the image has no place")
  func otherBytes() throws {
    let image = try fixture.image("a:1", try fixture.manifest([noise(5000)]))
    let archive = try PartialArchive(image, at: fixture.archive)
    let place = try archive.place(of: Digest(of: noise(5000)))
    #expect(throws: ImageArchiveError.self) {
      try place.fill(from: "elsewhere") { take in try noise(5000, seed: 2).withUnsafeBytes(take) }
    }
    #expect(throws: ImageArchiveError.self) {
      try place.fill(from: "elsewhere") { take in try noise(5001).withUnsafeBytes(take) }
    }
    #expect(place.kept == 0 && archive.remains().isEmpty)
    #expect(throws: ImageArchiveError.self) { try archive.place(of: Digest(of: [1])) }
    archive.discard()
    #expect(fixture.files.isEmpty)
  }
}
