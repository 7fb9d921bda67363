import Console
import Files
import Supply
import SystemPackage

/// Puts together what came on several media.
public enum JoinRun {
  /// Takes what is on some of the media.
  ///
  /// - Throws: `MediaError`, `DeltaError`, `FileError` or `CancellationError`; what was taken stays.
  public static func run(
    _ media: [FilePath], into folder: FilePath, emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) async throws -> MediaJoin.Report {
    let join = try MediaJoin(media, into: folder)
    let stage = "join"
    emit(.stageStarted(stage))
    emit(.stageTotals(stage, items: join.totals.items, bytes: join.totals.bytes))
    let report = try await join.run { name, size in
      emit(.bytes(stage, size))
      emit(.itemFinished(stage, item: name, .done, bytes: size))
    }
    let missing = report.parts.count { $0.state != .complete }
    emit(
      .stageFinished(
        stage, report.problems.isEmpty ? .done : .failed,
        summary: missing == 0
          ? "everything is there" : "\(missing) of \(counted(report.parts.count, "medium", "media")) to come")
    )
    return report
  }
}
