import Bundle
import Cache
import Concurrency
import Console
import Files
import Host
import Kubespray
import Settings
import Synchronization
import SystemPackage

/// Where a run's kubespray is made and asked: its source, its Python environment, its catalog, and what a cluster will
/// ask for. Each is made once, whichever stage asks first.
final class KubesprayWorkshop: Sendable {
  /// The source of this run.
  struct Source: Sendable {
    /// Our copy, and the tarball for the bundle.
    let copy: WorkingCopy
    /// Where the tarball was fetched from; `nil` when the user gave the source.
    let origin: String?
    /// The URL of the tarball or of the git repository, without credentials; `local` for what the user had already.
    let repository: String
    /// The branch, tag or commit of a git repository.
    let reference: String?
  }

  private struct Question: Hashable, Sendable {
    let architecture: Architecture
    let offline: String
  }

  /// The version asked for; the source may know it better.
  let version: KubesprayVersion

  private let configuration: Configuration
  private let architectures: [Architecture]
  /// None where packages are left out, or where the stage repo will refuse the settings.
  private let releases: [NodeRelease]
  private let origin: KubespraySource
  private let patches: FilePath
  private let cache: Cache
  private let lock: LockKeeper
  private let download: KubesprayDownload
  private let events: (source: StageEvents, catalog: StageEvents)

  private let madeSource = Memo<Source>()
  private let madeEnvironment = Memo<PythonEnvironment>()
  /// The environment, once somebody has asked for it.
  private let usedEnvironment = Mutex<PythonEnvironment?>(nil)
  private let catalogs = Memos<Architecture, Catalog>()
  private let joinedCatalog = Memo<Catalog>()
  private let demands = Memos<Question, ClusterDemand>()

  /// - Throws: `KubesprayVersionError` or `KubespraySourceError` when the settings name no kubespray;
  ///   ``LockContradicted`` when they name another one than the lock.
  init(
    _ job: Job, cache: Cache, lock: LockKeeper, download: KubesprayDownload,
    events: (StageName) -> StageEvents
  ) throws {
    configuration = job.configuration
    architectures = job.architectures
    releases = (try? job.packageTargets().map(\.release)) ?? []
    origin = try KubespraySource(configuration.kubespray.source)
    version = try Self.version(for: origin, configuration)
    try Self.checkPaths(configuration)
    try lock.check(version)
    patches = job.folder("target-scripts/patches").appending(version.fileName)
    self.cache = cache
    self.lock = lock
    self.download = download
    self.events = (source: events(.kubespray), catalog: events(.py))
  }

  /// Whether git fetches the source.
  var usesGit: Bool {
    if case .git = origin { true } else { false }
  }

  /// Whether there are local patches for the version asked for.
  var hasPatches: Bool { fileExists(patches) }

  /// The source: fetched, checked, copied and patched.
  ///
  /// - Throws: What went wrong, the same to all who ask.
  func source() async throws -> Source {
    try await madeSource.value { [self] in try await makeSource() }
  }

  private func makeSource() async throws -> Source {
    if configuration.transfer.offline, usesGit {
      throw NotAsked(
        what: "where \(reference ?? "HEAD") leads in the git repository of kubespray.source is not known")
    }
    let url = try origin.downloadURL(for: version)
    var fetched: KubesprayDownload.File?
    if let url { fetched = try await download.file(url, isMutable: version.kind == .branch) }
    defer { withExtendedLifetime(fetched) {} }
    let workspace = KubesprayWorkspace(version: version, patches: patches, cache: cache)
    do {
      let copy = try await workspace.prepare(pinned, downloaded: fetched?.path) { [events] in
        events.source.begin($0)
      }
      let (repository, reference) = (repository(url), reference)
      try await offload { [lock] () throws in try lock.check(copy, from: repository, at: reference) }
      tellIfUnknown()
      return Source(copy: copy, origin: url, repository: repository, reference: reference)
    } catch let error as KubespraySourceError {
      // A page of a proxy, say: the next run is to fetch it again, not find it in the cache.
      if let url { download.discard(url) }
      throw error
    }
  }

  /// Says that nothing but TLS proves a release that this program is too old to know. A lock proves it, too.
  private func tellIfUnknown() {
    guard case .release = origin, !lock.isLocked, KubesprayReleases.areOlder(than: version) else { return }
    events.source.say(
      .warning,
      "kubespray \(version) is newer than this program, which knows the files of releases up to "
        + "\(KubesprayReleases.newest): TLS alone proves that these are the published ones. Update this program, or "
        + "compare with a build over another network (download-all compare)")
  }

  /// The branch, tag or commit that the settings name, for what git fetches.
  private var reference: String? {
    guard case .git(_, let reference) = origin else { return nil }
    return reference ?? version.gitReference
  }

