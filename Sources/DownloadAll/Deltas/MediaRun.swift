import Console
import Files
import Integrity
import Supply
import SystemPackage

/// Writes media.
public enum MediaRun {
  /// A medium to write.
  public struct Medium: Sendable {
    /// Its number, from 1.
    public let part: Int
    /// Where it is.
    public let folder: FilePath

    /// A medium.
    public init(part: Int, folder: FilePath) {
      self.part = part
      self.folder = folder
    }
  }

  /// Writes media one after the other, and reads each back.
  ///
  /// - Throws: `MediaError`, `DeltaError`, `FileError` or `CancellationError`. Media that are finished stay.
  public static func write(
    _ plan: MediaPlan, _ media: [Medium], emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) async throws -> [MediaWriter.Report] {
    let writers = try media.map { try MediaWriter(plan, part: $0.part, to: $0.folder) }
    let stage = "media"
    emit(.stageStarted(stage))
    emit(
      .stageTotals(
        stage, items: writers.flatMap(\.names).count, bytes: writers.byteSum(of: \.bytes)))
    var reports: [MediaWriter.Report] = []
    for writer in writers {
      reports.append(
        try await writer.run { name, size in
          emit(.bytes(stage, size))
          emit(.itemFinished(stage, item: name, .done, bytes: size))
        })
    }
    emit(.stageFinished(stage, .done, summary: counted(reports.count, "medium", "media")))
    return reports
  }
}
