import Bundle
import Console
import Files
import Integrity
import Supply
import SystemPackage

/// Merges a delta into the bundle that it was made for.
public enum MergeRun {
  private static let stage = "merge"

  /// What came of it.
  public struct Result: Sendable {
    /// What was made.
    public let report: DeltaMerge.Report
    /// How far the new bundle is trusted.
    public let trust: BundleTrust
    /// Whether damaged files of the bundle itself were put back.
    public let isHealed: Bool
  }

  /// Merges.
  ///
  /// Whether the new bundle is taken is decided before any of the delta is used. The base needs no such decision: each byte
  /// of it is held against the new manifest.
  /// - Parameters:
  ///   - delta: The folder of the delta.
  ///   - bundle: The folder of the bundle that it was made for.
  ///   - folder: Where the new bundle goes; `nil` for a folder beside the bundle, or for a delta that heals the bundle
  ///     itself.
  ///   - policy: Which bundles are taken.
  ///   - emit: Hears of the stage `merge`, and of how far the new bundle is trusted.
  /// - Throws: ``StepError``, `DeltaError`, `DeltaErrors`, `ManifestError`, `FileError`, `CancellationError`, or an error
  ///   that says why the new bundle is not taken.
  public static func run(
    _ delta: FilePath, bundle: FilePath, into folder: FilePath?, policy: TrustPolicy,
    emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) async throws -> Result {
    let index = try DeltaIndex.load(from: delta)
    let new = delta.appending(DeltaIndex.newFolder)
    guard let (statement, manifest, trust) = try policy.statement(in: new) else {
      throw DeltaError.damaged(new.appending(Manifest.fileName), how: "it is missing")
    }
    guard let known = try ArrivedStatement.manifest(in: bundle) else { throw StepError.unfinished(bundle) }
    let base = try Manifest(decoding: known, from: bundle.appending(Manifest.fileName))
    emit(.message(trust.level, trust.summary, stage: nil))
    let merge = try DeltaMerge(
      delta, index, base: bundle, base, statement: statement,
      signatures: try ArrivedStatement.signatures(in: new),
      into: folder ?? (index.heals == nil ? besides(bundle, BundleIdentity(manifest)) : nil))
    emit(.stageStarted(stage))
    let totals = merge.totals
    emit(.stageTotals(stage, items: totals.items, bytes: totals.bytes))
    let report = try await merge.run { name, size in
      emit(.bytes(stage, size))
      emit(.itemFinished(stage, item: name, .done, bytes: size))
    }
    emit(.stageFinished(stage, .done, summary: counted(totals.items, "file") + " proved"))
    return Result(report: report, trust: trust, isHealed: index.heals != nil && folder == nil)
  }

  /// A folder beside the bundle that no other bundle has.
  private static func besides(_ bundle: FilePath, _ result: BundleIdentity) -> FilePath {
    let name = "bundle-\(result.kubespray)-\((result.id ?? result.files.hex).prefix(8))"
    // What a manifest calls its kubespray is not a path.
    let safe = String(name.map { $0 == "/" ? "-" : $0 })
    return bundle.removingLastComponent().appending(safe)
  }
}

/// What a bundle on this host has, blobs of images included.
public enum InventoryRun {
  /// The bytes of the inventory: what a delta is made for.
  ///
  /// - Throws: ``StepError``, `ManifestError`, `DeltaError`, or `FileError`.
  public static func bytes(of bundle: FilePath) throws -> [UInt8] {
    guard let manifest = try Manifest.load(from: bundle) else { throw StepError.unfinished(bundle) }
    return try manifest.inventory(of: bundle).encoded()
  }
}
