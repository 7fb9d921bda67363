import Files
import Synchronization
import SystemPackage

/// The folder of things that can be made again, shared by all runs of this user, several at once too.
///
/// What a run has taken stays until its `Cache` is gone: an entry in use is neither changed nor pruned. Of several
/// who want the same entry one makes it, and the others wait.
public final class Cache: Sendable {
  /// The folder, an absolute path.
  public let folder: FilePath

  private let taken = Mutex<[String: EntryLock]>([:])

  /// Opens the cache, and makes it if it is missing. A folder that holds other things already is used and not tagged:
  /// those things cannot be made again.
  ///
  /// - Throws: `FileError`.
  public init(_ folder: FilePath) throws {
    try createDirectories(folder)
    self.folder = try realPath(folder)
    guard try listFolder(folder).isEmpty else { return }
    try writeAtomically(CacheTag.text, to: folder.appending(CacheTag.name))
  }

  /// A file of the cache that is not on a shelf: small, and written by whoever comes last.
  public func file(_ name: String) -> FilePath { folder.appending(name) }

  /// The folder of a shelf; it need not exist.
  public func folder(of shelf: CacheShelf) -> FilePath { folder.appending(shelf.folderName) }

  /// The path of an entry, made by whoever asks first.
  ///
  /// - Parameters:
  ///   - shelf: Where it stands.
  ///   - name: What it is called, usually with a ``CacheKey``.
  ///   - make: Makes it at the path that it is given. On a shelf whose entries are made in place, that is the entry's
  ///     own folder, which exists and may hold what an interrupted run has left.
  /// - Throws: What `make` threw, `Errno`, or `CancellationError`.
  public func entry(
    _ shelf: CacheShelf, _ name: String, make: (FilePath) async throws -> Void
  ) async throws -> FilePath {
    let path = try place(shelf, name)
    while true {
      if let found = try await use(shelf, name) { return found }
      let lock = try await EntryLock.wait(Self.lockPath(path), .exclusive)
      if !isComplete(shelf, path, lock) { try await Self.make(shelf, path, lock, make) }
      withExtendedLifetime(lock) {}
      prune(shelf)
    }
  }

  /// The path of an entry that is there, which then stays; `nil` when it is not.
  ///
  /// - Throws: `Errno`.
  public func use(_ shelf: CacheShelf, _ name: String) async throws -> FilePath? {
    let path = try place(shelf, name)
    if isTaken(path) { return path }
    let lock = try await EntryLock.wait(Self.lockPath(path), .shared)
    guard isComplete(shelf, path, lock) else { return nil }
    lock.touch()
    taken.withLock { $0[path.string] = lock }
    return path
  }

  /// A folder or file that one run works with at a time, with what the last one has left in it.
  ///
  /// - Parameters:
  ///   - shelf: The shelf that it lies on.
  ///   - name: Its name on the shelf.
  ///   - waiting: Called once, before the wait, when another run has it.
  /// - Returns: The path, and a lock to hold on to while working there.
  /// - Throws: `Errno`.
  public func workplace(
    _ shelf: CacheShelf, _ name: String, waiting: () -> Void = {}
  ) async throws -> Workplace {
    let path = try place(shelf, name)
    let lock: EntryLock
    if let free = try EntryLock.take(Self.lockPath(path), .exclusive) {
      lock = free
    } else {
      waiting()
      lock = try await EntryLock.wait(Self.lockPath(path), .exclusive)
    }
    lock.touch()
    defer { prune(shelf) }
    return Workplace(path: path, lock: lock)
  }

  /// Removes an entry that turned out to be wrong, unless others use it.
  public func discard(_ shelf: CacheShelf, _ name: String) {
    guard let path = try? place(shelf, name) else { return }
    _ = taken.withLock { $0.removeValue(forKey: path.string) }
    _ = Self.remove(path)
  }

  // MARK: Making

  private static func make(
    _ shelf: CacheShelf, _ path: FilePath, _ lock: EntryLock, _ make: (FilePath) async throws -> Void
  ) async throws {
    switch shelf.making {
    case .inPlace:
      try lock.mark(false)
      try createDirectories(path)
      try await make(path)
      try lock.mark(true)
    case .renamed:
      // The lock is on the entry, so nobody else has this name.
      let temporary = path.removingLastComponent().appending(making).appending(
        path.lastComponent?.string ?? "")
      try removeTree(temporary)
      try createDirectories(temporary.removingLastComponent())
      do {
        try await make(temporary)
        try renameDurably(temporary, to: path)
      } catch {
        try? removeTree(temporary)
        throw error
      }
    }
    lock.touch()
  }

  private func isComplete(_ shelf: CacheShelf, _ path: FilePath, _ lock: EntryLock) -> Bool {
    (try? FileInfo(path)) != nil && (shelf.making == .renamed || lock.isMarked)
  }

  private func isTaken(_ path: FilePath) -> Bool { taken.withLock { $0[path.string] != nil } }

  private func place(_ shelf: CacheShelf, _ name: String) throws -> FilePath {
    let shelfFolder = folder(of: shelf)
    try createDirectories(shelfFolder.appending(Self.locks))
    return shelfFolder.appending(name)
  }
}

/// A part of the cache that one run works with at a time.
public struct Workplace: Sendable {
  /// Where it is.
  public let path: FilePath
  private let lock: EntryLock

  init(path: FilePath, lock: EntryLock) {
    self.path = path
    self.lock = lock
  }
}
