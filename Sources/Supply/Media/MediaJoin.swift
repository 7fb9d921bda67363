import Bundle
import Concurrency
import Files
import Integrity
import SystemPackage

/// Puts together what lies on several media: in any order, and in as many sittings as it takes.
///
/// Each piece is proved before it counts. What closes the bundle, or the delta, gets its name when everything else is there.
public struct MediaJoin: Sendable {
  /// How far a medium was taken.
  public enum State: String, Sendable, Encodable {
    /// All that is on it is in its place.
    case complete
    /// It was not given, now or before.
    case missing
    /// It was given, and something on it is damaged.
    case damaged
  }

  /// One of the media.
  public struct Part: Sendable, Encodable {
    /// Its number.
    public let part: Int
    /// How far it was taken.
    public let state: State
    /// How many files are wholly or partly on it that are not in their places.
    public let lacking: Int
    /// The bytes of these that are on it.
    public let bytes: Int64
    /// The first of their paths.
    public let examples: [String]
  }

  /// What came of a sitting.
  public struct Report: Sendable, Encodable {
    /// Where everything is put together.
    public let folder: String
    /// The bundle.
    public let bundle: BundleIdentity
    /// Whether everything is there.
    public let isComplete: Bool
    /// Each of the media.
    public let parts: [Part]
    /// What could not be used, in sentences.
    public let problems: [String]
  }

  private let folder: FilePath
  private let media: [(place: FilePath, index: MediaIndex)]
  private let refused: [any Error]
  private let id: Digest
  private let set: MediaSet

  /// Looks at media; nothing is written yet.
  ///
  /// - Parameters:
  ///   - places: The folders of the media.
  ///   - folder: Where everything is put together. What an earlier sitting has begun there decides which set is wanted, or
  ///     else the first medium that can be read.
  /// - Throws: The error of the first medium when none can be used, or `FileError`.
  public init(_ places: [FilePath], into folder: FilePath) throws {
    var media: [(FilePath, MediaIndex)] = []
    var refused: [any Error] = []
    let begun = try? MediaIndex.begun(in: folder)
    var wanted = begun
    for place in places {
      do {
        let index = try MediaIndex.load(from: place)
        let first = wanted ?? index
        guard index.id == first.id else {
          throw MediaError.otherSet(place, wanted: first.set.bundle, found: index.set.bundle)
        }
        wanted = first
        media.append((place, index))
      } catch {
        refused.append(error)
      }
    }
    guard let wanted, !media.isEmpty else { throw refused.first ?? MediaError.noMedium(folder) }
    self.folder = folder
    self.media = media
    self.refused = refused
    id = wanted.id
    set = wanted.set
  }

  /// How many files there are in all, and how many bytes.
  public var totals: (items: Int, bytes: Int64) { (set.files.count, set.files.byteSum(of: \.size)) }

  /// Takes what is on the media.
  ///
  /// - Parameter onItem: Called with each file that was seen to, and its size.
  /// - Throws: `FileError` when the folder cannot be written, ``MediaError``, or `CancellationError`.
  public func run(_ onItem: (String, Int64) -> Void = { _, _ in }) async throws -> Report {
    let lock = try FolderLock(folder)
    defer { lock.remove() }
    try claim()
    var problems = refused.map { "\($0)" }
    var lacking: [MediaFile: Swift.Set<Int>] = [:]
    for file in set.files {
      try Task.checkCancellation()
      let taken = try await offload { () throws in try take(file) }
      problems += taken.problems
      if !taken.lacking.isEmpty { lacking[file] = taken.lacking }
      onItem(file.path, file.size)
    }
    if lacking.isEmpty { try close() }
    return Report(
      folder: folder.string, bundle: set.bundle, isComplete: lacking.isEmpty, parts: parts(lacking),
      problems: problems)
  }

  private func parts(_ lacking: [MediaFile: Swift.Set<Int>]) -> [Part] {
    let given = Swift.Set(media.map(\.index.part))
    return (1...set.parts).map { part in
      let files = lacking.filter { $0.value.contains(part) }.keys.sorted { $0.path < $1.path }
      let bytes = files.byteSum { $0.pieces.filter { $0.part == part }.byteSum(of: \.size) }
      return Part(
        part: part, state: files.isEmpty ? .complete : given.contains(part) ? .damaged : .missing,
        lacking: files.count, bytes: bytes, examples: files.prefix(3).map(\.path))
    }
  }

  // MARK: The folder

  /// Sees that the folder is empty, or what an earlier sitting for the same set has left.
  private func claim() throws {
    let mark = folder.appending(MediaIndex.begunName)
    if fileExists(mark) { return }
    let names = try BundleTree.files(below: folder).filter { !IncompleteName.matches($0) }
    // What is joined already is joined again: it is only looked at.
    let closing = set.files.first { MediaContent.closing.contains($0.path) }
    let isJoined =
      closing.map { ProvedFile(path: place($0), size: $0.size, sha256: $0.sha256).isThere } ?? false
    guard names.isEmpty || isJoined else { throw MediaError.occupied(folder, by: names[0]) }
    try writeAtomically(try media[0].index.encoded(), to: mark)
  }

  private func place(_ file: MediaFile) -> FilePath { folder.appending(FilePath(file.path).components) }

  /// Where what closes the bundle waits until everything is there.
  private func waiting(_ file: MediaFile) -> FilePath {
    IncompleteName.path(beside: place(file), kind: "join", name: file.path)
  }

  private func close() throws {
    flushFileSystem(of: folder)
    for file in set.files where MediaContent.closing.contains(file.path) && fileExists(waiting(file)) {
      try renameDurably(waiting(file), to: place(file))
    }
    for name in try BundleTree.files(below: folder)
    where IncompleteName.matches(name) && name != FolderLock.name {
      try removeFile(folder.appending(FilePath(name).components))
    }
  }

