import Bundle
import Cache
import Console
import Host
import Kubespray
import Mirrors
import Settings
import SystemPackage

/// The Python packages that Ansible needs on the target.
struct PythonWheels: Sendable {
  /// What an index is asked to be able to install.
  enum Requirements {
    /// All that the settings name.
    case all
    /// What kubespray itself requires.
    case kubespray
  }

  let job: Job
  let kubespray: KubesprayWorkshop
  let cache: Cache

  /// The mirrors of the stage `pypi`: the index, unless Python packages are left out.
  ///
  /// - Throws: What kept the source or a Python from being found.
  func mirrors(_ events: StageEvents) async throws -> [any Mirror] {
    guard !job.configuration.pypi.skip else {
      events.say(.info, "Python packages are left out, as pypi.skip says")
      return []
    }
    return [try await index(requiring: .all)]
  }

  /// The index of the run's Pythons and architectures.
  ///
  /// - Throws: What kept the source or a Python from being found.
  func index(requiring wanted: Requirements) async throws -> PythonIndex {
    let settings = job.configuration
    let source = try await kubespray.source()
    // Packages may be left out on a machine for which none can be collected.
    let targets = (try? PackageTargets(settings.packages, system: try OSRelease.current()))?.choices.map(
      \.target)
    let python = try await interpreter()
    return PythonIndex(
      folder: try BundlePath("pypi"), pythons: Self.pythons(settings.pypi, targets: targets ?? []),
      architectures: job.architectures,
      glibcMinor: (targets ?? PackageTarget.supported).map(\.glibcMinor).min() ?? 28,
      requirements: [source.copy.tree.requirements]
        + (wanted == .all ? settings.pypi.requirements.map { FilePath($0) } : []),
      extra: wanted == .all ? settings.pypi.extra : [],
      sourceDistributions: wanted == .all && settings.pypi.sourceDistributions,
      interpreter: python.path, pip: python.pip, cache: cache)
  }

  /// Fetches the pip that resolves ahead of the first question: that needs no kubespray.
  func preparePip() async {
    guard !job.configuration.pypi.skip, !job.configuration.locked, let python = try? await interpreter()
    else { return }
    try? await PythonIndex.prepare(interpreter: python.path, pip: python.pip, cache: cache)
  }

  private func interpreter() async throws -> HostPython {
    try await HostPython.find(
      job.configuration.python.executable ?? "auto", cache: cache,
      memory: ProgramMemory(folder: cache.folder(of: .programs)))
  }

  /// The minor versions of Python 3 to carry wheels for.
  static func pythons(_ settings: Configuration.PyPI, targets: [PackageTarget]) -> [Int] {
    guard settings.pythons.isEmpty else {
      return settings.pythons.compactMap { Int($0.drop { $0 != "." }.dropFirst()) }
    }
    return Set(targets.compactMap(\.pythonMinor) + [11, 12, 13]).sorted()
  }
}
