/// Text for the two outputs of the process; that for standard error is written first.
struct ConsoleText: Equatable {
  /// For standard output.
  var output = ""
  /// For standard error.
  var error = ""
}

/// One way to show events. It keeps what it has drawn and returns what to write; it writes nothing itself.
protocol Drawing: Sendable {
  /// Shows an event that `board` has taken in already.
  mutating func draw(_ event: ConsoleEvent, _ board: ProgressBoard, _ view: DrawingView) -> ConsoleText
  /// Shows what has changed with time alone.
  mutating func refresh(_ board: ProgressBoard, _ view: DrawingView) -> ConsoleText
  /// Shows a table of results.
  mutating func draw(_ table: TextTable, _ view: DrawingView) -> ConsoleText
  /// Shows a line of results.
  mutating func draw(line: String, _ view: DrawingView) -> ConsoleText
  /// Ends the drawing, with a last sentence for people if there is one.
  mutating func finish(_ sentence: String?, _ view: DrawingView) -> ConsoleText
}

/// Under which circumstances something is drawn.
struct DrawingView {
  let now: ConsoleInstant
  let size: TerminalSize
}

extension Drawing {
  mutating func refresh(_ board: ProgressBoard, _ view: DrawingView) -> ConsoleText { ConsoleText() }

  mutating func draw(line: String, _ view: DrawingView) -> ConsoleText { ConsoleText(output: line + "\n") }
}

/// `error: files: kubectl: what went wrong`: how a failure reads where no column tells the stage.
func errorLine(_ event: ConsoleEvent) -> String? {
  switch event {
  case .message(.error, let text, let stage): "error: \(stage.map { "\($0): " } ?? "")\(text)\n"
  case .problem(let problem, let stage): "error: \(stage.map { "\($0): " } ?? "")\(problem)\n"
  case .itemFinished(let stage, let item, .failed(let problem), _):
    "error: \(stage): \(item): \(problem.sentence)\n"
  default: nil
  }
}

/// `25/25 (13 skipped, 1 failed), 310 MB in 9s: what the stage says`: how a stage ended and what it moved.
func endText(_ stage: StageProgress?, summary: String, now: Double) -> String {
  let parts = [stage?.finalItemText ?? "", stage?.movedText ?? ""].filter { !$0.isEmpty }
  let time = DurationText.format(.milliseconds(Int64(max(0, now - (stage?.started ?? now)) * 1000)))
  let counts = parts.isEmpty ? "in \(time)" : parts.joined(separator: ", ") + " in \(time)"
  return summary.isEmpty ? counts : "\(counts): \(summary)"
}
