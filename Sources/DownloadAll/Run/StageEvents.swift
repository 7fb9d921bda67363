import Bundle
import Console

/// What a stage reports to people.
struct StageEvents: Sendable {
  let stage: StageName
  let emit: @Sendable (ConsoleEvent) -> Void

  /// Says something.
  func say(_ level: MessageLevel, _ text: String) {
    emit(.message(level, text, stage: stage.rawValue))
  }

  /// Says what the stage begins to do, and shows it on its line while no bytes move.
  func begin(_ work: String) {
    say(.info, work)
    emit(.stageActivity(stage.rawValue, work))
  }

  /// Shows on the stage's line for what it waits.
  func wait(for what: String) {
    emit(.stageActivity(stage.rawValue, "waits for \(what)"))
  }

  /// Shows on the stage's line what it does, where that is not worth a sentence of its own.
  func show(_ work: String) {
    emit(.stageActivity(stage.rawValue, work))
  }
}
