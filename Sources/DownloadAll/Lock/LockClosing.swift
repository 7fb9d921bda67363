import Bundle
import Console
import Files
import Kubespray
import SystemPackage

/// The end of a run, for the lock: a locked run is compared with it, any other writes it.
struct LockClosing: Sendable {
  let job: Job
  let keeper: LockKeeper
  let kubespray: KubesprayWorkshop
  let emit: @Sendable (ConsoleEvent) -> Void

  /// The stages whose work a lock holds. A run that leaves one out knows too little to write a lock.
  private static let needed: [StageName] = [.kubespray, .py, .files, .images, .repo, .pypi]

  /// The lock that this run has to write; `nil` for a locked one, and where stages were left out.
  ///
  /// - Parameter files: All files of the bundle.
  /// - Throws: ``LockContradicted`` when a locked run has made another bundle; what kept the source from being known.
  func lock(of files: [ManifestFile]) async throws -> BundleLock? {
    guard Self.needed.allSatisfy(job.includes) else {
      if !keeper.isLocked { say(.debug, "\(keeper.path) stays as it is: only a run of all stages writes it") }
      return nil
    }
    // A lock without them, of a pip that reports none, cannot be compared.
    let comparesAnsible = keeper.lock.map { $0.ansible != nil } ?? true
    let ansible = comparesAnsible ? try await kubespray.pinnedPackages() : nil
    guard let found = keeper.newLock(of: files, job, try await kubespray.source(), ansible) else {
      return nil
    }
    guard let lock = keeper.lock else { return found }
    let differences = lock.differences(from: found)
    guard differences.isEmpty else { throw LockContradicted(cause: .upstream, lines: differences) }
    return nil
  }

  /// Writes a lock, unless it lies there.
  func write(_ lock: BundleLock?) {
    guard let lock else { return }
    do {
      let bytes = try lock.encoded()
      guard try readBytes(ifPresent: keeper.path, limit: bytes.count + 1) != bytes else { return }
      try writeAtomically(bytes, to: keeper.path)
      say(.info, "wrote \(keeper.path): with it, --locked makes the same bundle again")
    } catch {
      let reason = FileError.reason(error)
      say(.warning, "\(keeper.path) cannot be written: \(reason). The bundle is complete without it.")
    }
  }

  private func say(_ level: MessageLevel, _ text: String) { emit(.message(level, text, stage: nil)) }
}
