import Bundle
import Concurrency
import Files
import Integrity
import SystemPackage

/// Writes a medium, and reads it back.
public struct MediaWriter: Sendable {
  /// A medium that was written.
  public struct Report: Sendable, Encodable {
    /// The number of the medium.
    public let part: Int
    /// Where it was written.
    public let folder: String
    /// How many files and pieces of files it has.
    public let items: Int
    /// The bytes on it, the index included.
    public let bytes: Int64
  }

  private let plan: MediaPlan
  private let part: Int
  private let folder: FilePath
  private let items: [Item]

  /// A piece, and which of its file it is.
  private struct Item: Sendable {
    let file: MediaFile
    let number: Int
    let piece: MediaFile.Piece
    var name: String { file.name(of: number) }
  }

  /// A medium to write.
  ///
  /// - Parameters:
  ///   - plan: What lies on which medium.
  ///   - part: Its number, from 1.
  ///   - folder: Where it is: the medium itself, or a folder for it.
  /// - Throws: ``MediaError`` when there is no such medium, or ``DeltaError/overlapping(_:_:)``.
  public init(_ plan: MediaPlan, part: Int, to folder: FilePath) throws {
    guard 1...plan.set.parts ~= part else { throw MediaError.noPart(part, of: plan.set.parts) }
    try refuse(folder, within: plan.content.folder)
    self.plan = plan
    self.part = part
    self.folder = folder
    items = plan.set.files.flatMap { file in
      file.pieces.enumerated().filter { $1.part == part }.map { Item(file: file, number: $0, piece: $1) }
    }
  }

  /// The paths of the files that are written, wholly or partly.
  public var names: [String] { items.map(\.file.path) }

  /// How many bytes are written, and read back.
  public var bytes: Int64 { items.byteSum(of: \.piece.size) }

  /// Writes the medium. What an earlier call has written there is used again. Then everything is read back from the medium,
  /// and not from memory.
  ///
  /// - Parameter onItem: Called with each file when it was read back, and its size.
  /// - Throws: ``MediaError``, ``DeltaError``, `FileError` or `CancellationError`. The medium is then not finished.
  public func run(_ onItem: (String, Int64) -> Void = { _, _ in }) async throws -> Report {
    let index = MediaIndex(part: part, id: try plan.set.id(), set: plan.set)
    let encoded = try index.encoded()
    let lock = try FolderLock(folder)
    defer { lock.remove() }
    try claim(index, encoded)
    // One after the other: a stick is fastest when it is written in order.
    for item in items {
      try Task.checkCancellation()
      try await offload { () throws in try write(item) }
    }
    flushFileSystem(of: folder)
    for item in items {
      try Task.checkCancellation()
      try await offload { () throws in try readBack(item) }
      onItem(item.file.path, item.piece.size)
    }
    try renameDurably(
      folder.appending(MediaIndex.unfinishedFileName), to: folder.appending(MediaIndex.fileName))
    return Report(
      part: part, folder: folder.string, items: items.count,
      bytes: ByteSize.sum(bytes, Int64(encoded.count)))
  }

  /// Sees that the folder is empty but for what systems leave on a disk, or holds this medium, finished or not.
  private func claim(_ index: MediaIndex, _ encoded: [UInt8]) throws {
    let (mark, final) = (
      folder.appending(MediaIndex.unfinishedFileName), folder.appending(MediaIndex.fileName)
    )
    var isClaimed = false
    for path in [final, mark] {
      guard let bytes = try readBytes(ifPresent: path, limit: MediaIndex.largestFile) else { continue }
      let other = try? MediaIndex(decoding: bytes, from: path)
      guard other?.id == index.id, other?.part == part else {
        throw MediaError.occupied(
          folder, by: other.map { "medium \($0.part) of \($0.set.bundle)" } ?? "\(path)")
      }
      isClaimed = true
    }
    let folders = [MediaIndex.contentFolder, MediaIndex.pieceFolder]
    if !isClaimed, let other = folders.first(where: { fileExists(folder.appending($0)) }) {
      throw MediaError.occupied(folder, by: other)
    }
    let needed = items.byteSum { item in
      FileInfo(regularFile: place(item))?.size == item.piece.size ? 0 : item.piece.size
    }
    let available = try FileSystemSpace.at(folder).availableBytes
    guard needed <= available else {
      throw MediaError.lessRoom(folder, needed: needed, available: available)
    }
    try writeAtomically(encoded, to: mark)
    try removeFile(final)
  }

  private func place(_ item: Item) -> FilePath { folder.appending(FilePath(item.name).components) }

  private func write(_ item: Item) throws {
    let target = ProvedFile(path: place(item), size: item.piece.size, sha256: item.piece.sha256)
    if target.isThere { return }
    let (content, path) = (plan.content, FilePath(item.file.path))
    let source = content.folder.appending(path.components)
    let descriptor = try openProved(path, beneath: content.folder, size: item.file.size) {
      .bundleDamaged($0, how: $1)
    }
    defer { try? descriptor.close() }
    let start = item.file.offset(of: item.number)
    let problem = try target.write(isProgram: item.file.isProgram ?? false) { write in
      try readPart(descriptor, source, start..<start + item.piece.size, write)
    }
    if let problem { throw DeltaError.bundleDamaged(source, how: problem) }
  }

  private func readBack(_ item: Item) throws {
    let path = place(item)
    let descriptor = try openFile(path, .readOnly)
    defer { try? descriptor.close() }
    forgetCached(descriptor)
    var hasher = DigestHasher(.sha256)
    do {
      try readPart(descriptor, path, 0..<item.piece.size) { hasher.update($0) }
    } catch let error as FileError {
      throw MediaError.otherBytes(path, how: "it cannot be read: \(error.code)")
    }
    let actual = hasher.finalize()
    guard actual == item.piece.sha256 else {
      throw MediaError.otherBytes(path, how: "its digest is \(actual) instead of \(item.piece.sha256)")
    }
  }
}
