import Testing

@testable import Console

@Suite struct ByteCountTests {
  @Test(
    arguments: [
      (0, "0 B"), (1, "1 B"), (999, "999 B"), (1000, "1.0 kB"), (1049, "1.0 kB"), (1050, "1.1 kB"),
      (9949, "9.9 kB"), (99_949, "99.9 kB"), (99_950, "100 kB"), (310_400_000, "310 MB"), (999_499, "999 kB"),
      (999_500, "1.0 MB"), (999_949_999, "1.0 GB"), (1_500_000_000, "1.5 GB"), (35_200_000, "35.2 MB"),
      (Int64.max, "9.2 EB"), (Int64.min, "-9.2 EB"), (-1500, "-1.5 kB"),
    ] as [(Int64, String)])
  func bytes(_ count: Int64, _ expected: String) {
    #expect(ByteCount.format(count) == expected)
  }

  @Test(arguments: [(0, "0 B/s"), (35_200_000.4, "35.2 MB/s"), (.infinity, "0 B/s"), (.nan, "0 B/s")])
  func rates(_ rate: Double, _ expected: String) {
    #expect(ByteCount.format(bytesPerSecond: rate) == expected)
  }
}

@Suite struct DurationTextTests {
  @Test(
    arguments: [
      (.zero, "0s"), (.milliseconds(40), "0s"), (.milliseconds(420), "0.4s"), (.seconds(9), "9s"),
      (.milliseconds(9960), "10s"), (.milliseconds(12_400), "12s"), (.milliseconds(59_600), "1m 00s"),
      (.seconds(72), "1m 12s"), (.seconds(3599), "59m 59s"), (.seconds(3600), "1h 00m"),
      (.seconds(11_100), "3h 05m"), (.seconds(86_400 * 2 + 7 * 3600), "2d 07h"), (.seconds(-5), "0s"),
    ] as [(Duration, String)])
  func durations(_ duration: Duration, _ expected: String) {
    #expect(DurationText.format(duration) == expected)
  }
}

@Suite struct DisplayTextTests {
  @Test(arguments: [
    ("plain größe 漢字", "plain größe 漢字"), ("\u{1b}[2J\u{1b}]0;title\u{7}x", "[2J]0;titlex"),
    ("a\tb\r\nc\u{8}", "a b c"), ("\u{9b}31mred\u{202e}evil\u{200b}\u{2028}", "31mredevil"),
  ])
  func nothingThatATerminalObeysIsLeft(_ text: String, _ expected: String) {
    #expect(DisplayText.clean(text) == expected)
  }

  @Test func messagesKeepTheirLines() {
    #expect(DisplayText.clean("a\r\nb\u{1b}c", keepingLines: true) == "a\nbc")
  }

  @Test(arguments: [
    ("", 0), ("abc", 3), ("größe", 5), ("gro\u{308}ße", 5), ("漢字", 4), ("한글", 4), ("ｗ", 2), ("🚀", 2),
  ])
  func width(_ text: String, _ expected: Int) {
    #expect(DisplayText.width(text) == expected)
  }

  @Test(arguments: [
    ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("漢字漢", 5, "漢字…"), ("漢字漢", 4, "漢…"), ("ab", 1, "…"), ("ab", 0, ""),
  ])
  func truncate(_ text: String, _ columns: Int, _ expected: String) {
    #expect(DisplayText.truncate(text, to: columns) == expected)
  }
}

@Suite struct TextTableTests {
  let table = TextTable(
    header: ["STAGE", "ITEMS", "NOTE"],
    rows: [["files", "25", "ok"], ["漢字", "1300", ""], ["py", "1"], ["x", "2", "a\u{1b}[31m\nb"]],
    rightAligned: [1])

  @Test func columnsAreAligned() {
    #expect(
      table.text(bold: false) == """
        STAGE  ITEMS  NOTE
        files     25  ok
        漢字    1300
        py         1
        x          2  a[31m b

        """)
  }

  @Test func theHeaderIsBoldOnTerminals() {
    #expect(table.text(bold: true).hasPrefix("\u{1b}[1mSTAGE  ITEMS  NOTE\u{1b}[0m\nfiles"))
  }

  @Test func withoutHeaderThereIsNoLineForIt() {
    #expect(TextTable(header: [], rows: [["a", "b"]], rightAligned: []).text(bold: true) == "a  b\n")
  }
}

@Suite struct ConsoleOptionsTests {
  struct Case: Sendable {
    var terminal = true
    var environment = ["TERM": "xterm-256color"]
    var quiet = false
    var json = false
    var noProgress = false
    let expected: ConsoleOptions.Mode
  }

  @Test(arguments: [
    Case(expected: .terminal),
    Case(terminal: false, expected: .plain),
    Case(environment: [:], expected: .plain),
    Case(environment: ["TERM": "dumb"], expected: .plain),
    Case(environment: ["TERM": "xterm", "NO_COLOR": "1"], expected: .plain),
    Case(environment: ["TERM": "xterm", "NO_COLOR": ""], expected: .terminal),
    Case(environment: ["TERM": "xterm", "CI": "true"], expected: .plain),
    Case(environment: ["TERM": "xterm", "CI": "false"], expected: .terminal),
    Case(noProgress: true, expected: .plain),
    Case(quiet: true, expected: .quiet),
    Case(terminal: false, quiet: true, expected: .quiet),
    Case(json: true, expected: .json),
    Case(terminal: false, quiet: true, json: true, expected: .json),
  ])
  func mode(_ example: Case) {
    let options = ConsoleOptions.resolve(
      isTerminal: example.terminal, environment: example.environment, quiet: example.quiet,
      json: example.json, noProgress: example.noProgress)
    #expect(options.mode == example.expected)
  }

  @Test(arguments: [
    (true, "xterm", false, true), (false, "xterm", false, false), (true, "dumb", false, false),
    (true, "xterm", true, false),
  ])
  func stylesOnStandardOutput(_ terminal: Bool, _ type: String, _ json: Bool, _ expected: Bool) {
    let options = ConsoleOptions.resolve(
      isTerminal: false, outputIsTerminal: terminal, environment: ["TERM": type], json: json)
    #expect(options.stylesOutput == expected)
  }
}
