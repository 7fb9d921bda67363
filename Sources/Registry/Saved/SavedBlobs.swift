import Archive
import Files
import FoundationEssentials
import Integrity
import Synchronization
import SystemPackage

/// The blobs of the images of an archive: where each lies, and whether layers are what the configurations say.
final class SavedBlobs: BlobSource {
  private enum Place {
    case name(String)
    case file(TarIndex.File)
  }

  /// How many bytes all manifests and configurations may have together.
  private static let largest = 64 << 20

  let files: SavedFiles
  private let documents = Mutex(0)
  private let scratch: FilePath?
  private let places = Mutex<[Digest: Place]>([:])
  /// The digest of what is in a compressed layer, by that of the layer.
  private let contents = Mutex<[Digest: Digest]>([:])

  init(_ files: SavedFiles, scratch: FilePath?) {
    self.files = files
    self.scratch = scratch
  }

  var path: FilePath { files.path }

  func announce(_ blobs: [Digest]) {}

  func close() {
    places.withLock { $0 = [:] }
    files.close()
  }

  func file(_ blob: Descriptor) throws -> TarIndex.File {
    switch places.withLock({ $0[blob.digest] }) {
    case .name(let name): return try files.file(name)
    case .file(let file): return file
    case nil: throw ImageArchiveError.incomplete(path, blob: blob.digest)
    }
  }

  /// Counts a document that is kept in memory.
  ///
  /// - Throws: ``ImageArchiveError`` when there are too many.
  func count(_ document: [UInt8]) throws(ImageArchiveError) {
    let sum = documents.withLock { sum in
      sum += document.count
      return sum
    }
    guard sum <= Self.largest else {
      throw .unusable(
        path, reason: "its manifests and configurations have more than \(Self.largest >> 20) MiB together")
    }
  }

  /// Says where a blob lies.
  func note(_ blob: Digest, at name: String) { places.withLock { $0[blob] = .name(name) } }

  /// Reads a blob and proves it by its digest: may take long.
  ///
  /// - Throws: ``ImageArchiveError``, `FileError` or `CancellationError`.
  func prove(_ blob: Descriptor) throws {
    if case .name(let name) = places.withLock({ $0[blob.digest] }) {
      if let actual = files.knownDigest(name) {
        guard actual == blob.digest || blob.digest.algorithm != .sha256 else {
          throw ImageArchiveError.damaged(path, blob: blob.digest, actual: actual)
        }
        return
      }
      // A small file of an archive that is read once.
      if (try? files.file(name)) == nil {
        let actual = Digest(of: try files.bytes(name), algorithm: blob.digest.algorithm)
        guard actual == blob.digest else {
          throw ImageArchiveError.damaged(path, blob: blob.digest, actual: actual)
        }
        return
      }
    }
    let reader = try BlobReader(blob, in: file(blob), of: path) { _ in }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    while try reader.read(into: buffer) > 0 { try Task.checkCancellation() }
  }

  // MARK: Layers

  /// A layer of a docker-archive: the configuration says its digest before it is compressed. In archives of crane, ko and
  /// kaniko layers are compressed.
  ///
  /// - Throws: ``ImageArchiveError`` when it is not there or is something else; `FileError` or `CancellationError`.
  func layer(_ name: String, content: Digest) throws -> Descriptor {
    guard let size = files.size(name) else {
      throw ImageArchiveError.unusable(path, reason: "its layer \(name.debugDescription) is missing")
    }
    // What is only hashed may be compressed: its content is then not proved.
    if let known = files.knownDigest(name) {
      let isPlain = known == content
      try checkForm(of: name, isPlain: isPlain, content)
      note(known, at: name)
      return Descriptor(mediaType: isPlain ? .ociLayer : .ociLayerGzip, digest: known, size: size)
    }
    guard let file = try? files.file(name) else { return try small(name, content) }
    switch try Compression(file) {
    case .none:
      note(content, at: name)
      return Descriptor(mediaType: .ociLayer, digest: content, size: size)
    case .gzip: return try compressed(file, name, content, .ociLayerGzip)
    case .zstd: return try compressed(file, name, content, .ociLayerZstd)
    case .other: return try unpacked(file, name, content)
    }
  }

  /// Proves that what is in a layer of an OCI image is what the configuration says.
  ///
  /// - Throws: ``ImageArchiveError``, `FileError` or `CancellationError`.
  func prove(_ layer: Descriptor, content: Digest) throws {
    guard case .name(let name) = places.withLock({ $0[layer.digest] }), let file = try? files.file(name)
    else { return }
    let actual =
      try contents.withLock({ $0[layer.digest] })
      ?? (try Compression(file) == .none ? layer.digest : digest(inside: file, name))
    contents.withLock { $0[layer.digest] = actual }
    guard actual == content || actual.algorithm != content.algorithm else {
      throw ImageArchiveError.unusable(path, reason: Self.disagreement("\(layer.digest)", content))
    }
  }

  private static func disagreement(_ layer: String, _ content: Digest) -> String {
    "its layer \(layer) is not the one of its configuration, which has the diff_id \(content)"
  }

  /// Refuses a layer that is neither the one of the configuration nor a compressed one.
  private func checkForm(of name: String, isPlain: Bool, _ content: Digest) throws(ImageArchiveError) {
    guard !isPlain, let head = files.knownHead(name), Compression(head) == .none else { return }
    throw .unusable(path, reason: Self.disagreement(name.debugDescription, content))
  }

