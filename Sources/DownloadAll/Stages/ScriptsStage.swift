import Bundle
import Cache
import Concurrency
import Console
import Files
import Host
import Kubespray
import Mirrors
import Settings
import SystemPackage

/// Wants what the target runs, `target-scripts/`, and the settings that the target has to agree with.
struct ScriptsStage: Stage {
  let job: Job
  let kubespray: KubesprayWorkshop
  let cache: Cache
  let events: StageEvents
  private let madeProgram = Memo<[Artifact]>()

  init(job: Job, kubespray: KubesprayWorkshop, cache: Cache, events: StageEvents) {
    self.job = job
    self.kubespray = kubespray
    self.cache = cache
    self.events = events
  }

  func prepare() async { _ = try? await program() }

  func artifacts() async throws -> [Artifact] {
    let version = try await kubespray.source().copy.version
    let catalog = try await kubespray.catalog()
    let folder = job.folder("target-scripts")
    let names = try await offload { () throws in try Self.scripts(in: folder) }
    var artifacts = try names.map { name in
      Artifact(
        path: try BundlePath(name), source: .local(folder.appending(name), origin: nil), stage: .scripts,
        verification: .local, isExecutable: name.hasSuffix(".sh"))
    }
    artifacts += try await program()
    let settings = try settings(version, catalog)
    // The second is for the shell project's target scripts, which work on such a bundle too.
    for (path, text) in [("config.yml", settings.yaml()), ("config.sh", settings.shellText())]
    where !names.contains(path) {
      artifacts.append(
        Artifact(
          path: try BundlePath(path), source: .generated(Array(text.utf8)), stage: .scripts,
          verification: .generated))
    }
    return artifacts + (try Additions(in: job.configuration.outputs).artifacts())
  }

  /// The program that the scripts start, for machines like this one.
  private func program() async throws -> [Artifact] {
    try await madeProgram.value(makeProgram)
  }

  private func makeProgram() async throws -> [Artifact] {
    let own = Architecture.current.rawValue
    guard job.architectures.contains(.current) else {
      events.say(
        .warning,
        "target-setup is left out: it was built for \(own), the targets are \(job.architectureNames). Make the "
          + "bundle's scripts on such a machine: download-all scripts")
      return []
    }
    if job.architectures.count > 1 {
      events.say(
        .info,
        "target-setup is that of this machine: the admin host, which serves the bundle to all others, has to be \(own)"
      )
    }
    let program = try TravellingProgram.ofThisBuild(cache: cache) { [events] in
      events.say($0, $1)
    }
    return try await program.artifacts()
  }

  /// The files of the folder, but for hidden ones.
  ///
  /// - Throws: ``ScriptsUnusable``.
  static func scripts(in folder: FilePath) throws -> [String] {
    let found: [String]
    do {
      found = try BundleTree.files(below: folder)
    } catch {
      throw ScriptsUnusable(path: folder, reason: "it cannot be read: \(FileError.reason(error))")
    }
    let names = found.filter { !$0.split(separator: "/").contains { $0.hasPrefix(".") } }
    guard !names.isEmpty else { throw ScriptsUnusable(path: folder, reason: "it has no files") }
    for name in names where name.hasSuffix(".sh") {
      var hasCarriageReturn = false
      try readFile(folder.appending(name)) { hasCarriageReturn = hasCarriageReturn || $0.contains(0x0D) }
      guard !hasCarriageReturn else {
        throw ScriptsUnusable(
          path: folder.appending(name),
          reason: "its lines end as on Windows, which no shell runs (git's core.autocrlf makes such files)")
      }
    }
    return names
  }

  /// The settings as the target needs them: everything that was `auto` is decided here.
  private func settings(_ version: KubesprayVersion, _ catalog: Catalog) throws -> Configuration {
    var settings = job.configuration
    settings.architecture = job.architecture.rawValue
    if job.architectures.count > 1 { settings.platforms = job.platforms }
    settings.files.layout = settings.fileLayout
    settings.kubespray.version = version.name
    if let image = try AnsibleImage(settings, version)?.reference {
      settings.python.ansibleImage = "\(image)"
    }
    settings.versions.runc = settings.versions.runc ?? catalog.version(of: "runc")
    settings.versions.containerd = settings.versions.containerd ?? catalog.version(of: "containerd")
    settings.versions.nerdctl = settings.versions.nerdctl ?? catalog.version(of: "nerdctl")
    settings.versions.cni = settings.versions.cni ?? catalog.version(of: "cni")
    var carried: [PackageTarget] = []
    if !settings.packages.skip {
      let targets = try PackageTargets(settings.packages, system: try OSRelease.current())
      settings.packages.targets = targets.choices.map(\.target.name)
      // The packages of this release lie in the folder "local".
      settings.packages.host = targets.host?.name
      carried = targets.choices.map(\.target)
    }
    settings.pypi.pythons = PythonWheels.pythons(settings.pypi, targets: carried).map { "3.\($0)" }
    return settings
  }
}

/// `target-scripts/`, or a file in it, that cannot go into the bundle.
struct ScriptsUnusable: Error, CustomStringConvertible {
  let path: FilePath
  let reason: String

  var description: String {
    "\(path): \(reason)"
  }
}