  // MARK: Files

  /// What came of a file: the media on which it is still wanted, and what was wrong.
  private struct Taken: Sendable {
    var lacking: Swift.Set<Int> = []
    var problems: [String] = []
  }

  private func take(_ file: MediaFile) throws -> Taken {
    let final = ProvedFile(path: place(file), size: file.size, sha256: file.sha256)
    if final.isThere { return Taken() }
    if file.pieces.count > 1 { return try JoinedFile(file, at: final.path).take(media, folder) }
    let isClosing = MediaContent.closing.contains(file.path)
    let target = isClosing ? ProvedFile(path: waiting(file), size: file.size, sha256: file.sha256) : final
    if isClosing, target.isThere { return Taken() }
    var taken = Taken(lacking: [file.pieces[0].part])
    for medium in media where medium.index.part == file.pieces[0].part {
      let path = medium.place.appending(FilePath(file.name(of: 0)).components)
      do {
        let descriptor = try openProved(
          FilePath(file.name(of: 0)), beneath: medium.place, size: file.size
        ) { .damaged($0, how: $1) }
        defer { try? descriptor.close() }
        let problem = try target.write(isProgram: file.isProgram ?? false) { write in
          try readPart(descriptor, path, 0..<file.size, write)
        }
        guard problem == nil else {
          taken.problems.append("\(path): \(problem ?? "")")
          continue
        }
        return Taken()
      } catch let error as DeltaError {
        taken.problems.append("\(error)")
      } catch let error as FileError where error.path == path {
        // The medium, and not the disk that is written to.
        taken.problems.append("\(error)")
      }
    }
    return taken
  }

  /// A file that lies on several media, put together beside its final name.
  private struct JoinedFile {
    let file: MediaFile
    let final: FilePath
    let partial: FilePath

    init(_ file: MediaFile, at final: FilePath) {
      self.file = file
      self.final = final
      partial = IncompleteName.path(beside: final, kind: "join", name: String(file.sha256.hex.prefix(32)))
    }

    func take(_ media: [(place: FilePath, index: MediaIndex)], _ folder: FilePath) throws -> Taken {
      try createDirectories(partial.removingLastComponent(), isDurable: false)
      let target = try openFile(
        partial, .readWrite, options: [.create, .noFollow], permissions: .publicFile)
      defer { try? target.close() }
      var taken = Taken()
      for (number, piece) in file.pieces.enumerated() where try !isThere(number, target) {
        taken.lacking.insert(piece.part)
        for medium in media where medium.index.part == piece.part {
          if let problem = try copy(number, from: medium.place, to: target) {
            taken.problems.append(problem)
          } else {
            taken.lacking.remove(piece.part)
          }
        }
      }
      guard taken.lacking.isEmpty else { return taken }
      let whole = ProvedFile(path: partial, size: file.size, sha256: file.sha256)
      guard whole.isThere else {
        // Each piece is right and the file is not: the set itself was made of something else.
        taken.lacking = Swift.Set(file.pieces.map(\.part))
        taken.problems.append("\(final): its pieces do not give the file that they were made of")
        return taken
      }
      if file.isProgram ?? false {
        try setPermissions([.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute], of: partial)
      }
      try moveFile(partial, to: final)
      return taken
    }

    private func range(_ number: Int) -> Range<Int64> {
      let start = file.offset(of: number)
      return start..<start + file.pieces[number].size
    }

    private func isThere(_ number: Int, _ target: FileDescriptor) throws -> Bool {
      let size = try FileError.naming(.read, partial) { try FileInfo(target).size }
      guard size >= range(number).upperBound else { return false }
      var hasher = DigestHasher(.sha256)
      try readPart(target, partial, range(number)) { hasher.update($0) }
      return hasher.finalize() == file.pieces[number].sha256
    }

    /// - Returns: `nil`, or what is wrong with the piece.
    private func copy(_ number: Int, from medium: FilePath, to target: FileDescriptor) throws -> String? {
      let (name, piece) = (FilePath(file.name(of: number)), file.pieces[number])
      let path = medium.appending(name.components)
      var hasher = DigestHasher(.sha256)
      do {
        let source = try openProved(name, beneath: medium, size: piece.size) { .damaged($0, how: $1) }
        defer { try? source.close() }
        var place = range(number).lowerBound
        try readPart(source, path, 0..<piece.size) { bytes in
          hasher.update(bytes)
          try FileError.naming(.write, partial) { try Self.write(bytes, to: target, at: place) }
          place += Int64(bytes.count)
        }
      } catch let error as DeltaError {
        return "\(error)"
      } catch let error as FileError where error.path == path {
        return "\(error)"
      }
      let actual = hasher.finalize()
      return actual == piece.sha256 ? nil : "\(path): its digest is \(actual) instead of \(piece.sha256)"
    }

    private static func write(
      _ bytes: UnsafeRawBufferPointer, to target: FileDescriptor, at place: Int64
    ) throws {
      var rest = bytes
      var place = place
      while !rest.isEmpty {
        let count = try target.write(toAbsoluteOffset: place, rest)
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        place += Int64(count)
      }
    }
  }
}

extension MediaIndex {
  /// The name of the index in a folder in which media are put together.
  static let begunName = "\(IncompleteName.prefix)media.json"

  /// The index of a medium that was taken first; `nil` when nothing was begun.
  static func begun(in folder: FilePath) throws -> MediaIndex? {
    let path = folder.appending(begunName)
    return try readBytes(ifPresent: path, limit: largestFile).map { try MediaIndex(decoding: $0, from: path) }
  }
}