  /// The source, which of a locked run is the commit of the lock, wherever a branch or a tag leads now.
  private var pinned: KubespraySource {
    guard case .git(let url, _) = origin, let commit = lock.lock?.source.commit else { return origin }
    return .git(url: url, reference: commit)
  }

  private func repository(_ url: String?) -> String {
    if case .git(let url, _) = origin { return hidingCredentials(url) }
    return url.map(hidingCredentials) ?? ManifestSource.local
  }

  /// The Python environment that evaluates the source.
  ///
  /// - Throws: What went wrong, the same to all who ask.
  func environment() async throws -> PythonEnvironment {
    let environment = try await madeEnvironment.value { [self] in
      let tree = try await source().copy.tree
      let pinned = lock.lock?.ansible
      if lock.isLocked, pinned == nil {
        events.catalog.say(
          .warning, "the lock has no packages of Ansible: pip chooses them for the evaluation")
      }
      return try await PythonEnvironment.prepare(
        for: tree, interpreter: configuration.python.executable ?? "auto", cache: cache, pinned: pinned,
        mayFetch: !configuration.transfer.offline
      ) { [events] in events.catalog.begin($0) }
    }
    usedEnvironment.withLock { $0 = environment }
    return environment
  }

  /// What the environment is made of that has evaluated the source; `nil` where none has, or pip does not report it.
  ///
  /// - Throws: `Errno`.
  func pinnedPackages() async throws -> PinnedPackages? {
    guard let environment = usedEnvironment.withLock(\.self) else { return nil }
    if lock.isLocked { return environment.packages }
    return try await environment.fullIfThere()?.packages ?? environment.packages
  }

  /// The catalog, as Ansible evaluates it: of all architectures together, each file and image marked with those that
  /// need it.
  ///
  /// - Throws: What went wrong, the same to all who ask.
  func catalog() async throws -> Catalog {
    try await joinedCatalog.value { [self] in
      var catalogs: [Catalog] = []
      // One after another: they share the tree into which kubespray's own script writes its lists.
      for architecture in architectures { catalogs.append(try await catalog(for: architecture)) }
      return try Catalog(joining: catalogs)
    }
  }

  /// The catalog of one of the architectures of the run.
  ///
  /// - Throws: What went wrong, the same to all who ask.
  func catalog(for architecture: Architecture) async throws -> Catalog {
    try await catalogs.value(of: architecture) { [self] in
      let evaluator = try await evaluator(for: architecture)
      let isOnly = architectures.count == 1
      return try await evaluator.evaluate { [events] in
        events.catalog.begin(isOnly ? $0 : "\(architecture.rawValue): \($0)")
      }
    }
  }

  /// What the evaluation of an architecture depends on, as one digest.
  ///
  /// - Throws: What went wrong.
  func evaluationIdentity(for architecture: Architecture) async throws -> String {
    try await evaluator(for: architecture).identity()
  }

  /// What a cluster of one architecture will ask for, with an offline.yml in its inventory.
  ///
  /// - Parameters:
  ///   - offline: The text of offline.yml, with the address of the admin host.
  /// - Throws: What went wrong, the same to all who ask the same.
  func demand(for architecture: Architecture, offline: String) async throws -> ClusterDemand {
    let question = Question(architecture: architecture, offline: offline)
    return try await demands.value(of: question) { [self] in
      let evaluator = try await evaluator(for: architecture)
      return try await ClosureEvaluator(evaluator, offline: offline).evaluate()
    }
  }

  private func evaluator(for architecture: Architecture) async throws -> CatalogEvaluator {
    CatalogEvaluator(
      workingCopy: try await source().copy, environment: try await environment(),
      architecture: architecture, architectures: architectures,
      inventory: configuration.kubespray.inventory,
      extraVariables: configuration.kubespray.extraVariables,
      extraArguments: configuration.kubespray.extraArguments, releases: releases, cache: cache)
  }

  /// Tells of a path that leads nowhere before anything is fetched.
  private static func checkPaths(_ configuration: Configuration) throws(CatalogError) {
    if let inventory = configuration.kubespray.inventory, !fileExists(inventory) {
      throw .missing(inventory, setting: nil)
    }
    for text in configuration.kubespray.extraArguments where text.hasPrefix("@") {
      let file = FilePath(String(CatalogEvaluator.withHome(text).dropFirst()))
      guard fileExists(file), !folderExists(file) else { throw .missing(file, setting: "-e \(text)") }
    }
  }

  /// The version that was asked for; a folder that says which version it is knows better than a default.
  private static func version(
    for source: KubespraySource, _ configuration: Configuration
  ) throws -> KubesprayVersion {
    if case .folder(let path) = source {
      switch configuration.origin(of: "kubespray.version") {
      case .environment, .flag: break
      case .default, .file:
        if let declared = try KubesprayTree(path).declaredVersion {
          return try KubesprayVersion(tree: declared)
        }
      }
    }
    return try KubesprayVersion(configuration.kubespray.version)
  }
}
