import Bundle
import Files
import Synchronization
import SystemPackage

/// The bundle that lies in `outputs/` when a run starts: what is known of it, and its state while it changes.
final class PreviousBundle: Sendable {
  /// The manifest of the last run that finished, even if a later one was interrupted.
  let manifest: Manifest?
  /// Whether the tree was a finished bundle when the run started.
  let wasFinished: Bool

  private let outputs: FilePath
  private let index: ManifestIndex
  private let isFinished: Mutex<Bool>
  private let (changes, change) = AsyncStream.makeStream(of: Void.self)
  private let statusAtStart: [FileInfo?]

  /// - Throws: ``ManifestError`` when there is a manifest that cannot be read.
  init(outputs: FilePath) throws(ManifestError) {
    self.outputs = outputs
    statusAtStart = Self.status(outputs)
    let finished = try Manifest.load(from: outputs)
    wasFinished = finished != nil
    isFinished = Mutex(wasFinished)
    if let finished {
      manifest = finished
    } else {
      manifest = try Manifest.load(from: outputs, named: Manifest.unfinishedFileName)
    }
    index = ManifestIndex(manifest?.files ?? [])
  }

  /// Makes sure that what was read before the lock was taken still holds.
  ///
  /// - Throws: ``BundleChanged`` when another run has closed or opened the bundle in between.
  func checkUnchanged() throws(BundleChanged) {
    guard Self.status(outputs) == statusAtStart else { throw BundleChanged(outputs: outputs) }
  }

  private static func status(_ outputs: FilePath) -> [FileInfo?] {
    [Manifest.fileName, Manifest.unfinishedFileName].map { FileInfo(regularFile: outputs.appending($0)) }
  }

  /// What the manifest says of a file.
  func file(_ path: BundlePath) -> ManifestFile? { index.file(path) }

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
    change.yield()
  }

  /// Gives the manifest back its name, when nothing of the tree was changed after all.
  ///
  /// - Throws: `FileError`.
  func restore() throws {
    try isFinished.withLock { isFinished in
      guard wasFinished, !isFinished else { return }
      try renameDurably(
        outputs.appending(Manifest.unfinishedFileName), to: outputs.appending(Manifest.fileName))
      isFinished = true
    }
  }

  /// Waits until the tree has begun to change.
  ///
  /// One may wait, and once.
  /// - Returns: Whether it has; it will not after ``stayed()``.
  func hasChanged() async -> Bool {
    guard holds else { return true }
    for await _ in changes { return true }
    return false
  }

  /// Nothing will change the tree any more.
  func stayed() { change.finish() }

  /// Whether the manifest in the tree still holds.
  var holds: Bool { isFinished.withLock { $0 } }

  /// Removes what ``markUnfinished()`` left, once the new manifest is written.
  func forget() {
    try? removeFile(outputs.appending(Manifest.unfinishedFileName))
  }
}

/// Another run finished while this one started.
struct BundleChanged: Error, CustomStringConvertible {
  let outputs: FilePath

  var description: String { "another run has just worked on \(outputs)" }
}
