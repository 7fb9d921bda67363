import Files
import Integrity
import Synchronization
import SystemPackage

/// Which content of a storage folder was proved since this machine was started, so that it is not read again.
///
/// A file may have its name and its size and yet, after a power cut, not its bytes. So a record of before the last start
/// counts for nothing, and what is not in the record is read and hashed before it is trusted. To wait for the disk
/// instead would take longer than all else, and the registry does not do so either.
final class SeedRecord: Sendable {
  /// The record's name in a storage folder; a registry looks at `docker/` only.
  static let name = ".kubespray-offline-seed"

  private let path: FilePath
  /// What tells one start of this machine from another (random(4)); without it nothing is trusted later.
  private let start: String?
  private let state: Mutex<(proved: Set<Digest>, added: Set<Digest>)>

  init(in folder: FilePath, start: String? = SeedRecord.lines(of: "/proc/sys/kernel/random/boot_id").first) {
    path = folder.appending(Self.name)
    self.start = start
    let lines = Self.lines(of: path)
    let isCurrent = start != nil && lines.first == start
    state = Mutex((isCurrent ? Set(lines.dropFirst().compactMap { try? Digest($0) }) : [], []))
  }

  static func lines(of path: FilePath) -> [String] {
    ((try? readText(path)) ?? "").split(separator: "\n").map(String.init)
  }

  func contains(_ digest: Digest) -> Bool { state.withLock { $0.proved.contains(digest) } }

  func add(_ digest: Digest) { state.withLock { _ = $0.added.insert(digest) } }

  /// Whether something was added since the last ``save()``.
  var isChanged: Bool { state.withLock { !$0.added.isSubset(of: $0.proved) } }

  /// Writes it down.
  ///
  /// - Throws: `FileError`.
  func save() throws {
    let all = state.withLock { state in
      state.proved.formUnion(state.added)
      return state.proved
    }
    guard let start else { return }
    let text = "\(start)\n" + all.map { "\($0)\n" }.sorted().joined()
    try writeAtomically(text, to: path, isDurable: false)
  }
}
