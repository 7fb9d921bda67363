import Bundle
import Cache
import Concurrency
import Files
import Host
import Kubespray
import Settings
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
  private let download: KubesprayDownload
  private let events: (source: StageEvents, catalog: StageEvents)

  private let madeSource = Memo<Source>()
  private let madeEnvironment = Memo<PythonEnvironment>()
  private let catalogs = Memos<Architecture, Catalog>()
  private let joinedCatalog = Memo<Catalog>()
  private let demands = Memos<Question, ClusterDemand>()

  /// - Throws: `KubesprayVersionError` or `KubespraySourceError` when the settings name no kubespray.
  init(_ job: Job, cache: Cache, download: KubesprayDownload, events: (StageName) -> StageEvents) throws {
    configuration = job.configuration
    architectures = job.architectures
    releases = (try? job.packageTargets().map(\.release)) ?? []
    origin = try KubespraySource(configuration.kubespray.source)
    version = try Self.version(for: origin, configuration)
    patches = job.projectRoot.appending("target-scripts/patches").appending(version.fileName)
    self.cache = cache
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
    let url = try origin.downloadURL(for: version)
    var fetched: KubesprayDownload.File?
    if let url { fetched = try await download.file(url, isMutable: version.kind == .branch) }
    defer { withExtendedLifetime(fetched) {} }
    let workspace = KubesprayWorkspace(version: version, patches: patches, cache: cache)
    do {
      let copy = try await workspace.prepare(origin, downloaded: fetched?.path) { [events] in
        events.source.begin($0)
      }
      return Source(copy: copy, origin: url, repository: repository(url))
    } catch let error as KubespraySourceError {
      // A page of a proxy, say: the next run is to fetch it again, not find it in the cache.
      if let url { download.discard(url) }
      throw error
    }
  }

  private func repository(_ url: String?) -> String {
    if case .git(let url, _) = origin { return hidingCredentials(url) }
    return url.map(hidingCredentials) ?? ManifestSource.local
  }

  /// The Python environment that evaluates the source.
  ///
  /// - Throws: What went wrong, the same to all who ask.
  func environment() async throws -> PythonEnvironment {
    try await madeEnvironment.value { [self] in
      let tree = try await source().copy.tree
      return try await PythonEnvironment.prepare(
        for: tree, interpreter: configuration.python.executable ?? "auto", cache: cache
      ) { [events] in events.catalog.begin($0) }
    }
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
      let catalog = try await evaluator.evaluate { [events] in
        events.catalog.begin(isOnly ? $0 : "\(architecture.rawValue): \($0)")
      }
      guard isOnly || catalog.architecture == architecture.rawValue else {
        throw FixedArchitecture(asked: architecture.rawValue, given: catalog.architecture)
      }
      return catalog
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
      architecture: architecture, inventory: configuration.kubespray.inventory,
      extraVariables: configuration.kubespray.extraVariables, releases: releases, cache: cache)
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

/// An inventory or a variable that fixes the architecture, in a bundle for several.
struct FixedArchitecture: Error, CustomStringConvertible {
  let asked: String
  let given: String

  var description: String {
    "kubespray's variables give \(given) as image_arch where the catalog of \(asked) is evaluated"
  }
}
