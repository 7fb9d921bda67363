import Archive
import Bundle
import Files
import Integrity
import Synchronization
import SystemPackage
import Transfer

/// An image archive on its way: each blob is written straight to its place in it, in any order, several at a time.
///
/// The file lies beside the final name. Behind the archive it has a note of how many bytes of each blob are there, so that
/// another run goes on where a killed one ended. Nothing is flushed before the archive is complete, so the note is
/// believed by nobody: what an earlier run left is hashed before it counts.
public final class PartialArchive: Sendable {
  private struct State {
    /// Open while somebody writes.
    var file: StoredTarFile?
    /// The blobs that are there, by the place in ``contents``.
    var proved: [Int: CRC32] = [:]
    /// Bytes of each blob that are there, from its beginning.
    var kept: [Int64]
    var isComplete = false
  }

  /// What the archive will hold.
  public let image: ArchivedImage
  /// Its final name.
  public let destination: FilePath
  /// The file until then.
  let path: FilePath
  private let tar: StoredTar
  /// The blobs in the order of the tar, and the place of each in that order.
  private let contents: [Descriptor]
  private let indexes: [Digest: Int]
  private let note: ArchiveNote
  private let state: Mutex<State>

  /// Plans an archive. Nothing is written yet.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - destination: The archive's final name; its folder must exist when the first byte comes.
  /// - Throws: ``Archive/ArchiveError``, or ``ImageArchiveError/otherDigest(_:actual:)``.
  public init(_ image: ArchivedImage, at destination: FilePath) throws {
    if let digest = image.reference.digest, digest != image.descriptor.digest {
      throw ImageArchiveError.otherDigest(image.reference, actual: image.descriptor.digest)
    }
    self.image = image
    self.destination = destination
    path = Download.partFile(of: destination)
    let (entries, contents) = ImageLayout.entries(of: image)
    tar = try StoredTar(entries, of: destination)
    self.contents = contents
    indexes = Dictionary(uniqueKeysWithValues: zip(contents.map(\.digest), contents.indices))
    note = ArchiveNote(of: tar, contents)
    state = Mutex(State(kept: contents.map { _ in 0 }))
  }

  /// The blobs that it needs, in the order in which they lie in it.
  public var blobs: [Descriptor] { contents }

  /// How many bytes the archive will have.
  public var size: Int64 { tar.fileSize }

  /// What an earlier run left: how many bytes of which blobs.
  public func remains() -> [Digest: Int64] {
    guard let descriptor = try? openFile(path, .readOnly, options: [.noFollow, .nonBlocking]) else {
      return [:]
    }
    defer { try? descriptor.close() }
    let kept = ((try? note.read(descriptor)) ?? nil) ?? []
    return Dictionary(uniqueKeysWithValues: zip(contents.map(\.digest), kept).filter { $0.1 > 0 })
  }

  /// The place of a blob that is in the archive. Opens the file.
  ///
  /// - Throws: `FileError`.
  public func place(of digest: Digest) throws -> BlobPlace {
    guard let index = indexes[digest] else { throw ImageArchiveError.incomplete(destination, blob: digest) }
    return BlobPlace(self, index, try open())
  }

  /// Lets go of the file until the next blob comes.
  public func rest() { state.withLock { $0.file = nil } }

  /// Completes the archive and gives it its name.
  ///
  /// - Parameter supply: Called for each blob that is not there, with its place; must fill that.
  /// - Returns: The size in bytes and the digest of the archive file.
  /// - Throws: `FileError`, `CancellationError`, what `supply` throws, or
  ///   ``ImageArchiveError/incomplete(_:blob:)``; the final name is then as it was.
  public func complete(
    _ supply: (Descriptor, BlobPlace) throws -> Void = { _, _ in }
  ) throws -> (size: Int64, sha256: Digest) {
    let file = try open()
    for (index, blob) in contents.enumerated() where state.withLock({ $0.proved[index] == nil }) {
      try Task.checkCancellation()
      try supply(blob, BlobPlace(self, index, file))
    }
    let proved = state.withLock(\.proved)
    let checksums = try contents.indices.map { index in
      guard let checksum = proved[index], checksum.count == contents[index].size else {
        throw ImageArchiveError.incomplete(destination, blob: contents[index].digest)
      }
      return checksum
    }
    try file.complete(checksums)
    file.beginWriting()
    let digest = try file.digest()
    try file.flush()
    try state.withLock { state in
      try renameDurably(path, to: destination)
      state.isComplete = true
      state.file = nil
    }
    return (tar.fileSize, digest)
  }

