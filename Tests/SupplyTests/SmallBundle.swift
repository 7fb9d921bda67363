import Archive
import Bundle
import Files
import FoundationEssentials
import Integrity
import SystemPackage
import TestSupport
import Testing

@testable import Supply

/// The same random numbers each time (SplitMix64).
struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Bytes that do not compress.
  static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var dice = Dice(seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
  }
}

/// What a small bundle is made of.
struct SmallBundle {
  /// An image: its name, and its blobs.
  struct Image {
    var reference: String
    var blobs: [[UInt8]]
  }

  var files: [String: [UInt8]] = [:]
  var images: [String: Image] = [:]
  var kubespray = "2.30.0"
  var signature: String?
  /// Whether the manifest lists the blobs of images.
  var listsBlobs = true

  /// Writes it and gives its manifest.
  @discardableResult
  func make(in folder: FilePath) throws -> Manifest {
    var entries: [ManifestFile] = []
    for (name, bytes) in files {
      let place = folder.appending(FilePath(name).components)
      try createDirectories(place.removingLastComponent())
      try writeAtomically(bytes, to: place, isDurable: false)
      entries.append(try entry(name, bytes.count, Digest(of: bytes)))
    }
    for (name, image) in images {
      let place = folder.appending(FilePath(name).components)
      try createDirectories(place.removingLastComponent())
      let (size, sha256) = try Self.write(image, to: place)
      var file = try entry(name, Int(size), sha256)
      let digests = image.blobs.map { Digest(of: $0) }
      file.stage = .images
      file.image = ManifestImage(
        reference: try ImageReference(image.reference), digest: digests[0], platforms: ["linux/amd64"],
        layers: image.blobs.count)
      if listsBlobs { file.image?.blobs = digests }
      entries.append(file)
    }
    let manifest = Manifest(
      id: Manifest.newID(), sequence: 7, tool: "test", created: "2026-01-01T00:00:00Z", kubespray: kubespray,
      architecture: "amd64", stages: [.files, .images], files: entries)
    try manifest.save(to: folder)
    if let signature { try writeAtomically(signature, to: folder.appending(Manifest.signatureFileName)) }
    return manifest
  }

  /// An archive as bundles have them: stored, with a document that is not a blob before the blobs.
  static func write(_ image: Image, to path: FilePath) throws -> (size: Int64, sha256: Digest) {
    let writer = try ArchiveWriter(path, compression: .gzip(level: 0))
    try writer.add(bytes: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), as: "oci-layout")
    try writer.add(bytes: Array(image.reference.utf8), as: "index.json")
    var names: Set<String> = []
    for blob in image.blobs where names.insert(Digest(of: blob).hex).inserted {
      try writer.add(bytes: blob, as: "blobs/sha256/\(Digest(of: blob).hex)")
    }
    return try writer.finish()
  }

  private func entry(_ name: String, _ size: Int, _ digest: Digest) throws -> ManifestFile {
    ManifestFile(
      path: try BundlePath(name), size: Int64(size), sha256: digest, url: "https://example.com/\(name)",
      stage: .files, verification: .tlsOnly)
  }
}

extension SmallBundle {
  /// Names and contents that two bundles have in common by chance.
  private static let names = [
    "files/a", "files/b", "files/deep/er/c", "files/d-1.2.tar.gz", "debs/x_1_amd64.deb", "pypi/files/p.whl",
    "target-setup", "lib/program", "offline.yml", "config.yml",
  ]
  private static let sizes = [0, 1, 100, 511, 512, 5_000, 65_535, 65_536, 65_537, 70_000]

  /// A bundle by chance: of 1 to 10 files of 16 contents, and up to 4 images of 12 blobs.
  static func random(_ dice: inout Dice) -> SmallBundle {
    var bundle = SmallBundle()
    for name in names.shuffled(using: &dice).prefix(Int.random(in: 1...10, using: &dice)) {
      bundle.files[name] = content(UInt64.random(in: 0..<16, using: &dice))
    }
    for number in 0..<Int.random(in: 0...4, using: &dice) {
      let blobs = (0..<Int.random(in: 1...5, using: &dice)).map { _ in
        content(100 + UInt64.random(in: 0..<12, using: &dice))
      }
      bundle.images["images/i\(number).tar.gz"] = Image(
        reference: "example.com/i\(number):\(Int.random(in: 1...3, using: &dice))", blobs: blobs)
    }
    bundle.listsBlobs = Bool.random(using: &dice)
    bundle.signature = Bool.random(using: &dice) ? "signature" : nil
    return bundle
  }

  private static func content(_ number: UInt64) -> [UInt8] { contents[Int(number % 128)] }

  private static let contents = (0..<128).map { number in
    [0..<16, 100..<112].contains { $0.contains(number) }
      ? Dice.noise(sizes[number % sizes.count], seed: UInt64(number)) : []
  }
}

/// Every file below a folder, with its bytes.
func bytes(below folder: FilePath) throws -> [String: [UInt8]] {
  var found: [String: [UInt8]] = [:]
  for name in try BundleTree.files(below: folder) {
    found[name] = try readBytes(folder.appending(FilePath(name).components))
  }
  return found
}

extension DeltaMaker {
  /// A delta to the bundle in a folder.
  init(from base: DeltaBase, to outputs: FilePath, in folder: FilePath) throws {
    try self.init(
      from: base, to: outputs, statement: try readBytes(outputs.appending(Manifest.fileName)),
      signatures: try Manifest.signatures(in: outputs), in: folder, tool: "test")
  }
}

extension DeltaMerge {
  /// A merge of the delta in a folder.
  init(_ delta: FilePath, base: FilePath, into folder: FilePath?) throws {
    let new = delta.appending(DeltaIndex.newFolder)
    try self.init(
      delta, try DeltaIndex.load(from: delta), base: base, try #require(try Manifest.load(from: base)),
      statement: try readBytes(new.appending(Manifest.fileName)),
      signatures: try Manifest.signatures(in: new),
      into: folder)
  }
}
