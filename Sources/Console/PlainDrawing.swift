/// Lines with the time of day, for logs: begin and end of stages, failures, and now and then the progress.
struct PlainDrawing: Drawing {
  /// Seconds between two lines of progress of a stage.
  private static let interval = 5.0
  let options: ConsoleOptions
  private var lastLines: [String: (time: Double, counts: String)] = [:]
  /// What each stage said last, which its progress does not repeat.
  private var said: [String: String] = [:]

  init(options: ConsoleOptions) { self.options = options }

  mutating func draw(_ event: ConsoleEvent, _ board: ProgressBoard, _ view: DrawingView) -> ConsoleText {
    switch event {
    case .message(let level, let text, let stage):
      guard level != .debug || options.showsDebug else { return ConsoleText() }
      if let stage { said[stage] = text }
      return line(stage, level == .info ? text : "\(level.rawValue): \(text)", view)
    case .problem(let problem, let stage):
      return line(stage, "error: \(problem)", view)
    case .stageStarted(let stage):
      lastLines[stage] = (view.now.uptime, "")
      return line(stage, "started", view)
    case .itemFinished(let stage, let item, .failed(let problem), _):
      return line(stage, "error: \(item): \(problem.sentence)", view)
    case .stageFinished(let stage, let outcome, let summary):
      lastLines[stage] = nil
      let text = endText(board[stage], summary: summary, now: view.now.uptime)
      return line(stage, "\(outcome.rawValue)  \(text)", view)
    case .stageActivity, .stageTotals, .bytes, .itemFinished:
      return refresh(board, view)
    }
  }

  mutating func refresh(_ board: ProgressBoard, _ view: DrawingView) -> ConsoleText {
    var result = ConsoleText()
    for stage in board.running {
      let last = lastLines[stage.name] ?? (stage.started, "")
      let counts = [stage.itemText, stage.byteText, stage.activity].filter { !$0.isEmpty }
        .joined(separator: "  ")
      guard view.now.uptime - last.time >= Self.interval, counts != last.counts, counts != said[stage.name]
      else { continue }
      lastLines[stage.name] = (view.now.uptime, counts)
      let rate = stage.rate(now: view.now.uptime)
      let text = rate >= 1 ? "\(counts)  \(ByteCount.format(bytesPerSecond: rate))" : counts
      result.error += line(stage.name, text, view).error
    }
    return result
  }

  mutating func draw(_ table: TextTable, _ view: DrawingView) -> ConsoleText {
    ConsoleText(output: table.text(bold: options.stylesOutput))
  }

  mutating func finish(_ sentence: String?, _ view: DrawingView) -> ConsoleText {
    sentence.map { line(nil, $0, view) } ?? ConsoleText()
  }

  private func line(_ stage: String?, _ text: String, _ view: DrawingView) -> ConsoleText {
    let column = stage.map { DisplayText.pad($0, to: 10) + " " } ?? ""
    return ConsoleText(error: "\(view.now.timeOfDay) \(column)\(text)\n")
  }
}
