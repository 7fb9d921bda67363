import Bundle
import Concurrency
import Files
import Integrity
import SystemPackage

/// Makes the new bundle of the one before it and a delta: byte for byte what the delta was made of.
///
/// The base is read and never written to. Each file is proved against the manifest of the new bundle before it has its
/// name, and the manifest comes last: a merge that is stopped at any moment is an unfinished bundle, and goes on when it is
/// called again.
public struct DeltaMerge: Sendable {
  /// What was made.
  public struct Report: Sendable, Encodable {
    /// Where the new bundle is.
    public let folder: String
    /// The bundle that it is.
    public let result: BundleIdentity
    /// How many files came from the base.
    public var fromBase = 0
    /// How many of these share their room on the disk with the base.
    public var shared = 0
    /// How many files came from the delta.
    public var fromDelta = 0
    /// How many archives of images were put together.
    public var rebuilt = 0
    /// How many files were there already.
    public var present = 0
    /// The bytes that were written.
    public var written: Int64 = 0
  }

  private let base: HeldBundle
  private let delta: DeltaFolder
  private let target: MergeTarget
  private let manifest: Manifest
  private let sharing = BaseSharing()

  /// Plans a merge; nothing is written yet.
  ///
  /// - Parameters:
  ///   - delta: The folder of the delta.
  ///   - index: Its index.
  ///   - base: The folder of the base.
  ///   - baseManifest: Its manifest.
  ///   - statement: The bytes of the new bundle's manifest, as they were decided about.
  ///   - signatures: Those that lie beside it.
  ///   - folder: Where the new bundle goes. For a delta that heals, `nil` is the base itself: its damaged files are put
  ///     back in their places.
  /// - Throws: ``DeltaError``, `ManifestError`, or `FileError`.
  public init(
    _ delta: FilePath, _ index: DeltaIndex, base: FilePath, _ baseManifest: Manifest, statement: [UInt8],
    signatures: [BundleSignature], into folder: FilePath?
  ) throws {
    let found = BundleIdentity(baseManifest)
    guard index.base.isSame(as: found) else {
      throw DeltaError.otherBase(wanted: index.base, found: found, base)
    }
    let place = delta.appending(DeltaIndex.newFolder).appending(Manifest.fileName)
    guard Digest(of: statement) == index.manifest else {
      throw DeltaError.damaged(
        place, how: "its digest is \(Digest(of: statement)) instead of \(index.manifest)")
    }
    manifest = try Manifest(decoding: statement, from: place)
    self.delta = DeltaFolder(delta, index)
    self.base = HeldBundle(base, baseManifest, lacking: Set(index.heals ?? []))
    let isHealing = index.heals != nil && folder == nil
    let result = BundleIdentity(manifest)
    // What heals a bundle is of that bundle, whatever the index says.
    guard !isHealing || result.isSame(as: found) else {
      throw DeltaError.otherBase(wanted: result, found: found, base)
    }
    target = MergeTarget(
      folder: folder ?? base, statement: statement, signatures: signatures, result: result,
      isBase: isHealing)
    if !isHealing {
      try refuse(target.folder, within: base)
      try refuse(base, within: target.folder)
    }
    try refuse(target.folder, within: delta)
  }

  /// The folder of the new bundle.
  public var folder: FilePath { target.folder }

  /// How many files the new bundle has, and how many bytes.
  public var totals: (items: Int, bytes: Int64) { (files.count, files.byteSum(of: \.size)) }

  /// The files to see to: where the base heals, those that are damaged.
  private var files: [ManifestFile] {
    guard target.isBase else { return manifest.files }
    let lost = Set(delta.index.heals ?? [])
    return manifest.files.filter { lost.contains($0.path) }
  }

  /// How a file came.
  fileprivate enum Way: Sendable {
    case present, shared, copied, fromDelta, rebuilt
  }

  /// Merges.
  ///
  /// - Parameter onItem: Called with each file that is in its place, and its size.
  /// - Throws: ``DeltaError``, `FileError`, or `CancellationError`. The folder is then an unfinished bundle.
  public func run(_ onItem: (String, Int64) -> Void = { _, _ in }) async throws -> Report {
    try checkSpace()
    let lock = try FolderLock(target.folder)
    defer { lock.remove() }
    try target.claim()
    var report = Report(folder: target.folder.string, result: target.result)
    var failures: [any Error] = []
    var files = files.sorted { $0.size > $1.size }
    // The smallest of the base goes first, alone: it shows whether files can be shared before a large one is read for it.
    let smallest = files.lastIndex { base.file(of: $0.sha256, preferring: $0.path) != nil }
    let first = smallest.map { [files.remove(at: $0)] } ?? []
    for files in [first, files] {
      await forEachConcurrently(files, limit: BundleVerifier.readers) { file in
        await Result { () async throws in try await offload { () throws in try bring(file) } }
      } onResult: { file, result in
        switch result {
        case .success(let way):
          report.count(way, file)
          onItem("\(file.path)", file.size)
        case .failure(let error): failures.append(error)
        }
      }
    }
    try Task.checkCancellation()
    if !failures.isEmpty { throw DeltaErrors(all: failures) }
    try target.finish(manifest)
    return report
  }

