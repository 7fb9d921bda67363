import Bundle
import Files
import SystemPackage

/// A folder on the host's own disk, into which only its owner can look, for copies of files of the bundle. Programs that
/// want a path get that of a copy, which nobody can change after it was proved.
struct StagingFolder: Sendable {
  /// What the copies are for: a step may have one of each at a time.
  enum Purpose: String, CaseIterable {
    case bundle, image
  }

  /// Where it is, for this process.
  let path: FilePath
  /// The same as a path of the host.
  let onHost: FilePath

  /// Makes it, empty.
  ///
  /// - Throws: `FileError`.
  init(for step: StepName, on host: TargetHost, _ purpose: Purpose = .bundle) throws {
    onHost = Self.onHost(step, host, purpose)
    path = host.path(onHost)
    try removeTree(path)
    try createDirectories(path.removingLastComponent())
    try createFolder(path, permissions: .ownerReadWriteExecute)
  }

  /// Copies a file of the bundle into it.
  ///
  /// - Returns: Where the copy is.
  /// - Throws: ``StepError`` when the file is not as the manifest says, or `FileError`.
  func stage(_ file: String, of bundle: ArrivedBundle) throws -> FilePath {
    let place = path.appending(FilePath(file).components)
    try createDirectories(place.removingLastComponent(), isDurable: false)
    try bundle.copy(file, to: place, permissions: .ownerReadWrite)
    return place
  }

  /// Removes it with everything in it.
  func remove() { Self.remove(path) }

  /// Removes what a step that was killed has left.
  static func remove(of step: StepName, on host: TargetHost) {
    for purpose in Purpose.allCases { remove(host.path(onHost(step, host, purpose))) }
  }

  /// Whether a step that was killed has left something.
  static func remains(of step: StepName, on host: TargetHost) -> Bool {
    Purpose.allCases.contains { host.exists(onHost(step, host, $0)) }
  }

  /// With the folders above it that it alone has needed: a bundle that is refused leaves nothing behind.
  private static func remove(_ path: FilePath) {
    try? removeTree(path)
    removeEmptyFolder(path.removingLastComponent())
    removeEmptyFolder(path.removingLastComponent().removingLastComponent())
  }

  private static func onHost(_ step: StepName, _ host: TargetHost, _ purpose: Purpose) -> FilePath {
    host.stateFolder.appending("tmp").appending("\(step.rawValue)-\(purpose.rawValue)")
  }
}
