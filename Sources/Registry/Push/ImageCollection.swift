import Archive
import Bundle
import Dispatch
import Files
import Integrity
import Synchronization
import SystemPackage

/// `container-images.tar.gz` of kubespray's `contrib/offline/manage-offline-container-images.sh`: a folder with an archive
/// for each image, as `save` of podman, docker or nerdctl writes it, and `container-images.txt`, which gives each file its
/// name behind the registry.
public struct ImageCollection: Sendable {
  /// The list's name within the archive.
  public static let list = "container-images.txt"
  private static let longestList = 16 << 20

  /// The archive.
  public let path: FilePath
  /// The names that the list gives to each file.
  let names: [String: [String]]
  /// Whether it is the script's folder and not yet the archive of it.
  let isFolder: Bool

  /// Reads the list.
  ///
  /// - Returns: `nil` for an archive without one, such as that of a single image.
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError``, `FileError` or `CancellationError`.
  public init?(_ path: FilePath) throws {
    isFolder = try FileInfo(path, followsLinks: true).kind == .folder
    if isFolder {
      guard let bytes = try readBytes(ifPresent: path.appending(Self.list), limit: Self.longestList) else {
        return nil
      }
      self.path = path
      names = try Self.names(bytes, path)
      return
    }
    var bytes: [UInt8]?
    try ArchiveReader.visit(path) { entry, content in
      guard entry.kind == .file, Self.file(entry) == Self.list else { return .next }
      bytes = try content.bytes(limit: Self.longestList)
      return .stop
    }
    guard let bytes else { return nil }
    self.path = path
    names = try Self.names(bytes, path)
  }

  /// How many images there are, by name.
  public var count: Int { names.values.reduce(0) { $0 + $1.count } }

  /// An entry's name without its folder.
  static func file(_ entry: ArchiveEntry) -> String {
    entry.path.split(separator: "/").last.map(String.init) ?? entry.path
  }

  private static func names(_ bytes: [UInt8], _ path: FilePath) throws(ImageArchiveError) -> [String:
    [String]]
  {
    let text: TypedText
    do throws(TextEncodingError) {
      text = try TypedText(bytes, of: path)
    } catch {
      throw .unusable(path, reason: "its \(list) is in UTF-16; save it as UTF-8")
    }
    var names: [String: [String]] = [:]
    var files: [String: String] = [:]
    for line in text.lines {
      // No name has one, so what is behind it is said to people.
      let words = TypedText(line.text.replacing("#", with: " #")).lines.first?.words ?? []
      if words.isEmpty { continue }
      guard words.count == 2 else {
        throw .unusable(
          path, reason: "a line of its \(list) is not a file with a name: \(line.text.debugDescription)")
      }
      let (file, name) = (Self.withoutDots(words[0]), words[1])
      // In bytes: a mark combines with a slash, and the path ends where a zero is.
      guard !file.utf8.contains(where: { [0, UInt8(ascii: "/")].contains($0) }), ![".", ".."].contains(file)
      else {
        throw .unusable(
          path, reason: "its \(list) has \(file.debugDescription), which is not the name of a file")
      }
      if let other = files.updateValue(file, forKey: name) {
        guard other == file else {
          throw .unusable(path, reason: "its \(list) calls both \(other) and \(file) \(name)")
        }
        continue
      }
      names[file, default: []].append(name)
    }
    guard !names.isEmpty else { throw .unusable(path, reason: "its \(list) is empty") }
    return names
  }

  private static func withoutDots(_ name: String) -> String {
    var bytes = name.utf8[...]
    while bytes.starts(with: "./".utf8), bytes.count > 2 { bytes = bytes.dropFirst(2) }
    return String(bytes) ?? name
  }
}

extension ImagePush {
  /// Pushes the images of a collection under the names of its list, one after the other: each archive is unpacked beside
  /// the registry's other scratch, and removed when its image is there.
  ///
  /// - Parameters:
  ///   - collection: The collection; images of its list that it does not have are among the results, as failed.
  ///   - storage: The storage folder of the registry, where they are put straight into it as by ``seed(_:into:)``; `nil`
  ///     sends them over HTTP.
  /// - Returns: What became of each image.
  /// - Throws: As ``push(_:)``.
  public func push(_ collection: ImageCollection, into storage: FilePath? = nil) async throws -> [PushResult]
  {
    let client = try await client()
    func bring(_ file: FilePath, _ names: [ImageReference]) async throws -> [PushResult] {
      guard let storage else { return try await push([file], names: [file: names], client) }
      return try await seed([file], names: [file: names], into: storage)
    }
    var results: [PushResult] = []
    func fail(_ error: any Error) { results.append(failed(collection.path, error)) }
    var missing = Set(collection.names.keys)
    /// What goes wrong with one file does not stop the others; a registry that cannot be asked does.
    func take(_ name: String, _ file: FilePath) async throws {
      missing.remove(name)
      do {
        let names = try (collection.names[name] ?? []).map { try target.reference(named: $0) }
        results += try await bring(file, names)
      } catch let error where !(error is CancellationError || error is RegistryError) {
        let reason = (error as? ImageReferenceError)?.description ?? "\(error)"
        fail(ImageArchiveError.unusable(collection.path, reason: "\(name): \(reason)"))
      }
    }
    if collection.isFolder {
      for name in collection.names.keys.sorted() {
        let file = collection.path.appending(name)
        if (try? FileInfo(file, followsLinks: true)) != nil { try await take(name, file) }
      }
    } else {
      do {
        try await takeUnpacked(collection, take)
      } catch let error as ArchiveError {
        // What is behind the damage may be there or not.
        fail(error)
        return results
      }
    }
    try Task.checkCancellation()
    for name in missing.sorted() {
      fail(
        ImageArchiveError.unusable(
          collection.path, reason: "\(name) is in its \(ImageCollection.list) and not in the archive"))
    }
    return results
  }

