import Bundle
import Cache
import Concurrency
import Files
import FoundationEssentials
import Integrity
import Mirrors
import Synchronization
import SystemPackage

/// What the solvers of package clients decided: each asked once in a run, and not again before its answer is old.
final class ResolutionMemory: Sendable {
  /// What a run works with.
  struct Resolved: Sendable {
    /// What the solver decided.
    private(set) var resolution: MirrorResolution
    /// When it was asked, in seconds since 1970.
    let time: Int64
    /// Whether an earlier run asked it.
    let isRemembered: Bool
    /// Whether a lock has it.
    let isLocked: Bool
    /// The digest of the decision: whatever is made of it alone can be kept under this name.
    private(set) var identity: Digest

    fileprivate init(
      _ resolution: MirrorResolution, time: Int64, isRemembered: Bool = true, isLocked: Bool = false
    ) throws {
      self.isLocked = isLocked
      self.resolution = resolution
      self.time = time
      self.isRemembered = isRemembered
      identity = Digest(of: Array(try ResolutionMemory.encoder.encode(resolution)))
    }

    /// Leaves out files: what remains is another decision.
    mutating func leaveOut(_ isLeftOut: (MirrorResolution.File) throws -> Bool) throws {
      let files = try resolution.files.filter { try !isLeftOut($0) }
      guard files.count != resolution.files.count else { return }
      var rest = resolution
      rest.files = files
      self = try Resolved(rest, time: time, isRemembered: isRemembered, isLocked: isLocked)
    }
  }

  private struct Record: Codable {
    var time: Int64
    var resolution: MirrorResolution
  }

  private let cache: Cache
  private let maximumAge: Int64
  /// Whether no solver is asked, however old an answer is.
  private let isOffline: Bool
  private let lock: LockKeeper?
  private let now: @Sendable () -> Int64
  private let decisions = Memos<BundlePath, Resolved>()
  private let files = Mutex<[BundlePath: FilePath]>([:])

  init(
    cache: Cache, maximumAge: Duration, isOffline: Bool = false, lock: LockKeeper? = nil,
    now: @escaping @Sendable () -> Int64 = { Int64(Date.now.timeIntervalSince1970) }
  ) {
    self.cache = cache
    self.lock = lock
    self.maximumAge = isOffline ? .max : maximumAge.components.seconds
    self.isOffline = isOffline
    self.now = now
  }

  /// What a mirror is to hold.
  ///
  /// - Throws: What the mirror threw, the same to all who ask.
  func resolved(_ mirror: any Mirror, _ say: @escaping @Sendable (String) -> Void) async throws -> Resolved {
    try await decisions.value(of: mirror.folder) { [self] in
      let found: Resolved
      if let pinned = try lock?.resolution(of: mirror) {
        found = try Resolved(pinned, time: now(), isLocked: true)
      } else {
        found = try await find(mirror, say)
      }
      lock?.note(mirror.folder, asked: try mirror.asked(), found.resolution)
      return found
    }
  }

  /// Whether no solver is asked, since a lock has its answers.
  var isLocked: Bool { lock?.isLocked ?? false }

  /// Forgets what was decided for a folder of the bundle: the servers no longer have it. The next run asks again.
  func forget(_ mirror: BundlePath) {
    if let file = files.withLock({ $0[mirror] }) { try? removeFile(file) }
  }

  /// Whether an earlier run asked for this folder lately, as far as can be known before the question is: its answer may
  /// do. A lock always has one.
  func hasRecentAnswer(_ mirror: BundlePath) -> Bool {
    // Offline the next thing is to say that there is none.
    guard !isLocked, !isOffline else { return true }
    let shelf = cache.folder(of: .resolutions)
    let names = ((try? listFolder(shelf)) ?? []).filter { $0.hasPrefix(mirror.shelfName + "-") }
    return names.contains { name in
      read(shelf.appending(name)).map { (0..<maximumAge).contains(now() - $0.time) } ?? false
    }
  }

  private func find(_ mirror: any Mirror, _ say: @escaping @Sendable (String) -> Void) async throws
    -> Resolved
  {
    let question = Digest(of: Array("\(mirror.folder)\n\(try await mirror.inputs())".utf8)).hex
    let asked = now()
    let place = try await cache.workplace(
      .resolutions, "\(mirror.folder.shelfName)-\(question.prefix(32)).json")
    defer { withExtendedLifetime(place) {} }
    let file = place.path
    files.withLock { $0[mirror.folder] = file }
    if let record = read(file) {
      let age = asked - record.time
      // What another run decided while this one waited is fresh, whatever the age. A record from the future was
      // written by a clock that was wrong.
      if age >= 0 ? age < maximumAge : record.time <= now() {
        return try resolved(record, isRemembered: true)
      }
    }
    guard !isOffline else {
      throw NotAsked(what: "the packages of \(mirror.folder) were not asked for before")
    }
    let time = now()
    let record = Record(time: time, resolution: try await mirror.resolve(say))
    // An address of a private index can have a password in it.
    try writeAtomically(Array(try Self.encoder.encode(record)), to: file, permissions: [.ownerReadWrite])
    return try resolved(record, isRemembered: false)
  }

  private func resolved(_ record: Record, isRemembered: Bool) throws -> Resolved {
    try Resolved(record.resolution, time: record.time, isRemembered: isRemembered)
  }

  private func read(_ file: FilePath) -> Record? {
    guard let bytes = try? readBytes(file) else { return nil }
    return try? JSONDecoder().decode(Record.self, from: Data(bytes))
  }

  fileprivate static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    // In a fixed order: the digest of the text is an identity.
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}

/// What only the network tells, and the network is not asked.
struct NotAsked: Error, CustomStringConvertible {
  /// What is missing.
  let what: String

  var description: String { "\(what), and the network is not asked" }
}

extension BundlePath {
  /// The folder of the bundle as a part of a name.
  var shelfName: String { description.split(separator: "/").joined(separator: "-") }
}