  private func bring(_ file: ManifestFile) throws -> Way {
    let target = ProvedFile(path: target.place(file.path), size: file.size, sha256: file.sha256)
    if target.isThere { return .present }
    if let known = base.file(of: file.sha256, preferring: file.path) { return try take(known, target) }
    if let recipe = delta.recipes[file.path] { return try rebuild(recipe, target) }
    guard let carried = self.carried(file) else {
      throw DeltaError.incomplete(delta.folder, lacks: file.path)
    }
    let descriptor = try delta.open(carried)
    defer { try? descriptor.close() }
    let problem = try target.write(isProgram: isProgram(descriptor)) { write in
      try readWhole(descriptor, delta.place(of: carried), write)
    }
    if let problem { throw DeltaError.damaged(delta.place(of: carried), how: problem) }
    return .fromDelta
  }

  /// The file of the delta that has the content of a file: a content that the new bundle has twice is carried once.
  private func carried(_ file: ManifestFile) -> ManifestFile? {
    if delta.has(file.path) { return file }
    return manifest.files.first { $0.sha256 == file.sha256 && delta.has($0.path) }
  }

  private func rebuild(_ recipe: ArchiveRecipe, _ target: ProvedFile) throws -> Way {
    let rebuild = ArchiveRebuild(recipe: recipe, delta: delta, base: base)
    guard rebuild.size == target.size else {
      throw DeltaError.damaged(
        delta.folder.appending(DeltaIndex.fileName),
        how: "what it says of \(recipe.path) gives \(rebuild.size) bytes instead of \(target.size)")
    }
    let problem = try target.write { write in try rebuild.pieces(write) }
    if let problem {
      try rebuild.findDamage()
      throw DeltaError.damaged(
        delta.folder.appending(DeltaIndex.fileName), how: "\(recipe.path) as it says: \(problem)")
    }
    return .rebuilt
  }

  /// Takes a file of the base: proved first, then shared with it where the file system can, or else copied.
  private func take(_ file: ManifestFile, _ target: ProvedFile) throws -> Way {
    let descriptor = try base.open(file)
    defer { try? descriptor.close() }
    let place = base.place(file.path)
    if sharing.isPossible {
      var hasher = DigestHasher(.sha256)
      try readWhole(descriptor, place) { hasher.update($0) }
      let actual = hasher.finalize()
      guard actual == file.sha256 else {
        throw DeltaError.bundleDamaged(place, how: "its digest is \(actual) instead of \(file.sha256)")
      }
      try createDirectories(target.path.removingLastComponent(), isDurable: false)
      if try sharing.share(descriptor, at: target.path) { return .shared }
    }
    let problem = try target.write(isProgram: isProgram(descriptor)) { write in
      try readWhole(descriptor, place, write)
    }
    if let problem { throw DeltaError.bundleDamaged(place, how: problem) }
    return .copied
  }

  private func isProgram(_ descriptor: FileDescriptor) -> Bool {
    (try? FileInfo(descriptor).permissions.contains(.ownerExecute)) ?? false
  }

  /// Sees that what is written fits; what is shared with the base takes no room.
  private func checkSpace() throws {
    let existing = (try? FileInfo(target.folder, followsLinks: true))
    let parent = target.folder.removingLastComponent()
    let here = existing ?? (try? FileInfo(parent.isEmpty ? "." : parent, followsLinks: true))
    let isSameDisk = here?.device == (try? FileInfo(base.folder, followsLinks: true))?.device
    let needed = files.byteSum { file in
      let isThere = FileInfo(regularFile: target.place(file.path))?.size == file.size
      let isShared = isSameDisk && base.file(of: file.sha256, preferring: file.path) != nil
      return isThere || isShared ? 0 : file.size
    }
    let available = try FileSystemSpace.at(target.folder).availableBytes
    guard needed <= available else {
      throw DeltaError.notEnoughSpace(target.folder, needed: needed, available: available)
    }
  }
}

extension DeltaMerge.Report {
  fileprivate mutating func count(_ way: DeltaMerge.Way, _ file: ManifestFile) {
    switch way {
    case .present: present += 1
    case .shared, .copied: fromBase += 1
    case .fromDelta: fromDelta += 1
    case .rebuilt: rebuilt += 1
    }
    if way == .shared { shared += 1 }
    if ![.present, .shared].contains(way) { written = ByteSize.sum(written, file.size) }
  }
}
