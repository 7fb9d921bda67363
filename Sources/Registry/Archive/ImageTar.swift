import Archive
import Bundle
import Integrity
import SystemPackage

/// An image archive of a bundle as a plain tar, made while it is read: what `docker save` writes since version 25, an OCI
/// image layout with a `manifest.json` beside it. So readers of docker-archives and of OCI layouts take it, podman 4.3
/// too, which fails on docker-archives that are compressed.
public struct ImageTar: Sendable {
  /// What is in it.
  public let image: ArchivedImage
  /// Its length in bytes.
  public let size: Int64
  private let archive: FilePath
  private let documents: [Document]

  private struct Document: Sendable {
    let name: String
    let bytes: [UInt8]
  }

  /// Reads what an archive holds: its first kilobytes.
  ///
  /// - Parameters:
  ///   - archive: The archive, from which the blobs are read later, too.
  ///   - reference: Another name for the image; `nil` leaves it the name that it has in the archive.
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError``, ``ManifestFormatError`` or `CancellationError`.
  public init(_ archive: FilePath, named reference: ImageReference? = nil) throws {
    let held = try ImageArchiveReader.summary(of: archive)
    let image =
      try reference.map { try ArchivedImage(reference: $0, manifests: held.manifests) } ?? held
    var documents = [
      Document(name: ImageLayout.markerFile, bytes: ImageLayout.marker),
      Document(name: ImageLayout.indexFile, bytes: ImageLayout.index(of: image)),
      Document(name: ImageLayout.dockerFile, bytes: ImageLayout.dockerManifest(of: image)),
    ]
    var seen: Set<Digest> = []
    for document in image.indexes + image.manifests where seen.insert(document.descriptor.digest).inserted {
      documents.append(
        Document(name: ImageLayout.blobPath(document.descriptor.digest), bytes: document.bytes))
    }
    let sizes = documents.map { Int64($0.bytes.count) } + image.blobs.map(\.size)
    self.archive = archive
    self.image = image
    self.documents = documents
    size = ByteSize.sum(
      TarBlock.end, sizes.byteSum { ByteSize.sum(TarBlock.size, $0, TarBlock.padding(after: $0)) })
  }

  /// Hands over the tar piece by piece. Every blob is proved on the way.
  ///
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError``, `CancellationError`, or what `body` throws.
  public func write(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    for document in documents {
      try TarBlock.header(document.name, size: Int64(document.bytes.count)).withUnsafeBytes(body)
      try document.bytes.withUnsafeBytes(body)
      try pad(Int64(document.bytes.count), body)
    }
    var wanted = Dictionary(uniqueKeysWithValues: image.blobs.map { ($0.digest, $0) })
    try ArchiveReader.visit(archive) { entry, content in
      guard let digest = ImageLayout.digest(ofBlob: entry.path),
        let blob = wanted.removeValue(forKey: digest)
      else { return .next }
      guard entry.size == blob.size else { throw ImageArchiveError.incomplete(archive, blob: digest) }
      try TarBlock.header(entry.path, size: blob.size).withUnsafeBytes(body)
      var hasher = DigestHasher(digest.algorithm)
      try content.pieces { piece in
        try Task.checkCancellation()
        hasher.update(piece)
        try body(piece)
      }
      let actual = hasher.finalize()
      guard actual == digest else { throw ImageArchiveError.damaged(archive, blob: digest, actual: actual) }
      try pad(blob.size, body)
      return wanted.isEmpty ? .stop : .next
    }
    if let missing = wanted.keys.min(by: { $0.hex < $1.hex }) {
      throw ImageArchiveError.incomplete(archive, blob: missing)
    }
    try [UInt8](repeating: 0, count: Int(TarBlock.end)).withUnsafeBytes(body)
  }

  private func pad(_ size: Int64, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try [UInt8](repeating: 0, count: Int(TarBlock.padding(after: size))).withUnsafeBytes(body)
  }
}

/// The blocks around the files of a tar (POSIX, "ustar Interchange Format"). By hand, because a tar within a tar must say
/// its length before it is written, and libarchive tells none.
private enum TarBlock {
  static let size: Int64 = 512
  /// Two empty blocks.
  static let end: Int64 = 1024

  static func padding(after size: Int64) -> Int64 { (Self.size - size % Self.size) % Self.size }

  /// The header of a regular file of root, mode 0644, without a time. The name has at most 100 bytes.
  static func header(_ name: String, size: Int64) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: Int(Self.size))
    func put(_ text: some Sequence<UInt8>, at offset: Int) {
      for (index, byte) in text.enumerated() { block[offset + index] = byte }
    }
    func octal(_ value: Int64, digits: Int) -> [UInt8] {
      let text = String(value, radix: 8)
      return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
    }
    put(name.utf8.prefix(100), at: 0)
    for (offset, value) in [(100, Int64(0o644)), (108, 0), (116, 0)] {
      put(octal(value, digits: 7), at: offset)
    }
    if size < 1 << 33 {
      put(octal(size, digits: 11), at: 124)
    } else {
      // GNU's binary numbers, which all readers know.
      block[124] = 0x80
      put((0..<8).map { UInt8(truncatingIfNeeded: size >> (56 - 8 * Int64($0))) }, at: 128)
    }
    put(octal(0, digits: 11), at: 136)
    block[156] = UInt8(ascii: "0")
    put("ustar".utf8, at: 257)
    put("00".utf8, at: 263)
    // The sum is made with blanks in its own place.
    put(Array(repeating: UInt8(ascii: " "), count: 8), at: 148)
    put(octal(block.reduce(0) { $0 + Int64($1) }, digits: 6) + [0], at: 148)
    return block
  }
}
