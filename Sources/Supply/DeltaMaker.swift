import Bundle
import Concurrency
import Files
import Integrity
import SystemPackage

/// Makes a delta: what a bundle has and the one before it has not.
public struct DeltaMaker: Sendable {
  /// What was made.
  public struct Report: Sendable, Encodable {
    /// The bundle that it is for.
    public let base: BundleIdentity
    /// The bundle that comes of it.
    public let result: BundleIdentity
    /// How many files are in it whole.
    public let files: Int
    /// How many archives of images are put together on the other side.
    public let archives: Int
    /// The bytes of the whole delta.
    public let bytes: Int64
    /// The bytes that the base does not have, each content once.
    public let newBytes: Int64
    /// The bytes of the new bundle.
    public let resultBytes: Int64
  }

  /// The index of what is made.
  public let index: DeltaIndex
  private let plan: DeltaPlan
  private let bundle: HeldBundle
  private let statement: [(name: String, bytes: [UInt8])]
  private let folder: FilePath

  /// Plans a delta; nothing is written yet.
  ///
  /// - Parameters:
  ///   - base: What the other side has.
  ///   - outputs: The folder of the new bundle.
  ///   - statement: The bytes of its manifest.
  ///   - signatures: Those that lie beside it.
  ///   - folder: Where the delta goes.
  ///   - tool: The program that makes it.
  /// - Throws: ``DeltaError``, `ManifestError` or `FileError`.
  public init(
    from base: DeltaBase, to outputs: FilePath, statement: [UInt8], signatures: [BundleSignature],
    in folder: FilePath, tool: String
  ) throws {
    try refuse(folder, within: outputs)
    let manifest = try Manifest(decoding: statement, from: outputs.appending(Manifest.fileName))
    bundle = HeldBundle(outputs, manifest)
    plan = try DeltaPlan(bundle, for: base)
    self.folder = folder
    self.statement = [(Manifest.fileName, statement)] + signatures.map { ($0.name, $0.bytes) }
    index = DeltaIndex(
      tool: tool, base: base.identity, result: BundleIdentity(manifest), manifest: Digest(of: statement),
      heals: base.damaged, files: plan.files.map(\.path), archives: plan.archives,
      pieces: plan.pieces.map(\.piece))
  }

  /// How many files are written, and how many bytes are read and written for them.
  public var totals: (items: Int, bytes: Int64) {
    let archives = archiveFiles.byteSum(of: \.size)
    return (
      plan.files.count + plan.pieces.count + plan.archives.count,
      ByteSize.sum(plan.files.byteSum(of: \.size), index.pieceBytes, archives)
    )
  }

  private var archiveFiles: [ManifestFile] { plan.archives.compactMap { bundle.file($0.path) } }

  private enum Item: Sendable {
    case file(ManifestFile)
    case piece(DeltaPlan.Piece)
    case archive(ManifestFile)

    var size: Int64 {
      switch self {
      case .file(let file), .archive(let file): file.size
      case .piece(let piece): piece.piece.size
      }
    }
  }

  /// Writes the delta. What an earlier call for the same two bundles has written is used again.
  ///
  /// - Parameter onItem: Called with each finished file of the new bundle, or piece, and its size.
  /// - Throws: ``DeltaError``, `FileError`, or `CancellationError`. The folder is then an unfinished delta.
  public func run(_ onItem: (String, Int64) -> Void = { _, _ in }) async throws -> Report {
    let encoded = try index.encoded()
    let lock = try FolderLock(folder)
    defer { lock.remove() }
    try claim(encoded)
    let items =
      plan.files.map(Item.file) + plan.pieces.map(Item.piece) + archiveFiles.map(Item.archive)
    var failures: [any Error] = []
    await forEachConcurrently(items.sorted { $0.size > $1.size }, limit: BundleVerifier.readers) { item in
      await Result { () async throws in try await offload { () throws in try make(item) } }
    } onResult: { item, result in
      switch result {
      case .success(let name): onItem(name, item.size)
      case .failure(let error): failures.append(error)
      }
    }
    try Task.checkCancellation()
    if !failures.isEmpty { throw DeltaErrors(all: failures) }
    for (name, bytes) in statement {
      try writeAtomically(bytes, to: place("\(DeltaIndex.newFolder)/\(name)"), isDurable: false)
    }
    flushFileSystem(of: folder)
    try renameDurably(
      folder.appending(DeltaIndex.unfinishedFileName), to: folder.appending(DeltaIndex.fileName))
    let own = statement.byteSum { Int64($0.bytes.count) }
    return Report(
      base: index.base, result: index.result, files: plan.files.count, archives: plan.archives.count,
      bytes: ByteSize.sum(
        plan.files.byteSum(of: \.size), index.pieceBytes, own, Int64(encoded.count)),
      newBytes: plan.newBytes, resultBytes: bundle.manifest.totalSize)
  }

