/// What happens during a run, in the words that libraries use. Only ``Console`` decides how it looks.
///
/// A stage is named by a short word such as `files`. An event for a stage that was never started starts it.
public enum ConsoleEvent: Sendable, Equatable {
  /// A sentence for people; `stage` where one is concerned.
  case message(MessageLevel, String, stage: String?)
  /// Something went wrong; `stage` where one is concerned.
  case problem(Problem, stage: String?)
  /// A stage begins.
  case stageStarted(String)
  /// What a stage does, or what it waits for, while no bytes move; empty when that is over.
  case stageActivity(String, String)
  /// What a stage has to do: everything, with what turns out to be there already. May be sent again when it
  /// grows. `bytes` is nil as long as it is not known.
  case stageTotals(String, items: Int, bytes: Int64?)
  /// Bytes moved for a stage since the last such event; negative when a retry throws bytes away.
  case bytes(String, Int64)
  /// One item of a stage has come to its end; `bytes` is its size. The size of a skipped item counts as done.
  case itemFinished(String, item: String, ItemOutcome, bytes: Int64)
  /// A stage ends; `summary` says what came of it and may be empty.
  case stageFinished(String, StageOutcome, summary: String)
}

/// How much a message matters.
public enum MessageLevel: String, Sendable, CaseIterable {
  case debug
  case info
  case warning
  case error
}

/// What became of one item.
public enum ItemOutcome: Sendable, Equatable {
  /// It was fetched or made.
  case done
  /// It was there already.
  case skipped
  /// It could not be had.
  case failed(Problem)

  /// The word for people and machines.
  var name: String {
    switch self {
    case .done: "done"
    case .skipped: "skipped"
    case .failed: "failed"
    }
  }
}

/// What became of a stage.
public enum StageOutcome: String, Sendable {
  case done
  case skipped
  case failed
}

extension ConsoleEvent {
  /// Whether this tells how far a stage is.
  var isProgress: Bool {
    switch self {
    case .message, .problem: false
    default: true
    }
  }

  /// The same event with texts that can do nothing to a terminal; see ``DisplayText``.
  var cleaned: ConsoleEvent {
    switch self {
    case .message(let level, let text, let stage):
      .message(level, DisplayText.clean(text, keepingLines: true), stage: stage.map { DisplayText.clean($0) })
    case .problem(let problem, let stage):
      .problem(problem.cleaned, stage: stage.map { DisplayText.clean($0) })
    case .stageStarted(let stage):
      .stageStarted(DisplayText.clean(stage))
    case .stageActivity(let stage, let text):
      .stageActivity(DisplayText.clean(stage), DisplayText.clean(text))
    case .stageTotals(let stage, let items, let bytes):
      .stageTotals(DisplayText.clean(stage), items: items, bytes: bytes)
    case .bytes(let stage, let count):
      .bytes(DisplayText.clean(stage), count)
    case .itemFinished(let stage, let item, let outcome, let bytes):
      .itemFinished(DisplayText.clean(stage), item: DisplayText.clean(item), outcome.cleaned, bytes: bytes)
    case .stageFinished(let stage, let outcome, let summary):
      .stageFinished(DisplayText.clean(stage), outcome, summary: DisplayText.clean(summary))
    }
  }
}

extension ItemOutcome {
  fileprivate var cleaned: ItemOutcome {
    guard case .failed(let problem) = self else { return self }
    return .failed(problem.cleaned)
  }
}
