/// Live lines at the bottom of a terminal; everything that stays scrolls above them.
///
/// Source of the sequences: ECMA-48 (CUU, ED, EL, SGR); hiding the cursor is DEC private mode 25.
struct TerminalDrawing: Drawing {
  /// Seconds between two redraws that only progress asks for.
  private static let interval = 0.1
  private static let eraseBelow = "\u{1b}[J"
  let options: ConsoleOptions
  private var drawn: [String] = []
  private var lastDraw = -Double.infinity
  private var cursorHidden = false

  init(options: ConsoleOptions) { self.options = options }

  mutating func draw(_ event: ConsoleEvent, _ board: ProgressBoard, _ view: DrawingView) -> ConsoleText {
    guard let text = lasting(event, board, view) else { return refresh(board, view) }
    return redraw(board, view, above: text)
  }

  mutating func refresh(_ board: ProgressBoard, _ view: DrawingView) -> ConsoleText {
    guard view.now.uptime - lastDraw >= Self.interval else { return ConsoleText() }
    return redraw(board, view, above: "")
  }

  mutating func draw(_ table: TextTable, _ view: DrawingView) -> ConsoleText {
    ConsoleText(output: table.text(bold: options.stylesOutput), error: clear(view.size))
  }

  mutating func draw(line: String, _ view: DrawingView) -> ConsoleText {
    ConsoleText(output: line + "\n", error: clear(view.size))
  }

  mutating func finish(_ sentence: String?, _ view: DrawingView) -> ConsoleText {
    var text = clear(view.size)
    if cursorHidden { text += "\u{1b}[?25h" }
    cursorHidden = false
    return ConsoleText(error: text + (sentence.map { "\($0)\n" } ?? ""))
  }

  private mutating func redraw(_ board: ProgressBoard, _ view: DrawingView, above: String) -> ConsoleText {
    let lines = LiveRegion.lines(board, size: view.size, now: view.now.uptime)
    lastDraw = view.now.uptime
    guard !above.isEmpty || lines != drawn else { return ConsoleText() }
    var text = returning(view.size)
    // Erasing line by line where it suffices does not flicker.
    if !above.isEmpty { text += (drawn.isEmpty ? "" : Self.eraseBelow) + above }
    if !cursorHidden, !lines.isEmpty {
      text += "\u{1b}[?25l"
      cursorHidden = true
    }
    text += lines.map { "\u{1b}[K\($0)\n" }.joined()
    if above.isEmpty, !drawn.isEmpty { text += Self.eraseBelow }
    drawn = lines
    return ConsoleText(error: text)
  }

  /// Makes room for other text; the next event or tick draws the region again.
  private mutating func clear(_ size: TerminalSize) -> String {
    let text = drawn.isEmpty ? "" : returning(size) + Self.eraseBelow
    drawn = []
    lastDraw = -Double.infinity
    return text
  }

  /// Goes back to where the region began; lines that a narrower window has wrapped since take more rows than
  /// they did.
  private func returning(_ size: TerminalSize) -> String {
    let columns = max(1, size.columns)
    let rows = drawn.reduce(0) { $0 + max(1, (DisplayText.width($1) + columns - 1) / columns) }
    return rows == 0 ? "" : "\u{1b}[\(rows)A\r"
  }

  /// What of an event stays on the screen; nil when only the live lines change.
  private func lasting(_ event: ConsoleEvent, _ board: ProgressBoard, _ view: DrawingView) -> String? {
    if let error = errorLine(event) { return style("31", "error:") + error.dropFirst("error:".count) }
    switch event {
    case .message(let level, let text, let stage):
      let body = "\(stage.map { "\($0): " } ?? "")\(text)\n"
      switch level {
      case .debug: return options.showsDebug ? style("2", "debug:") + " " + body : nil
      case .warning: return style("33", "warning:") + " " + body
      case .info, .error: return body
      }
    case .stageFinished(let stage, let outcome, let summary):
      let colour =
        switch outcome {
        case .done: "32"
        case .skipped: "2"
        case .failed: "31"
        }
      let text = endText(board[stage], summary: summary, now: view.now.uptime)
      return "\(DisplayText.pad(stage, to: 10))  \(style(colour, outcome.rawValue))  \(text)\n"
    default: return nil
    }
  }

  private func style(_ code: String, _ text: String) -> String { "\u{1b}[\(code)m\(text)\u{1b}[0m" }
}