  /// Removes what is there of an archive that is not complete.
  public func discard() {
    state.withLock { state in
      state.file = nil
      state.kept = contents.map { _ in 0 }
      state.proved = [:]
      if !state.isComplete { try? removeFile(path) }
    }
  }

  /// Hands over a blob that is there and proved.
  ///
  /// - Throws: `FileError`; ``ImageArchiveError/incomplete(_:blob:)`` when it is not there; what `body` throws.
  func read(_ digest: Digest, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> CRC32 {
    // Under the lock the file has its first name or its last one.
    let (file, index, checksum) = try state.withLock { state in
      guard let index = indexes[digest], let checksum = state.proved[index] else {
        throw ImageArchiveError.incomplete(destination, blob: digest)
      }
      let name = state.isComplete ? destination : path
      let file = try state.file ?? StoredTarFile(openFile(name, .readOnly, options: .noFollow), name, tar)
      return (file, index, checksum)
    }
    try file.read(tar.contents[index], body)
    return checksum
  }

  /// Opens the file, and takes over what an earlier run left if it is of the same archive.
  private func open() throws -> StoredTarFile {
    try state.withLock { state in
      if let file = state.file { return file }
      let isNew = FileInfo(regularFile: path) == nil
      // Nobody else's file is written to: the name is this program's own, and what lies there must be a file.
      let descriptor = try openFile(
        path, .readWrite,
        options: isNew ? [.create, .exclusiveCreate, .noFollow] : [.noFollow, .nonBlocking],
        permissions: isNew ? .publicFile : nil)
      let file = StoredTarFile(descriptor, path, tar)
      // Whatever the umask; FAT knows no permissions.
      if isNew { try? setPermissions(.publicFile, of: path) }
      state.kept =
        try FileError.naming(.read, path) { try note.read(descriptor) } ?? contents.map { _ in 0 }
      try FileError.naming(.write, path) { try note.write(state.kept, to: descriptor) }
      state.file = file
      return file
    }
  }
}

extension PartialArchive {
  fileprivate func kept(_ index: Int) -> Int64 { state.withLock { $0.kept[index] } }
  fileprivate func descriptor(_ index: Int) -> Descriptor { contents[index] }
  fileprivate func range(_ index: Int) -> Range<Int64> { tar.contents[index] }

  fileprivate func keep(_ count: Int64, of index: Int, _ file: StoredTarFile) {
    state.withLock { state in
      state.kept[index] = count
      if count < contents[index].size { state.proved[index] = nil }
    }
    file.update { try? note.write(count, of: index, to: $0) }
  }

  fileprivate func prove(_ index: Int, _ checksum: CRC32) { state.withLock { $0.proved[index] = checksum } }
}

/// The place of a blob in an archive on its way.
public final class BlobPlace: ContentPlace {
  private let archive: PartialArchive
  private let index: Int
  private let file: StoredTarFile
  /// Of the bytes that are here.
  private let checksum = Mutex(CRC32())

  fileprivate init(_ archive: PartialArchive, _ index: Int, _ file: StoredTarFile) {
    (self.archive, self.index, self.file) = (archive, index, file)
  }

  /// The file of the archive until it is complete.
  public var path: FilePath { archive.path }

  /// How many bytes an earlier run left here.
  public var kept: Int64 { archive.kept(index) }

  /// Hands over what an earlier run left here.
  ///
  /// - Throws: `FileError`, or what `body` throws.
  public func readKept(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let start = archive.range(index).lowerBound
    checksum.withLock { $0 = CRC32() }
    guard kept > 0 else { return }
    do {
      try file.read(start..<start + kept) { bytes in
        checksum.withLock { $0.update(bytes) }
        try body(bytes)
      }
    } catch let error as FileError where error.code == .ioError {
      // A file shorter than its note says: what could be read is all there is.
      archive.keep(checksum.withLock(\.count), of: index, file)
    }
  }

