import Files
import SystemPackage

extension Cache {
  static let locks = ".locks"
  static let making = ".making"

  static func lockPath(_ path: FilePath) -> FilePath {
    path.removingLastComponent().appending(locks).appending(path.lastComponent?.string ?? "")
  }

  /// Removes the entries of a shelf that were used longest ago, and shelves of older formats. What anybody uses stays.
  func prune(_ shelf: CacheShelf, now: Int64 = secondsSince1970()) {
    let oldest = now - CacheShelf.days * 86_400
    let entries = entries(of: shelf).map { (path: $0, used: Self.lastUse($0)) }.sorted { $0.used > $1.used }
    for (index, entry) in entries.enumerated() where index >= shelf.count || entry.used < oldest {
      Self.remove(entry.path)
    }
    removeRemains(of: shelf)
    removeRetired()
    for name in Self.names(in: folder) where name != shelf.folderName {
      let parts = name.split(separator: "-")
      guard parts.count == 2, parts[0] == shelf.rawValue, parts[1].hasPrefix("v"),
        Self.modified(folder.appending(name)) < oldest
      else { continue }
      try? removeTree(folder.appending(name))
    }
  }

  /// Removes the shelves of earlier versions that nobody asks for any more.
  private func removeRetired() {
    for name in CacheShelf.retired {
      let shelf = folder.appending(name)
      guard folderExists(shelf) else { continue }
      let left = Self.names(in: shelf).filter { !Self.remove(shelf.appending($0)) }
      if left.isEmpty { try? removeTree(shelf) }
    }
  }

  /// Removes what runs that were killed have left half made.
  private func removeRemains(of shelf: CacheShelf) {
    let shelfFolder = folder(of: shelf)
    let making = shelfFolder.appending(Self.making)
    for name in Self.names(in: making) {
      let path = Self.lockPath(shelfFolder.appending(name))
      guard let lock = try? EntryLock.take(path, .exclusive) else { continue }
      try? removeTree(making.appending(name))
      withExtendedLifetime(lock) {}
    }
  }

  /// Removes an entry unless somebody uses it.
  ///
  /// - Returns: Whether it is gone.
  @discardableResult
  static func remove(_ path: FilePath) -> Bool {
    guard let lock = try? EntryLock.take(lockPath(path), .exclusive) else { return false }
    do {
      try? lock.mark(false)
      try removeTree(path)
    } catch {
      return false
    }
    lock.discard()
    return true
  }

  /// The entries of a shelf, complete or not.
  func entries(of shelf: CacheShelf) -> [FilePath] {
    let shelfFolder = folder(of: shelf)
    return Self.names(in: shelfFolder).map { shelfFolder.appending($0) }
  }

  private static func names(in folder: FilePath) -> [String] {
    ((try? listFolder(ifPresent: folder)) ?? []).filter { !$0.hasPrefix(".") }
  }

  private static func lastUse(_ path: FilePath) -> Int64 { max(modified(lockPath(path)), 0) }

  private static func modified(_ path: FilePath) -> Int64 {
    (try? FileInfo(path)).map { $0.modified / 1_000_000_000 } ?? 0
  }
}

// MARK: What is there

/// A shelf as it is.
public struct ShelfUsage: Sendable, Encodable {
  /// Which one.
  public let shelf: CacheShelf
  /// How many entries it has.
  public let entries: Int
  /// How much room they take, in bytes.
  public let size: Int64
}

extension Cache {
  /// All shelves, with what stands on them.
  public func usage() -> [ShelfUsage] {
    CacheShelf.allCases.map { shelf in
      let entries = entries(of: shelf)
      return ShelfUsage(
        shelf: shelf, entries: entries.count, size: Self.size(below: folder(of: shelf)))
    }
  }

  /// Whether a run, this one included, uses anything of the cache.
  public var isInUse: Bool {
    CacheShelf.allCases.contains { shelf in
      let locks = folder(of: shelf).appending(Self.locks)
      return ((try? listFolder(ifPresent: locks)) ?? []).contains { Self.isHeld(locks.appending($0)) }
    }
  }

  private static func isHeld(_ lock: FilePath) -> Bool {
    do { return try EntryLock.take(lock, .exclusive) == nil } catch { return false }
  }

  /// Removes all entries of a shelf but those that somebody uses.
  ///
  /// - Returns: Those that stay.
  public func clear(_ shelf: CacheShelf) -> [FilePath] {
    entries(of: shelf).filter { !Self.remove($0) }
  }

  /// The bytes of all files below a folder; links are not followed.
  static func size(below folder: FilePath) -> Int64 {
    var size: Int64 = 0
    try? walkFolder(folder) { if $0.info.kind == .file { size += $0.info.size } }
    return size
  }
}