  /// Sees that the folder is empty, or holds the same delta, finished or not; and marks it.
  private func claim(_ encoded: [UInt8]) throws {
    try createDirectories(folder.appending(DeltaIndex.newFolder))
    try createDirectories(folder.appending(DeltaIndex.pieceFolder))
    let marks = [DeltaIndex.fileName, DeltaIndex.unfinishedFileName].map { folder.appending($0) }
    let known = Set(
      [DeltaIndex.newFolder, DeltaIndex.pieceFolder] + marks.compactMap { $0.lastComponent?.string })
    let others = try listFolder(folder).filter { !known.contains($0) && !IncompleteName.matches($0) }
    if let other = others.first { throw DeltaError.occupied(folder, by: other) }
    var isClaimed = false
    for mark in marks {
      guard let bytes = try readBytes(ifPresent: mark, limit: DeltaIndex.largestFile) else { continue }
      let index = try DeltaIndex(decoding: bytes, from: mark)
      guard index.base == self.index.base, index.manifest == self.index.manifest,
        index.heals == self.index.heals
      else { throw DeltaError.occupied(folder, by: "the delta from \(index.base) to \(index.result)") }
      isClaimed = true
    }
    if !isClaimed {
      let present = try BundleTree.files(below: folder).filter { !IncompleteName.matches($0) }
      if let other = present.first { throw DeltaError.occupied(folder, by: other) }
    }
    try writeAtomically(encoded, to: marks[1])
    try removeFile(marks[0])
    try removeOthers()
    try checkSpace()
  }

  private func checkSpace() throws {
    let needed = ByteSize.sum(
      plan.files.byteSum { missing(place("\(DeltaIndex.newFolder)/\($0.path)"), $0.size) },
      index.pieces.byteSum { missing(place($0.place), $0.size) })
    let available = try FileSystemSpace.at(folder).availableBytes
    guard needed <= available else {
      throw DeltaError.notEnoughSpace(folder, needed: needed, available: available)
    }
  }

  private func missing(_ path: FilePath, _ size: Int64) -> Int64 {
    FileInfo(regularFile: path)?.size == size ? 0 : size
  }

  /// Removes what the same delta had when it was planned with less knowledge of the base.
  private func removeOthers() throws {
    let wanted = Set(
      plan.files.map { "\(DeltaIndex.newFolder)/\($0.path)" } + index.pieces.map(\.place)
        + statement.map { "\(DeltaIndex.newFolder)/\($0.name)" } + [DeltaIndex.unfinishedFileName])
    for name in try BundleTree.files(below: folder) where !wanted.contains(name) && name != FolderLock.name {
      try removeFile(place(name))
    }
  }

  private func place(_ name: String) -> FilePath { folder.appending(FilePath(name).components) }

  private func make(_ item: Item) throws -> String {
    switch item {
    case .file(let file):
      try copy(file)
      return "\(file.path)"
    case .piece(let piece):
      try write(piece)
      return piece.piece.place
    case .archive(let file):
      try prove(file)
      return "\(file.path)"
    }
  }

  private func copy(_ file: ManifestFile) throws {
    let target = ProvedFile(
      path: place("\(DeltaIndex.newFolder)/\(file.path)"), size: file.size, sha256: file.sha256)
    if target.isThere { return }
    let descriptor = try bundle.open(file)
    defer { try? descriptor.close() }
    let isProgram = (try? FileInfo(descriptor).permissions.contains(.ownerExecute)) ?? false
    let problem = try target.write(isProgram: isProgram) { write in
      try readWhole(descriptor, bundle.place(file.path), write)
    }
    if let problem { throw DeltaError.bundleDamaged(bundle.place(file.path), how: problem) }
  }

  private func write(_ piece: DeltaPlan.Piece) throws {
    let target = ProvedFile(
      path: place(piece.piece.place), size: piece.piece.size, sha256: piece.piece.sha256)
    if target.isThere { return }
    let (file, ranges) =
      switch piece.content {
      case .blob(let file, let range): (file, [range])
      case .between(let file, let ranges): (file, ranges)
      }
    let problem = try bundle.withArchive(file) { stream in
      try target.write { write in for range in ranges { try stream.read(range, write) } }
    }
    switch problem {
    case .some(.none): return
    case .some(.some(let how)): throw DeltaError.bundleDamaged(bundle.place(file.path), how: "a blob: \(how)")
    case .none: throw DeltaError.bundleDamaged(bundle.place(file.path), how: "it changed while it was read")
    }
  }

  /// An archive that is put together on the other side must be right here.
  private func prove(_ file: ManifestFile) throws {
    let descriptor = try bundle.open(file)
    defer { try? descriptor.close() }
    var hasher = DigestHasher(.sha256)
    try readWhole(descriptor, bundle.place(file.path)) { hasher.update($0) }
    let actual = hasher.finalize()
    guard actual == file.sha256 else {
      throw DeltaError.bundleDamaged(
        bundle.place(file.path), how: "its digest is \(actual) instead of \(file.sha256)")
    }
  }
}
