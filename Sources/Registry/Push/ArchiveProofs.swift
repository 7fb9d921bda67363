import Bundle
import Concurrency
import Synchronization
import SystemPackage

/// Proves the archives of one push, each once and only if something of it is to be sent.
///
/// An archive is proved shortly before it is sent, so that its bytes are still in memory then and a slow medium is read
/// once. The next one is proved meanwhile; more would be dropped from memory again.
final class ArchiveProofs: Sendable {
  private let prove: ArchiveProof?
  /// In the order in which they are needed.
  private let archives: [FilePath]
  /// Which archive comes after each.
  private let next: [FilePath: FilePath]
  private let proofs = Mutex<[FilePath: Task<Void, any Error>]>([:])
  private let refusal = Atomic(false)
  private let isCancelled = Atomic(false)

  /// Some archives.
  ///
  /// - Parameters:
  ///   - archives: In the order in which they are needed.
  ///   - prove: `nil` when nothing is to be proved.
  init(of archives: [FilePath], by prove: ArchiveProof?) {
    self.archives = archives
    self.prove = prove
    next = Dictionary(zip(archives, archives.dropFirst())) { first, _ in first }
  }

  /// Whether one of them is not as it must be.
  var isRefused: Bool { refusal.load(ordering: .relaxed) }

  /// Returns when an archive was proved.
  ///
  /// - Parameter alone: Whether the next one is not proved meanwhile.
  /// - Throws: What the proof throws; `CancellationError`.
  func wait(for archive: FilePath, alone: Bool = false) async throws {
    guard let prove else { return }
    let proof = proof(of: archive, prove)
    if !alone, let next = next[archive] { _ = self.proof(of: next, prove) }
    try await value(of: proof)
  }

  /// Waits for all proofs that were begun. If one has failed, all other archives are proved, too, so that all that are to be
  /// copied again are known.
  ///
  /// - Throws: ``ArchivesRefused``; `CancellationError`.
  func finish() async throws {
    guard let prove else { return }
    for proof in proofs.withLock({ Array($0.values) }) { try? await value(of: proof) }
    guard isRefused else { return }
    var refused: [FilePath: any Error] = [:]
    await forEachConcurrently(archives, limit: BundleVerifier.readers) { archive in
      await Result { () async throws in try await self.value(of: self.proof(of: archive, prove)) }
    } onResult: { archive, result in
      if case .failure(let error) = result { refused[archive] = error }
    }
    try Task.checkCancellation()
    guard !refused.isEmpty else { return }
    throw ArchivesRefused(
      archives: refused.sorted { $0.key.string < $1.key.string }.map { ($0.key, $0.value) })
  }

  /// Ends what is still being read. To be called when the push is over.
  func cancel() { isCancelled.store(true, ordering: .relaxed) }

  private func value(of proof: Task<Void, any Error>) async throws {
    try await withTaskCancellationHandler {
      try await proof.value
    } onCancel: {
      cancel()
    }
  }

  private func proof(of archive: FilePath, _ prove: @escaping ArchiveProof) -> Task<Void, any Error> {
    proofs.withLock { proofs in
      if let proof = proofs[archive] { return proof }
      let proof = Task {
        do {
          try await offload {
            try prove(archive) {
              if self.isCancelled.load(ordering: .relaxed) { throw CancellationError() }
            }
          }
        } catch {
          if !(error is CancellationError) { self.refusal.store(true, ordering: .relaxed) }
          throw error
        }
      }
      proofs[archive] = proof
      return proof
    }
  }
}

/// Archives that are not as they must be. Nothing of the push can be pulled.
public struct ArchivesRefused: Error, CustomStringConvertible {
  /// The archives, and why each is refused.
  public let archives: [(archive: FilePath, error: any Error)]

  /// One line for each.
  public var description: String { archives.map { "\($0.archive): \($0.error)" }.joined(separator: "\n") }
}