  /// A small layer of an archive that is read once.
  private func small(_ name: String, _ content: Digest) throws -> Descriptor {
    let bytes = try files.bytes(name)
    let digest = Digest(of: bytes)
    try checkForm(of: name, isPlain: digest == content, content)
    note(digest, at: name)
    return Descriptor(
      mediaType: digest == content ? .ociLayer : .ociLayerGzip, digest: digest, size: Int64(bytes.count))
  }

  private func compressed(
    _ file: TarIndex.File, _ name: String, _ content: Digest, _ type: MediaType
  ) throws -> Descriptor {
    var hasher = DigestHasher(.sha256)
    var inside = DigestHasher(content.algorithm)
    try decompress(file, name, passing: { hasher.update($0) }, { inside.update($0) })
    guard inside.finalize() == content else {
      throw ImageArchiveError.unusable(path, reason: Self.disagreement(name.debugDescription, content))
    }
    let digest = hasher.finalize()
    note(digest, at: name)
    return Descriptor(mediaType: type, digest: digest, size: file.size)
  }

  /// No node reads layers in other compressions.
  private func unpacked(_ file: TarIndex.File, _ name: String, _ content: Digest) throws -> Descriptor {
    guard let scratch else { return Descriptor(mediaType: .ociLayer, digest: content, size: file.size) }
    try createDirectories(scratch)
    let (place, descriptor) = try createTemporaryFile(in: scratch, named: "layer")
    // The name goes at once: the space is given back however this program ends.
    defer { try? removeFile(place) }
    var inside = DigestHasher(content.algorithm)
    try descriptor.closeAfter {
      try decompress(file, name, passing: { _ in }) { piece in
        inside.update(piece)
        try FileError.naming(.write, place) { _ = try descriptor.writeAll(piece) }
      }
    }
    guard inside.finalize() == content else {
      throw ImageArchiveError.unusable(path, reason: Self.disagreement(name.debugDescription, content))
    }
    let plain = try RandomAccessFile(place)
    places.withLock {
      $0[content] = .file(TarIndex.File(start: StoredStream(plain: plain), size: plain.size))
    }
    return Descriptor(mediaType: .ociLayer, digest: content, size: plain.size)
  }

  private func digest(inside file: TarIndex.File, _ name: String) throws -> Digest {
    var inside = DigestHasher(.sha256)
    try decompress(file, name, passing: { _ in }, { inside.update($0) })
    return inside.finalize()
  }

  private func decompress(
    _ file: TarIndex.File, _ name: String, passing pass: (UnsafeRawBufferPointer) -> Void,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var stream = file.start
    var left = file.size
    func next(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
      let count = Int(min(left, Int64(buffer.count)))
      let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
      guard try stream.read(into: piece) == count else {
        throw StoredStreamError.damaged("the file ends too early")
      }
      left -= Int64(count)
      pass(UnsafeRawBufferPointer(piece))
      return count
    }
    do {
      try ArchiveReader.decompress(name, of: path, reading: next, body)
      // What is behind the compressed content counts for the layer's digest.
      try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
        while try next(buffer) > 0 {}
      }
    } catch let error as StoredStreamError {
      throw error.naming(path)
    }
  }
}

/// How a layer is compressed, by its first bytes.
enum Compression {
  case none
  case gzip
  case zstd
  /// In a way that archives have and nodes do not read: bzip2, xz.
  case other

  init(_ file: TarIndex.File) throws {
    var stream = file.start
    var head = [UInt8](repeating: 0, count: Int(min(file.size, Int64(SavedFiles.head))))
    _ = try head.withUnsafeMutableBytes { try stream.read(into: $0) }
    self.init(head)
  }

  /// By how a file begins.
  init(_ head: [UInt8]) {
    // A tar, though its first name were one of these.
    if head.count == 512, head[257..<262].elementsEqual("ustar".utf8) {
      self = .none
    } else if head.starts(with: [0x1f, 0x8b]) {
      self = .gzip
    } else if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
      self = .zstd
    } else if head.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]) || head.starts(with: Array("BZh".utf8)) {
      self = .other
    } else {
      self = .none
    }
  }
}

/// What of an image's configuration is to be known: the platform, and its layers before they are compressed.
struct SavedConfiguration: Decodable {
  private struct FileSystem: Decodable {
    let diffIDs: [Digest]?

    private enum CodingKeys: String, CodingKey { case diffIDs = "diff_ids" }
  }

  private let architecture: String?
  private let os: String?
  private let variant: String?
  private let rootfs: FileSystem?

  /// Reads it.
  ///
  /// - Throws: `DecodingError`.
  static func decode(_ bytes: [UInt8]) throws -> SavedConfiguration {
    try JSONDecoder().decode(SavedConfiguration.self, from: Data(bytes))
  }

  /// The digests of the layers' contents; `nil` when it does not speak of layers.
  var contents: [Digest]? { rootfs.map { $0.diffIDs ?? [] } }

  var platform: Platform {
    Platform(
      os: os.flatMap { $0.isEmpty ? nil : $0 } ?? "linux",
      architecture: architecture.flatMap { $0.isEmpty ? nil : $0 } ?? "amd64", variant: variant)
  }
}