  /// Writes bytes: those that follow what is here, or others ahead of them.
  ///
  /// - Throws: `FileError`; ``ImageArchiveError/incomplete(_:blob:)`` for more bytes than the blob has.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
    let end = offset + Int64(bytes.count)
    guard end <= archive.descriptor(index).size else {
      throw ImageArchiveError.incomplete(archive.destination, blob: archive.descriptor(index).digest)
    }
    try file.write(bytes, at: archive.range(index).lowerBound + offset)
    if checksum.withLock({ $0.update(bytes, at: offset) }) { archive.keep(end, of: index, file) }
  }

  /// Hands over bytes that were written ahead of others, which are here by now.
  ///
  /// - Throws: `FileError`, or what `body` throws.
  public func read(_ range: Range<Int64>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let start = archive.range(index).lowerBound
    var offset = range.lowerBound
    try file.read(start + offset..<start + range.upperBound) { bytes in
      try body(bytes)
      let isNext = checksum.withLock { $0.update(bytes, at: offset) }
      offset += Int64(bytes.count)
      if isNext { archive.keep(offset, of: index, file) }
    }
  }

  /// Forgets all bytes that are here.
  public func discard() {
    checksum.withLock { $0 = CRC32() }
    archive.keep(0, of: index, file)
  }

  /// Notes that all bytes are here, and proved.
  public func complete() { archive.prove(index, checksum.withLock { $0 }) }

  /// Fills the place with a blob's bytes, which are hashed on the way.
  ///
  /// - Parameters:
  ///   - source: Where the bytes come from, for errors.
  ///   - read: Hands over the bytes, to the function that it is given.
  /// - Throws: ``ImageArchiveError/damaged(_:blob:actual:)`` for other bytes, which are then forgotten; what `read` throws; `FileError`.
  public func fill(
    from source: FilePath, _ read: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let blob = archive.descriptor(index)
    var hasher = DigestHasher(blob.digest.algorithm)
    discard()
    let pieces = PieceCollector(self)
    try read { bytes in
      hasher.update(bytes)
      try pieces.take(bytes)
    }
    try pieces.flush()
    let actual = hasher.finalize()
    guard actual == blob.digest else {
      discard()
      throw ImageArchiveError.damaged(source, blob: blob.digest, actual: actual)
    }
    complete()
  }

  /// Fills the place with a blob that another archive has and that was proved there.
  ///
  /// - Throws: `FileError`, or ``ImageArchiveError``.
  public func fill(from other: PartialArchive) throws {
    let blob = archive.descriptor(index)
    discard()
    let pieces = PieceCollector(self)
    let expected = try other.read(blob.digest) { try pieces.take($0) }
    try pieces.flush()
    // Not what was proved: somebody has written to the file, or the disk has.
    guard checksum.withLock({ $0 }) == expected else {
      discard()
      throw ImageArchiveError.incomplete(other.destination, blob: blob.digest)
    }
    complete()
  }
}

extension CRC32 {
  /// Takes in bytes if they are those that follow; says whether they are.
  fileprivate mutating func update(_ bytes: UnsafeRawBufferPointer, at offset: Int64) -> Bool {
    guard offset == count else { return false }
    update(bytes)
    return true
  }
}

/// Makes larger pieces of small ones, so that there are few writes.
private final class PieceCollector {
  private let place: BlobPlace
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  private var filled = 0
  private var offset: Int64 = 0

  init(_ place: BlobPlace) { self.place = place }

  deinit { buffer.deallocate() }

  func take(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = min(rest.count, buffer.count - filled)
      UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
      filled += count
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
      if filled == buffer.count { try flush() }
    }
  }

  func flush() throws {
    try place.write(UnsafeRawBufferPointer(rebasing: buffer[..<filled]), at: offset)
    (filled, offset) = (0, offset + Int64(filled))
  }
}
