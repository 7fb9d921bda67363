import Bundle
import Glibc
import Integrity
import Synchronization
import SystemPackage

/// The bundle that lies in `outputs/` when a run starts: what is known of it, and its state while it changes.
final class PreviousBundle: Sendable {
  /// The manifest of the last run that finished, even if a later one was interrupted.
  let manifest: Manifest?
  /// Whether the tree was a finished bundle when the run started.
  let wasFinished: Bool

  private let outputs: FilePath
  private let byPath: [BundlePath: ManifestFile]
  private let isFinished: Mutex<Bool>

  /// - Throws: ``ManifestError`` when there is a manifest that cannot be read.
  init(outputs: FilePath) throws(ManifestError) {
    self.outputs = outputs
    let finished = try Manifest.load(from: outputs)
    wasFinished = finished != nil
    isFinished = Mutex(wasFinished)
    if let finished {
      manifest = finished
    } else {
      manifest = try Manifest.load(from: outputs, named: Manifest.unfinishedFileName)
    }
    byPath = Dictionary(
      (manifest?.files ?? []).map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// What the manifest says of a file.
  func file(_ path: BundlePath) -> ManifestFile? { byPath[path] }

  /// Takes the manifest away before the first change of the tree: whoever copies it now must see that it is not
  /// finished. Later calls do nothing.
  ///
  /// - Throws: `Errno`.
  func markUnfinished() throws {
    try isFinished.withLock { isFinished in
      guard isFinished else { return }
      try renameDurably(
        outputs.appending(Manifest.fileName), to: outputs.appending(Manifest.unfinishedFileName))
      isFinished = false
    }
  }

  /// Whether the manifest in the tree still holds.
  var holds: Bool { isFinished.withLock { $0 } }

  /// Removes what ``markUnfinished()`` left, once the new manifest is written.
  func forget() {
    unlink(outputs.appending(Manifest.unfinishedFileName).string)
  }
}
