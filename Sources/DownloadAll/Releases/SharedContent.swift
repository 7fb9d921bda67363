import Bundle
import Cache
import Files
import Integrity
import Settings
import SystemPackage

/// What the bundles of several releases have in common.
///
/// A bundle that is not begun gets the files of a finished neighbour, as copies that share their bytes or as hard links, and
/// the neighbour's manifest under the name of one that no longer holds. The run then does what it does when the version of a
/// bundle changes. It never changes the bytes of a file but gives the name to another one, so no bundle can change another.
struct SharedContent {
  private let outputs: FilePath
  private let neighbour: FilePath
  private let manifest: Manifest
  private let verified: VerifiedFiles

  /// - Returns: `nil` when the bundle is begun, or the neighbour not finished.
  init?(_ configuration: Configuration, neighbour: Configuration) throws {
    let isBegun = [Manifest.fileName, Manifest.unfinishedFileName].contains {
      fileExists(configuration.outputs.appending($0))
    }
    guard !isBegun, let manifest = try? Manifest.load(from: neighbour.outputs) else { return nil }
    outputs = configuration.outputs
    self.neighbour = neighbour.outputs
    self.manifest = manifest
    verified = VerifiedFiles(try Cache(configuration.cache).file(VerifiedFiles.fileName))
  }

  /// Gives the files of the neighbour to the bundle. What cannot be given is fetched as in any bundle.
  ///
  /// - Returns: The paths of those that are there now.
  /// - Throws: `FileError`, or an `EncodingError`.
  func lend() throws -> Set<String> {
    var lent: Set<String> = []
    for file in manifest.files where try lend(file) { lent.insert(file.path.description) }
    // Last: with it the run knows what the files are.
    try writeAtomically(try manifest.encoded(), to: outputs.appending(Manifest.unfinishedFileName))
    return lent
  }

  private func lend(_ file: ManifestFile) throws -> Bool {
    let (source, place) = (
      neighbour.appending(file.path.description), outputs.appending(file.path.description)
    )
    guard !fileExists(place), let opened = try? openFile(source, .readOnly, options: .noFollow) else {
      return false
    }
    defer { try? opened.close() }
    let info = try FileInfo(opened)
    guard info.kind == .file, info.size == file.size else { return false }
    try createDirectories(place.removingLastComponent())
    if !shareFile(opened, at: place) {
      // FAT, for one, has neither links nor such copies.
      guard (try? copyDurably(source, to: place, expecting: file.sha256)) != nil else { return false }
    }
    if let entry = verified.entry(for: source), entry.modified == info.modified {
      verified.record(
        place, stage: entry.stage, sha256: entry.sha256, checked: entry.checked, url: entry.url,
        validator: entry.validator)
    }
    return true
  }
}

extension ReleaseChain {
  /// Gives the files that the neighbour of a release has to its bundle, when that is not begun.
  ///
  /// - Returns: Their paths, and the folder of the neighbour; `nil` when there was nothing to do.
  /// - Throws: `FileLockError` when another run works on the bundle; ``UnusableFolder``; `FileError`.
  public func share(with configuration: Configuration) throws -> (paths: Set<String>, from: FilePath)? {
    guard let index = configurations.firstIndex(where: { $0.outputs == configuration.outputs }) else {
      return nil
    }
    let neighbours = configurations[..<index].reversed() + configurations[(index + 1)...]
    let lock = try RunLock.take(Job(configuration, projectRoot: "."))
    defer { withExtendedLifetime(lock) {} }
    for neighbour in neighbours {
      guard let shared = try SharedContent(configuration, neighbour: neighbour) else { continue }
      return (try shared.lend(), neighbour.outputs)
    }
    return nil
  }
}
