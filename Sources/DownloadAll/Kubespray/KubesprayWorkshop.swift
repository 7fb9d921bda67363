import Bundle
import Concurrency
import Console
import Files
import FoundationEssentials
import Glibc
import Host
import Integrity
import Kubespray
import Settings
import SystemPackage
import Transfer

/// The kubespray source and its catalog, each made once in a run, whichever stage asks first.
final class KubesprayProvider: Sendable {
  /// The source of this run.
  struct Source: Sendable {
    /// Our copy, and the tarball for the bundle.
    let copy: WorkingCopy
    /// Where the tarball was fetched from; `nil` when the user gave the source.
    let origin: String?
  }

  /// Whether git fetches the source.
  let usesGit: Bool
  /// Whether there are local patches for the version asked for.
  let hasPatches: Bool
  /// The version asked for; the source may know it better.
  let version: KubesprayVersion

  private let sourceMemo: Memo<Source>
  private let environmentMemo: Memo<PythonEnvironment>
  private let catalogMemos: [Architecture: Memo<Catalog>]
  private let evaluators: @Sendable (Architecture) async throws -> CatalogEvaluator
  private let demandEvaluation: @Sendable (Architecture, String, [NodeRelease]) async throws -> ClusterDemand
  private let joinedMemo: Memo<Catalog>

  /// - Parameter architectures: Those of the target machines, the main one first.
  /// - Throws: `KubesprayVersionError` or `KubespraySourceError` when the settings name no kubespray.
  init(
    configuration: Configuration, architectures: [Architecture], projectRoot: FilePath,
    download: KubesprayDownload,
    emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) throws {
    let source = try KubespraySource(configuration.kubespray.source)
    let version = try Self.version(for: source, configuration)
    self.version = version
    let patches = projectRoot.appending("target-scripts/patches").appending(version.fileName)
    if case .git = source { usesGit = true } else { usesGit = false }
    hasPatches = FileManager.default.fileExists(atPath: patches.string)
    let lock: @Sendable () async throws -> FileLock = {
      let path = configuration.cache.appending("kubespray.lock")
      return try await offload { () throws in try FileLock(path, waits: true) }
    }
    let sourceMemo = Memo<Source> {
      // Runs for several bundles may share one cache; what they make there they make one after another.
      let lock = try await lock()
      defer { withExtendedLifetime(lock) {} }
      let url = try source.downloadURL(for: version)
      let stage = StageName.kubespray.rawValue
      let file: FilePath? =
        if let url { try await download.file(url, isMutable: version.kind == .branch) } else { nil }
      let workspace = KubesprayWorkspace(version: version, patches: patches, cache: configuration.cache)
      let copy: WorkingCopy
      do {
        copy = try await workspace.prepare(source, downloaded: file) {
          emit(.message(.info, $0, stage: stage))
        }
      } catch let error as KubespraySourceError {
        // A page of a proxy, say: the next run shall fetch it again, not find it in the cache.
        if let file { download.discard(file) }
        throw error
      }
      return Source(copy: copy, origin: url)
    }
    self.sourceMemo = sourceMemo
    let say: @Sendable (String) -> Void = { emit(.message(.info, $0, stage: StageName.py.rawValue)) }
    let environmentMemo = Memo {
      let source = try await sourceMemo.value()
      let lock = try await lock()
      defer { withExtendedLifetime(lock) {} }
      return try await PythonEnvironment.prepare(
        for: source.copy.tree, interpreter: configuration.python.executable ?? "auto",
        cache: configuration.cache,
        progress: say)
    }
    self.environmentMemo = environmentMemo
    let evaluator: @Sendable (Architecture) async throws -> CatalogEvaluator = { architecture in
      CatalogEvaluator(
        workingCopy: try await sourceMemo.value().copy, environment: try await environmentMemo.value(),
        architecture: architecture, inventory: configuration.kubespray.inventory,
        extraVariables: configuration.kubespray.extraVariables, cache: configuration.cache)
    }
    evaluators = evaluator
    demandEvaluation = { architecture, offline, releases in
      let evaluator = try await evaluator(architecture)
      let lock = try await lock()
      defer { withExtendedLifetime(lock) {} }
      return try await ClosureEvaluator(evaluator, offline: offline, releases: releases).evaluate()
    }
    let evaluate: @Sendable (Architecture) async throws -> Catalog = { architecture in
      let evaluator = try await evaluator(architecture)
      let lock = try await lock()
      defer { withExtendedLifetime(lock) {} }
      guard architectures.count > 1 else { return try await evaluator.evaluate(progress: say) }
      let catalog = try await evaluator.evaluate { say("\(architecture.rawValue): \($0)") }
      guard catalog.architecture == architecture.rawValue else {
        throw FixedArchitecture(asked: architecture.rawValue, given: catalog.architecture)
      }
      return catalog
    }
    let memos = Dictionary(
      architectures.map { architecture in (architecture, Memo { try await evaluate(architecture) }) },
      uniquingKeysWith: { first, _ in first })
    catalogMemos = memos
    joinedMemo = Memo {
      var catalogs: [Catalog] = []
      // One after another: they share the tree into which kubespray's own script writes its lists.
      for architecture in architectures {
        if let memo = memos[architecture] { catalogs.append(try await memo.value()) }
      }
      return try Catalog(joining: catalogs)
    }
  }

