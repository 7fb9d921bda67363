/// Errors and the final outcome, nothing else.
struct QuietDrawing: Drawing {
  let stylesOutput: Bool

  mutating func draw(_ event: ConsoleEvent, _ board: ProgressBoard, _ view: DrawingView) -> ConsoleText {
    ConsoleText(error: errorLine(event) ?? "")
  }

  mutating func draw(_ table: TextTable, _ view: DrawingView) -> ConsoleText {
    ConsoleText(output: table.text(bold: stylesOutput))
  }

  mutating func draw(line: String, _ view: DrawingView) -> ConsoleText { ConsoleText() }

  mutating func finish(_ sentence: String?, _ view: DrawingView) -> ConsoleText {
    ConsoleText(error: sentence.map { "\($0)\n" } ?? "")
  }
}
