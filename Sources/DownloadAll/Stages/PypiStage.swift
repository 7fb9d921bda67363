import Bundle
import Console
import Host
import Kubespray
import Mirrors
import Settings
import SystemPackage

extension MirrorStage {
  /// The Python packages that Ansible needs on the target.
  static func pypi(_ configuration: Configuration) -> MirrorStage {
    MirrorStage(name: .pypi, needs: configuration.pypi.skip ? [] : [.pkgs, .kubespray]) { run in
      guard !run.configuration.pypi.skip else {
        run.say(.info, "Python packages are left out, as pypi.skip says", stage: .pypi)
        return []
      }
      return [try await index(run)]
    }
  }

  /// What an index is asked to be able to install.
  enum PythonRequirements {
    /// All that the settings name.
    case all
    /// What kubespray itself requires.
    case kubespray
  }

  /// The index of the run's Pythons and architectures.
  static func index(_ run: RunContext, requiring wanted: PythonRequirements = .all) async throws
    -> PythonIndex
  {
    let settings = run.configuration
    let source = try await run.kubespray.source()
    // Packages may be left out on a machine for which none can be collected.
    let targets = (try? PackageTargets(settings.packages, system: try OSRelease.current()))?.choices.map(
      \.target)
    let cache = settings.cache.appending("packages")
    let python = try await HostPython.find(settings.python.executable ?? "auto", cache: cache)
    return PythonIndex(
      folder: try BundlePath("pypi"), pythons: pythons(settings.pypi, targets: targets ?? []),
      architectures: run.architectures,
      glibcMinor: (targets ?? PackageTarget.supported).map(\.glibcMinor).min() ?? 28,
      requirements: [source.copy.tree.requirements]
        + (wanted == .all ? settings.pypi.requirements.map { FilePath($0) } : []),
      extra: wanted == .all ? settings.pypi.extra : [],
      sourceDistributions: wanted == .all && settings.pypi.sourceDistributions,
      interpreter: python.path, pip: python.pip, cache: cache)
  }

  /// The minor versions of Python 3 to carry wheels for.
  static func pythons(_ settings: Configuration.PyPI, targets: [PackageTarget]) -> [Int] {
    guard settings.pythons.isEmpty else {
      return settings.pythons.compactMap { Int($0.drop { $0 != "." }.dropFirst()) }
    }
    return Set(targets.compactMap(\.pythonMinor) + [11, 12, 13]).sorted()
  }
}
