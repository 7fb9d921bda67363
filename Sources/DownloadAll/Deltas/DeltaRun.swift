import Bundle
import Console
import Files
import Supply
import SystemPackage

/// Makes a delta of a finished bundle.
public enum DeltaRun {
  /// What the other side has.
  public enum Base: Sendable {
    /// The bundle before: its manifest, its inventory, or its folder.
    case bundle(FilePath)
    /// This bundle, of which something is damaged there: the list of it.
    case damaged(list: FilePath)
  }

  private static let stage = "delta"

  /// Makes a delta.
  ///
  /// - Parameters:
  ///   - base: What the other side has, which the delta does not carry.
  ///   - outputs: The folder of the new bundle.
  ///   - folder: Where the delta goes.
  ///   - emit: Hears of the stage `delta`: its totals, each finished file, warnings.
  /// - Throws: ``UnfinishedBundle``, `DeltaError`, `DeltaErrors`, `ManifestError`, `FileError` or `CancellationError`.
  public static func run(
    from base: Base, to outputs: FilePath, in folder: FilePath,
    emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) async throws -> DeltaMaker.Report {
    let path = outputs.appending(Manifest.fileName)
    guard let statement = try readBytes(ifPresent: path, limit: Manifest.largestFile) else {
      throw UnfinishedBundle(outputs: outputs)
    }
    emit(.stageStarted(stage))
    emit(.stageActivity(stage, "looking into the archives of images"))
    let known = try resolve(base, try Manifest(decoding: statement, from: path), outputs)
    let maker = try DeltaMaker(
      from: known, to: outputs, statement: statement, signatures: try Manifest.signatures(in: outputs),
      in: folder, tool: "kubespray-offline \(programVersion)")
    if !known.unknown.isEmpty {
      let text =
        "the base does not say which blobs its images have, so all of an image that changed is carried. An inventory says "
        + "it: target-setup inventory, on the other side"
      emit(.message(.warning, text, stage: stage))
    }
    emit(.stageActivity(stage, ""))
    let totals = maker.totals
    emit(.stageTotals(stage, items: totals.items, bytes: totals.bytes))
    let report = try await maker.run { name, size in
      emit(.bytes(stage, size))
      emit(.itemFinished(stage, item: name, .done, bytes: size))
    }
    emit(.stageFinished(stage, .done, summary: ByteCount.format(report.bytes)))
    return report
  }

  private static func resolve(
    _ base: Base, _ manifest: Manifest, _ outputs: FilePath
  ) throws -> DeltaBase {
    switch base {
    case .bundle(let path):
      let named = try Manifest.named(path)
      return try DeltaBase(named.manifest, in: named.folder)
    case .damaged(let list):
      let damage = try DamageList(reading: list)
      try damage.check(for: manifest, list)
      return try DeltaBase(manifest, in: outputs, damaged: damage.files)
    }
  }
}
