import Integrity
import Synchronization
import SystemPackage

/// Which content of a storage folder is known to be whole and on the disk, so that it is not read again.
///
/// A file may have its name and its size and yet, after a power cut, not its bytes. What is not in the record is read and
/// hashed before it is trusted.
final class SeedRecord: Sendable {
  /// The record's name in a storage folder; a registry looks at `docker/` only.
  static let name = ".kubespray-offline-seed"

  private let path: FilePath
  private let state: Mutex<(proved: Set<Digest>, added: Set<Digest>)>

  init(in folder: FilePath) {
    path = folder.appending(Self.name)
    var bytes: [UInt8] = []
    try? readFile(path) { bytes.append(contentsOf: $0) }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    state = Mutex((Set(lines.compactMap { try? Digest(String($0)) }), []))
  }

  func contains(_ digest: Digest) -> Bool { state.withLock { $0.proved.contains(digest) } }

  func add(_ digest: Digest) { state.withLock { _ = $0.added.insert(digest) } }

  /// Whether something was added since the last ``save()``.
  var isChanged: Bool { state.withLock { !$0.added.isSubset(of: $0.proved) } }

  /// Writes it down, once all that it names is on the disk.
  ///
  /// - Throws: `Errno`.
  func save() throws {
    let all = state.withLock { state in
      state.proved.formUnion(state.added)
      return state.proved
    }
    let text = all.map { "\($0)\n" }.sorted().joined()
    try writeAtomically(Array(text.utf8), to: path)
  }
}