  private func takeUnpacked(
    _ collection: ImageCollection, _ take: (String, FilePath) async throws -> Void
  ) async throws {
    let unpacking = CollectionUnpacking(collection, scratch: configuration.scratch)
    var failure: (any Error)?
    do {
      for try await item in unpacking.start() {
        // After a failure the rest is only cleared away.
        if failure == nil {
          do {
            try await take(item.name, item.file)
          } catch {
            failure = error
            unpacking.stop()
          }
        }
        unpacking.done(item)
      }
    } catch {
      failure = failure ?? error
    }
    try Task.checkCancellation()
    if let failure { throw failure }
  }

  /// An archive that nothing came of.
  func failed(_ archive: FilePath, _ error: any Error) -> PushResult {
    let result = PushResult(
      archive: archive, reference: nil, destination: nil, digest: nil, outcome: .failed, failure: error)
    onEvent(.finished(result))
    return result
  }
}

/// Unpacks a collection's archives on a thread of its own, so that the next one comes out while one is pushed; two are on
/// the disk at most.
private final class CollectionUnpacking: Sendable {
  struct Item: Sendable {
    /// The file's name in the list.
    let name: String
    /// Where it was unpacked.
    let file: FilePath
  }

  private struct State {
    var isStopped = false
    var files: Set<FilePath> = []
    /// Where the archives are unpacked, under their own names.
    var folder: FilePath?
  }

  private let collection: ImageCollection
  private let scratch: FilePath
  /// Begins at 0, for one that is let go below its first value is a crash.
  private let room = DispatchSemaphore(value: 0)
  private let state = Mutex(State())

  init(_ collection: ImageCollection, scratch: FilePath) {
    self.collection = collection
    self.scratch = scratch
    for _ in 0..<2 { room.signal() }
  }

  func start() -> AsyncThrowingStream<Item, any Error> {
    let (stream, continuation) = AsyncThrowingStream<Item, any Error>.makeStream()
    // Who is cancelled takes no more.
    continuation.onTermination = { if case .cancelled = $0 { self.stop() } }
    DispatchQueue.global().async {
      do {
        try ArchiveReader.visit(self.collection.path) { entry, content in
          let name = ImageCollection.file(entry)
          guard entry.kind == .file, self.collection.names[name] != nil else { return .next }
          self.room.wait()
          guard let file = try self.unpack(entry, content) else { return .stop }
          continuation.yield(Item(name: name, file: file))
          return .next
        }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    return stream
  }

  deinit {
    if let folder = state.withLock({ $0.folder }) { try? removeTree(folder) }
  }

  /// Nothing more is wanted: what was unpacked is removed.
  func stop() {
    let files = state.withLock { state in
      state.isStopped = true
      defer { state.files = [] }
      return state.files
    }
    for file in files { try? removeFile(file) }
    room.signal()
  }

  /// The file is no longer needed.
  func done(_ item: Item) {
    try? removeFile(item.file)
    state.withLock { _ = $0.files.remove(item.file) }
    room.signal()
  }

  /// - Returns: `nil` when nothing more is wanted.
  private func unpack(_ entry: ArchiveEntry, _ content: ArchiveContent) throws -> FilePath? {
    do {
      try createDirectories(scratch)
      let folder = try state.withLock { state in
        let folder = try state.folder ?? createTemporaryFolder(in: scratch, named: "images")
        state.folder = folder
        return folder
      }
      let file = folder.appending(ImageCollection.file(entry))
      let isWanted = state.withLock { state in
        if !state.isStopped { state.files.insert(file) }
        return !state.isStopped
      }
      guard isWanted else { return nil }
      let descriptor = try openFile(
        file, .writeOnly, options: [.create, .exclusiveCreate, .noFollow], permissions: .ownerReadWrite)
      try descriptor.closeAfter { try content.pieces { _ = try descriptor.writeAll($0) } }
      // Who stopped meanwhile has removed it, or not yet seen it.
      if state.withLock({ $0.isStopped }) {
        try? removeFile(file)
        return nil
      }
      return file
    } catch let error as Errno {
      throw CollectionError(file: entry.path, archive: collection.path, folder: scratch, reason: error)
    } catch let error as FileError {
      throw CollectionError(file: entry.path, archive: collection.path, folder: scratch, reason: error.code)
    }
  }
}

/// An image of a collection that cannot be unpacked.
public struct CollectionError: Error, CustomStringConvertible {
  /// The file in the archive.
  public let file: String
  /// The archive.
  public let archive: FilePath
  /// The folder that it is unpacked into.
  public let folder: FilePath
  /// What the system says.
  public let reason: Errno

  /// The file and what went wrong.
  public var description: String { "\(file) of \(archive) cannot be unpacked into \(folder): \(reason)" }
}
