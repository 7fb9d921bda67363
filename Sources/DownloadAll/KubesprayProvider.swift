import Bundle
import Console
import Host
import Integrity
import Kubespray
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

  private let sourceMemo: Memo<Source>
  private let catalogMemo: Memo<Catalog>

  init(
    configuration: Configuration, architecture: Architecture, projectRoot: FilePath, engine: TransferEngine,
    remote: RemoteFiles, verified: VerifiedFiles, emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) {
    usesGit = false
    hasPatches = false
    let sourceMemo = Memo<Source> { throw CancellationError() }
    self.sourceMemo = sourceMemo
    catalogMemo = Memo {
      let source = try await sourceMemo.value()
      let say: @Sendable (String) -> Void = { emit(.message(.info, $0, stage: StageName.py.rawValue)) }
      let environment = try await PythonEnvironment.prepare(
        for: source.copy.tree, interpreter: configuration.python.executable ?? "auto",
        cache: configuration.cache,
        progress: say)
      let evaluator = CatalogEvaluator(
        workingCopy: source.copy, environment: environment, architecture: architecture,
        inventory: configuration.kubespray.inventory,
        extraVariables: configuration.kubespray.extraVariables, cache: configuration.cache)
      return try await evaluator.evaluate(progress: say)
    }
  }

  /// The source: fetched, checked, copied and patched.
  ///
  /// - Throws: What went wrong, the same to all who ask.
  func source() async throws -> Source { try await sourceMemo.value() }

  /// The catalog, as Ansible evaluates it.
  ///
  /// - Throws: What went wrong, the same to all who ask.
  func catalog() async throws -> Catalog { try await catalogMemo.value() }
}
