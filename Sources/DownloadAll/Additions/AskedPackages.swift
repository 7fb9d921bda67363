import Bundle
import Mirrors
import Settings
import SystemPackage

/// The operating-system packages that were asked for when a bundle was made, by the folders of its repositories: with one
/// more they are asked for again, without finding out anew what kubespray's roles install.
struct AskedPackages: Sendable {
  private let lines: [String: [String]]
  private let removed: Set<String>

  /// Those that `bundle.lock` has; `nil` when it is for another bundle, or there is none.
  init?(_ lock: FilePath, of manifest: Manifest, without removed: Set<String>) {
    guard let lock = try? BundleLock.load(lock), lock.kubespray == manifest.kubespray else { return nil }
    self.init(lock.mirrors.mapValues(\.asked), without: removed)
  }

  /// Those of a question, see ``Mirrors/Mirror/asked()``.
  init(_ lines: [String: [String]], without removed: Set<String>) {
    (self.lines, self.removed) = (lines, removed)
  }

  /// Those of a repository; `nil` when nothing was asked for it.
  func wanted(in folder: String) -> [WantedPackage]? {
    // The first line says for which release.
    lines[folder]?.dropFirst().compactMap { line in
      let name = String(line.prefix { $0 != "," })
      guard !removed.contains(name) else { return nil }
      return WantedPackage(name: name, origin: "the bundle as it is", isRequired: false)
    }
  }
}