  /// The source: fetched, checked, copied and patched.
  ///
  /// - Throws: What went wrong, the same to all who ask.
  func source() async throws -> Source { try await sourceMemo.value() }

  /// The Python environment that evaluates the source.
  ///
  /// - Throws: What went wrong, the same to all who ask.
  func environment() async throws -> PythonEnvironment { try await environmentMemo.value() }

  /// The catalog, as Ansible evaluates it: of all architectures together, each file and image marked with those that
  /// need it.
  ///
  /// - Throws: What went wrong, the same to all who ask.
  func catalog() async throws -> Catalog { try await joinedMemo.value() }

  /// The catalog of one of the architectures of the run.
  ///
  /// - Throws: What went wrong, the same to all who ask; `Errno` for an architecture that the run is not for.
  func catalog(for architecture: Architecture) async throws -> Catalog {
    guard let memo = catalogMemos[architecture] else { throw Errno.invalidArgument }
    return try await memo.value()
  }

  /// What the evaluation of an architecture depends on, as one digest.
  ///
  /// - Throws: What went wrong.
  func evaluationIdentity(for architecture: Architecture) async throws -> String {
    try await evaluators(architecture).identity()
  }

  /// What a cluster of one architecture will ask for, with an offline.yml in its inventory.
  ///
  /// - Parameters:
  ///   - offline: The text of offline.yml, with the address of the admin node.
  ///   - releases: What the nodes may run.
  /// - Throws: What went wrong.
  func demand(
    for architecture: Architecture, offline: String, releases: [NodeRelease]
  ) async throws -> ClusterDemand {
    try await demandEvaluation(architecture, offline, releases)
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
    "kubespray's variables give \(given) as image_arch where the catalog of \(asked) is evaluated. Remove image_arch "
      + "from the inventory and from kubespray.extra_vars: each node knows its own, and \"platforms\" says which there are."
  }
}

/// Fetches the kubespray tarball into the cache, once.
struct KubesprayDownload: Sendable {
  let engine: TransferEngine
  let remote: RemoteFiles
  let verified: VerifiedFiles
  let folder: FilePath
  let emit: @Sendable (ConsoleEvent) -> Void

  /// Forgets a file that turned out not to be what it should.
  func discard(_ file: FilePath) {
    unlink(file.string)
    verified.forget(file)
  }

  /// The file that was fetched from a URL, in this run or an earlier one.
  ///
  /// - Parameter isMutable: Whether the server shall be asked for a newer one.
  /// - Throws: `TransferError` or `Errno`.
  func file(_ url: String, isMutable: Bool) async throws -> FilePath {
    let stage = StageName.kubespray
    let place = folder.appending("\(Digest(of: Array(url.utf8)).hex.prefix(16)).tar.gz")
    let entry = verified.entry(for: place)
    if entry != nil, !isMutable { return place }
    try createDirectories(folder)
    emit(.message(.info, "fetching \(hidingCredentials(url))", stage: stage.rawValue))
    var download = Download(url: remote.address(of: url), destination: place)
    download.knownValidator = entry?.validator
    let outcome = try await engine.download(download)
    if case .downloaded(let receipt) = outcome {
      verified.record(
        place, stage: stage, sha256: receipt.sha256, url: hidingCredentials(url),
        validator: receipt.validator)
    }
    return place
  }
}
