import Host
import Kubespray
import Mirrors
import Settings
import SystemPackage

/// The releases that packages are carried for, as the settings name them.
struct PackageTargets: Sendable {
  /// One of them.
  struct Choice: Sendable {
    /// The release.
    let target: PackageTarget
    /// Whether it is the host's.
    let isHost: Bool
    /// Where its packages come from; `nil` means where this machine has its own from.
    let sources: FilePath?

    /// Its folder in the bundle: `local` is that of the host's release, as in the shell project.
    var folder: String { (target.family == .debian ? "debs/" : "rpms/") + (isHost ? "local" : target.name) }

    /// The release as kubespray's roles see it on a node.
    var release: NodeRelease {
      NodeRelease(name: target.name, id: target.id, version: target.version, codename: target.codename)
    }
  }

  /// The releases, each once, in the order of the settings.
  let choices: [Choice]
  /// The release that `host` means; `nil` when this machine runs none whose packages can be collected.
  let host: PackageTarget?

  /// - Parameter system: What this machine runs.
  /// - Throws: `UnsupportedTarget`.
  init(_ packages: Configuration.Packages, system: OSRelease) throws(UnsupportedTarget) {
    let own: PackageTarget?
    if let name = packages.host {
      own = try PackageTarget(named: name)
    } else {
      own = try? PackageTarget(system)
    }
    var choices: [Choice] = []
    for name in packages.targets {
      let target: PackageTarget
      if name != "host" {
        target = try PackageTarget(named: name)
      } else if let own {
        target = own
      } else {
        // Throws, and says what is supported.
        target = try PackageTarget(system)
      }
      guard !choices.contains(where: { $0.target == target }) else { continue }
      choices.append(
        Choice(
          target: target, isHost: target == own,
          sources: packages.sources[target.name].map { FilePath($0) }))
    }
    self.choices = choices
    host = own
  }
}
