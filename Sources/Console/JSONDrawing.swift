/// One JSON object a line on standard output (RFC 8259), each with `time` and `event`.
struct JSONDrawing: Drawing {
  /// Seconds between two progress objects of a stage; single byte counts would flood the reader.
  private static let interval = 1.0
  let options: ConsoleOptions
  private var lastObjects: [String: (time: Double, bytes: Int64)] = [:]

  init(options: ConsoleOptions) { self.options = options }

  mutating func draw(_ event: ConsoleEvent, _ board: ProgressBoard, _ view: DrawingView) -> ConsoleText {
    let fields: [(String, JSONValue)]
    switch event {
    case .message(let level, let text, let stage):
      guard level != .debug || options.showsDebug else { return ConsoleText() }
      fields = [("level", .string(level.rawValue)), ("stage", .optional(stage)), ("text", .string(text))]
      return object("message", fields, view, error: errorLine(event))
    case .problem(let problem, let stage):
      fields = [
        ("level", .string("error")), ("stage", .optional(stage)), ("text", .string(problem.description)),
        ("problem", problem.json),
      ]
      return object("message", fields, view, error: errorLine(event))
    case .stageStarted(let stage):
      return object("stage-started", [("stage", .string(stage))], view)
    case .stageActivity(let stage, let text):
      guard !text.isEmpty else { return ConsoleText() }
      return object("stage-activity", [("stage", .string(stage)), ("text", .string(text))], view)
    case .stageTotals(let stage, let items, let bytes):
      fields = [
        ("stage", .string(stage)), ("items", .number(Int64(items))),
        ("bytes", bytes.map { .number($0) } ?? .null),
      ]
      return object("stage-totals", fields, view)
    case .bytes: return refresh(board, view)
    case .itemFinished(let stage, let item, let outcome, let bytes):
      var problem: Problem?
      if case .failed(let found) = outcome { problem = found }
      fields = [
        ("stage", .string(stage)), ("item", .string(item)), ("outcome", .string(outcome.name)),
        ("reason", .optional(problem?.sentence)), ("bytes", .number(bytes)),
      ]
      if let problem {
        return object("item-finished", fields + [("problem", problem.json)], view, error: errorLine(event))
      }
      return object("item-finished", fields, view, error: errorLine(event))
    case .stageFinished(let stage, let outcome, let summary):
      fields = [
        ("stage", .string(stage)), ("outcome", .string(outcome.rawValue)), ("summary", .string(summary)),
      ]
      return object("stage-finished", fields, view)
    }
  }

  mutating func refresh(_ board: ProgressBoard, _ view: DrawingView) -> ConsoleText {
    var result = ConsoleText()
    for stage in board.running {
      let last = lastObjects[stage.name] ?? (stage.started, 0)
      guard view.now.uptime - last.time >= Self.interval, stage.bytesDone != last.bytes else { continue }
      lastObjects[stage.name] = (view.now.uptime, stage.bytesDone)
      let rate = Int64(exactly: stage.rate(now: view.now.uptime).rounded()) ?? 0
      result.output +=
        object(
          "progress",
          [
            ("stage", .string(stage.name)), ("items", .number(Int64(stage.itemsDone))),
            ("bytes", .number(stage.bytesDone)), ("bytesPerSecond", .number(rate)),
          ], view
        ).output
    }
    return result
  }

  mutating func draw(_ table: TextTable, _ view: DrawingView) -> ConsoleText {
    object(
      "table",
      [
        ("columns", .array(table.header.map { .string($0) })),
        ("rows", .array(table.rows.map { .array($0.map { .string($0) }) })),
      ], view)
  }

  mutating func draw(line: String, _ view: DrawingView) -> ConsoleText {
    object("message", [("level", .string("info")), ("stage", .null), ("text", .string(line))], view)
  }

  mutating func finish(_ sentence: String?, _ view: DrawingView) -> ConsoleText {
    sentence.map { object("finished", [("text", .string($0))], view) } ?? ConsoleText()
  }

  private func object(
    _ event: String, _ fields: [(String, JSONValue)], _ view: DrawingView, error: String? = nil
  ) -> ConsoleText {
    let all = [("time", JSONValue.string(view.now.timestamp)), ("event", .string(event))] + fields
    return ConsoleText(output: JSONValue.object(all).text + "\n", error: error ?? "")
  }
}

/// The part of JSON that events need; members keep their order.
enum JSONValue {
  case null
  case number(Int64)
  case string(String)
  case array([JSONValue])
  case object([(String, JSONValue)])

  static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

  /// The value on one line.
  var text: String {
    switch self {
    case .null: "null"
    case .number(let number): "\(number)"
    case .string(let string): Self.quote(string)
    case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { "\(Self.quote($0.0)):\($0.1.text)" }.joined(separator: ",") + "}"
    }
  }

  private static func quote(_ string: String) -> String {
    var result = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case ..<" ": result += "\\u00" + twoHexDigits(scalar.value)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func twoHexDigits(_ value: UInt32) -> String {
    (value < 16 ? "0" : "") + String(value, radix: 16)
  }
}
