import Bundle
import Synchronization

/// The repositories whose indexes were signed in a run, with the fingerprints of the keys.
final class RepositorySignatures: Sendable {
  private let fingerprints = Mutex<[String: String]>([:])

  /// Notes a repository.
  func note(_ folder: BundlePath, signedBy fingerprint: String) {
    fingerprints.withLock { $0[folder.description] = fingerprint }
  }

  /// The fingerprints by the folders of the bundle.
  var byFolder: [String: String] { fingerprints.withLock { $0 } }
}
