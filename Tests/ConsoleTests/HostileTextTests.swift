import Testing

@testable import Console

/// File names and the texts of servers are hostile input: none of their characters may command a terminal.
@Suite struct HostileTextTests {
  /// C0, DEL, C1, directional marks, embeddings, overrides and isolates, and the separators of lines and paragraphs.
  private static let dangerous: [Unicode.Scalar] =
    [
      Array(0x00...0x08), Array(0x0b...0x1f), Array(0x7f...0x9f), Array(0x200b...0x200f),
      Array(0x2028...0x202e),
      Array(0x2060...0x2064), Array(0x2066...0x2069), [0xfeff],
    ].joined().compactMap { Unicode.Scalar($0 as Int) }

  private static var hostile: String {
    dangerous.map { "a\($0)" }.joined() + "\u{1b}[31m\u{1b}]0;title\u{7}z"
  }

  private static func isClean(_ text: String) -> Bool {
    !text.unicodeScalars.contains { $0 != "\n" && dangerous.contains($0) }
  }

  @Test(arguments: [ConsoleOptions.Mode.plain, .json, .quiet])
  func nothingHostileComesThroughAnEvent(_ mode: ConsoleOptions.Mode) {
    let screen = ScriptedDevice()
    let console = Console(options: ConsoleOptions(mode: mode, showsDebug: true), device: screen.device)
    let text = Self.hostile
    let problem = Problem(kind: text, subject: text, detail: text, advice: text)
    for level in MessageLevel.allCases { console.emit(.message(level, text, stage: text)) }
    console.emit(.problem(problem, stage: text))
    console.emit(.stageStarted(text))
    console.emit(.stageTotals(text, items: 1, bytes: 1))
    console.emit(.bytes(text, 1))
    screen.wait(10)
    console.tick()
    console.emit(.itemFinished(text, item: text, .done, bytes: 1))
    console.emit(.itemFinished(text, item: text, .failed(problem), bytes: 1))
    console.emit(.stageFinished(text, .failed, summary: text))
    console.table([text], [[text]])
    console.line(text)
    console.finish(text)
    let written = screen.output() + screen.error()
    #expect(written.contains("aaaa"))
    #expect(Self.isClean(written))
  }

  @Test func onATerminalOnlyTheDrawingsOwnSequencesAreLeft() {
    let screen = ScriptedDevice()
    let console = Console(options: ConsoleOptions(mode: .terminal), device: screen.device)
    let text = Self.hostile
    console.emit(.stageStarted(text))
    console.emit(.problem(Problem(kind: text, subject: text, detail: text, advice: text), stage: text))
    console.emit(.stageFinished(text, .done, summary: text))
    console.table([text], [[text]])
    console.line(text)
    console.finish(text)
    let written = (screen.output() + screen.error()).replacing(/\u{1b}\[[0-9;?]*[A-Zhlm]|\r/, with: "")
    #expect(Self.isClean(written))
    #expect(!written.contains("\u{1b}"))
  }

  @Test func whatNoConsoleDrawsIsCleanedToo() {
    let text = DisplayText.clean(Self.hostile, keepingLines: true, keepingTabs: true)
    #expect(Self.isClean(text) && text.contains("aaaa"))
    #expect(DisplayText.clean("a\tb\nc", keepingLines: true, keepingTabs: true) == "a\tb\nc")
  }

  @Test func inJSONTheValueStays() {
    let quoted = "\"\(Self.dangerous.filter { $0.value > 0x7e }.map(String.init).joined())\""
    let escaped = DisplayText.escapingJSON(quoted)
    #expect(Self.isClean(escaped))
    #expect(escaped.contains("\\u009b") && escaped.contains("\\u202e") && escaped.contains("\\ufeff"))
    #expect(DisplayText.escapingJSON("{\n  \"a\" : \"ü\"\n}") == "{\n  \"a\" : \"ü\"\n}")
  }
}
