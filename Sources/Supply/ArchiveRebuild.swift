import Bundle
import Files
import Integrity
import SystemPackage

/// Puts the archive of an image together: from blobs in archives of the base and from pieces of the delta.
///
/// What comes of it is held against the manifest of the new bundle as a whole. Only where it is not right is each part
/// hashed, to name the one that is damaged.
struct ArchiveRebuild {
  let recipe: ArchiveRecipe
  let delta: DeltaFolder
  let base: HeldBundle

  /// How many bytes the archive will have.
  var size: Int64 {
    let frames = Int64(StoredArchive.blockHeader) * Int64(recipe.blocks.count)
    return ByteSize.sum(
      Int64(recipe.head.count + recipe.tail.count), frames, recipe.segments.byteSum(of: \.size))
  }

  /// Names the part that is damaged.
  ///
  /// - Throws: ``DeltaError`` for it, or `FileError`.
  func findDamage() throws { try pieces(isProving: true) { _ in } }

  /// Hands over the bytes of the archive.
  ///
  /// - Parameter isProving: Whether each part is hashed.
  /// - Throws: ``DeltaError`` for a file that is not as it should be, `FileError`, or what `write` throws.
  func pieces(isProving: Bool = false, _ write: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
    let betweenFile = try delta.open(piece: recipe.between)
    defer { try? betweenFile.close() }
    let between = Between(betweenFile, delta.place(piece: recipe.between))
    if isProving { try between.prove(recipe.between) }
    var framing = try StoredFraming(head: Array(recipe.head), blocks: recipe.blocks, write)
    var archives = BaseArchives(base: base, recipe)
    defer { archives.close() }
    for segment in recipe.segments {
      guard let blob = segment.blob else {
        try between.next(segment.size) { try framing.add($0) }
        continue
      }
      var hasher = DigestHasher(.sha256)
      let take: (UnsafeRawBufferPointer) throws -> Void = { bytes in
        if isProving { hasher.update(bytes) }
        try framing.add(bytes)
      }
      let source: FilePath
      if let path = segment.base {
        source = base.place(path)
        try archives.read(blob, segment.size, of: path, take)
      } else {
        source = delta.place(piece: blob)
        let file = try delta.open(piece: blob)
        defer { try? file.close() }
        try readWhole(file, source, take)
      }
      let actual = hasher.finalize()
      guard actual == blob || !isProving else {
        let how = "the blob \(blob) in it has digest \(actual)"
        throw segment.base == nil
          ? DeltaError.damaged(source, how: how) : DeltaError.bundleDamaged(source, how: how)
      }
    }
    try Array(recipe.tail).withUnsafeBytes(write)
  }
}

/// What lies between the blobs of an archive.
private final class Between {
  private let descriptor: FileDescriptor
  private let path: FilePath
  private var offset: Int64 = 0

  init(_ descriptor: FileDescriptor, _ path: FilePath) { (self.descriptor, self.path) = (descriptor, path) }

  func prove(_ digest: Digest) throws {
    var hasher = DigestHasher(.sha256)
    try readWhole(descriptor, path) { hasher.update($0) }
    let actual = hasher.finalize()
    guard actual == digest else { throw DeltaError.damaged(path, how: "its digest is \(actual)") }
  }

  func next(_ size: Int64, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    var left = size
    while left > 0 {
      let wanted = Int(min(left, Int64(buffer.count)))
      let count = try FileError.naming(.read, path) {
        try descriptor.read(
          fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
      }
      guard count > 0 else { throw DeltaError.damaged(path, how: "it is shorter than its archive needs") }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      offset += Int64(count)
      left -= Int64(count)
    }
  }
}

/// The archives of the base that blobs are taken from, each opened and looked at once.
private struct BaseArchives {
  let base: HeldBundle
  private var opened: [BundlePath: Archive] = [:]

  private struct Archive {
    let descriptor: FileDescriptor
    let stream: StoredArchive
    let blobs: [Digest: Range<Int64>]
  }

  /// How many bytes are taken from each.
  private let wanted: [BundlePath: Int64]

  init(base: HeldBundle, _ recipe: ArchiveRecipe) {
    self.base = base
    wanted = Dictionary(
      recipe.segments.compactMap { segment in segment.base.map { ($0, segment.size) } },
      uniquingKeysWith: { ByteSize.sum($0, $1) })
  }

  mutating func read(
    _ blob: Digest, _ size: Int64, of path: BundlePath, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let archive = try archive(path)
    guard let range = archive.blobs[blob], range.upperBound - range.lowerBound == size else {
      throw DeltaError.bundleDamaged(base.place(path), how: "it has no blob \(blob) of \(size) bytes")
    }
    try archive.stream.read(range, body)
  }

  private mutating func archive(_ path: BundlePath) throws -> Archive {
    if let archive = opened[path] { return archive }
    guard let file = base.file(path) else {
      throw DeltaError.bundleDamaged(base.place(path), how: "the base has no such file")
    }
    let descriptor = try base.open(file)
    do {
      let isWanted = wanted[path, default: 0] > file.size / 2
      guard let stream = try StoredArchive(descriptor, base.place(path), isWanted: isWanted) else {
        throw DeltaError.bundleDamaged(
          base.place(path), how: "it is not an archive of an image as it was made")
      }
      let blobs = try TarSegments.of(stream).compactMap { segment in segment.blob.map { ($0, segment.range) }
      }
      let archive = Archive(
        descriptor: descriptor, stream: stream, blobs: Dictionary(blobs) { first, _ in first })
      opened[path] = archive
      return archive
    } catch {
      try? descriptor.close()
      throw error
    }
  }

  func close() { for archive in opened.values { try? archive.descriptor.close() } }
}
