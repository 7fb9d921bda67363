import Foundation
import Synchronization
import SystemPackage
import Testing

@testable import Cache

/// What runs that share a cache may expect of it. Each `Cache` stands for a run: locks hold between them as between
/// processes.
@Suite struct SharedCacheTests {
  @Test func anEntryIsMadeOnceForAll() async throws {
    try await withFolder { folder in
      let made = Counter()
      let paths = try await withThrowingTaskGroup { group in
        for _ in 0..<12 {
          group.addTask {
            let cache = try Cache(folder)
            return try await cache.entry(.catalogs, "one.json") { path in
              made.enter()
              try put("content", path)
            }
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(paths.count == 12 && Set(paths).count == 1)
      #expect(made.total == 1)
      #expect(try text(paths[0]) == "content")
    }
  }

  @Test func whatFailedLeavesNothingAndIsTriedAgain() async throws {
    struct Broken: Error {}
    try await withFolder { folder in
      let cache = try Cache(folder)
      await #expect(throws: Broken.self) {
        _ = try await cache.entry(.trees, "a") { path in
          try put("half", path)
          throw Broken()
        }
      }
      #expect(try await cache.use(.trees, "a") == nil)
      let path = try await cache.entry(.trees, "a") { try put("whole", $0) }
      #expect(try text(path) == "whole")
    }
  }

  @Test func whatIsMadeInPlaceGoesOnFromWhatIsThere() async throws {
    struct Stopped: Error {}
    try await withFolder { folder in
      await #expect(throws: Stopped.self) {
        _ = try await Cache(folder).entry(.bases, "a") { path in
          try put("part", path.appending("blob.part"))
          throw Stopped()
        }
      }
      let second = try Cache(folder)
      #expect(try await second.use(.bases, "a") == nil)
      let path = try await second.entry(.bases, "a") { path in
        #expect(try text(path.appending("blob.part")) == "part")
        try put("all", path.appending("blob"))
      }
      #expect(try await Cache(folder).use(.bases, "a") == path)
    }
  }

  @Test func theOldestEntriesGoButNotThoseInUse() async throws {
    try await withFolder { folder in
      let first = try Cache(folder)
      let used = try await first.entry(.images, "in use") { try put("1", $0) }
      age(used, seconds: 1000)
      for number in 0..<4 {
        let path = try await Cache(folder).entry(.images, "\(number)") { try put("\(number)", $0) }
        age(path, seconds: 900 - Int64(number) * 100)
      }
      first.prune(.images)
      #expect(Set(first.entries(of: .images).compactMap(\.lastComponent?.string)) == ["in use", "2", "3"])
      withExtendedLifetime(first) {}
    }
  }

  @Test func whatNobodyUsedForLongGoesAndOldFormatsToo() async throws {
    try await withFolder { folder in
      let path = try await Cache(folder).entry(.catalogs, "old.json") { try put("1", $0) }
      let cache = try Cache(folder)
      let other = folder.appending("catalogs-v0")
      try FileManager.default.createDirectory(atPath: other.string, withIntermediateDirectories: true)
      cache.prune(.catalogs)
      #expect(exists(path) && exists(other))
      cache.prune(.catalogs, now: Int64(Date.now.timeIntervalSince1970) + (CacheShelf.days + 1) * 86_400)
      #expect(!exists(path) && !exists(other))
    }
  }

  @Test func oneRunAtATimeWorksInAWorkplace() async throws {
    try await withFolder { folder in
      let inside = Counter()
      try await withThrowingTaskGroup { group in
        for number in 0..<8 {
          group.addTask {
            let place = try await Cache(folder).workplace(.clients, "apt")
            inside.enter()
            try FileManager.default.createDirectory(
              atPath: place.path.string, withIntermediateDirectories: true)
            try put("\(number)", place.path.appending("list"))
            #expect(try text(place.path.appending("list")) == "\(number)")
            inside.leave()
            withExtendedLifetime(place) {}
          }
        }
        try await group.waitForAll()
      }
      #expect(inside.most == 1 && inside.total == 8)
    }
  }

  @Test func aShelfIsClearedOfWhatNobodyUses() async throws {
    try await withFolder { folder in
      let run = try Cache(folder)
      let used = try await run.entry(.catalogs, "used") { try put("12345", $0) }
      let free = try await Cache(folder).entry(.catalogs, "free") { try put("123", $0) }
      let usage = try #require(run.usage().first { $0.shelf == .catalogs })
      #expect(usage.entries == 2 && usage.size == 8)
      #expect(try Cache(folder).clear(.catalogs) == [used])
      #expect(exists(used) && !exists(free))
      withExtendedLifetime(run) {}
    }
  }

  @Test func onlyAFolderOfItsOwnIsTagged() throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("cache-\(UUID())")
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    _ = try Cache(folder)
    #expect(CacheTag.marks(folder))
    let other = folder.appending("other")
    try FileManager.default.createDirectory(atPath: other.string, withIntermediateDirectories: true)
    try put("mine", other.appending("file"))
    _ = try Cache(other)
    #expect(!CacheTag.marks(other))
  }

  @Test func aKeyTellsItsPartsApart() {
    #expect("\(CacheKey(["a": "b", "c": ""]))" != "\(CacheKey(["a": "bc", "": ""]))")
    #expect("\(CacheKey(["a": "b\n1 c"]))" != "\(CacheKey(["a": "b", "c": ""]))")
    #expect("\(CacheKey(["a": "b"]))".count == 32)
  }
}

/// How many are inside, were at most, and came in all.
private final class Counter: Sendable {
  private let state = Mutex((now: 0, most: 0, total: 0))
  var most: Int { state.withLock { $0.most } }
  var total: Int { state.withLock { $0.total } }

  func enter() {
    state.withLock {
      $0.now += 1
      $0.total += 1
      $0.most = max($0.most, $0.now)
    }
  }

  func leave() { state.withLock { $0.now -= 1 } }
}

private func withFolder(_ body: (FilePath) async throws -> Void) async throws {
  let folder = FilePath(NSTemporaryDirectory()).appending("cache-\(UUID())")
  defer { try? FileManager.default.removeItem(atPath: folder.string) }
  try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
  try await body(folder)
}

private func put(_ text: String, _ path: FilePath) throws {
  try Data(text.utf8).write(to: URL(filePath: path.string))
}

private func text(_ path: FilePath) throws -> String {
  try String(contentsOfFile: path.string, encoding: .utf8)
}

private func exists(_ path: FilePath) -> Bool { FileManager.default.fileExists(atPath: path.string) }

/// Lets an entry look as if it had been used some time ago.
private func age(_ path: FilePath, seconds: Int64) {
  try? FileManager.default.setAttributes(
    [.modificationDate: Date.now.addingTimeInterval(-Double(seconds))],
    ofItemAtPath: Cache.lockPath(path).string)
}
