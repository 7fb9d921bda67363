import Testing

@testable import Console

@Suite struct PlainConsoleTests {
  private let screen = ScriptedDevice()

  @Test func aStageLeavesALineNowAndThen() {
    let console = Console(options: ConsoleOptions(mode: .plain), device: screen.device)
    console.emit(.stageStarted("files"))
    console.emit(.stageTotals("files", items: 3, bytes: 600_000_000))
    console.emit(.bytes("files", 10_000_000))
    #expect(screen.error() == "12:00:00 files      started\n")
    for _ in 0..<384 {
      screen.wait(1.0 / 64)
      console.emit(.bytes("files", 625_000))
    }
    #expect(screen.error() == "12:00:05 files      0/3  210 MB  40.1 MB/s\n")
    screen.wait(20)
    console.tick()
    #expect(screen.error() == "12:00:26 files      0/3  250 MB\n")
    screen.wait(20)
    console.tick()
    #expect(screen.error().isEmpty, "nothing has changed")
    console.emit(
      .itemFinished(
        "files", item: "kubectl",
        .failed(Problem(kind: "not-found", subject: "kubectl", detail: "404 Not Found")), bytes: 0))
    console.emit(.itemFinished("files", item: "kubelet", .skipped, bytes: 390_000_000))
    console.emit(.itemFinished("files", item: "etcd", .done, bytes: 250_000_000))
    #expect(screen.error().hasPrefix("12:00:46 files      error: kubectl: 404 Not Found\n"))
    console.emit(.stageFinished("files", .failed, summary: "1 file is missing"))
    #expect(
      screen.error()
        == "12:00:46 files      failed  3/3 (1 skipped, 1 failed), 250 MB in 46s: 1 file is missing\n")
    console.finish("done")
    #expect(screen.error() == "12:00:46 done\n")
    #expect(screen.output().isEmpty)
  }

  @Test func progressDoesNotRepeatWhatWasJustSaid() {
    let console = Console(options: ConsoleOptions(mode: .plain), device: screen.device)
    console.emit(.stageStarted("pypi"))
    screen.wait(10)
    console.emit(.message(.info, "asking pip", stage: "pypi"))
    console.emit(.stageActivity("pypi", "asking pip"))
    #expect(screen.error() == "12:00:00 pypi       started\n12:00:10 pypi       asking pip\n")
    console.emit(.stageActivity("pypi", "waits for files"))
    #expect(screen.error() == "12:00:10 pypi       waits for files\n")
  }

  @Test func messagesCarryTheirLevel() {
    let console = Console(options: ConsoleOptions(mode: .plain), device: screen.device)
    console.emit(.message(.info, "hello", stage: nil))
    console.emit(.message(.warning, "slow\u{1b}[2J", stage: "py"))
    console.emit(.message(.debug, "hidden", stage: nil))
    #expect(screen.error() == "12:00:00 hello\n12:00:00 py         warning: slow[2J\n")
    Console(options: ConsoleOptions(mode: .plain, showsDebug: true), device: screen.device)
      .emit(.message(.debug, "shown", stage: nil))
    #expect(screen.error() == "12:00:00 debug: shown\n")
  }
}

@Suite struct QuietConsoleTests {
  @Test func onlyErrorsResultsAndTheOutcome() {
    let screen = ScriptedDevice()
    let console = Console(options: ConsoleOptions(mode: .quiet), device: screen.device)
    console.emit(.stageStarted("files"))
    console.emit(.message(.warning, "w", stage: nil))
    console.emit(.itemFinished("files", item: "a", .done, bytes: 1))
    console.emit(
      .itemFinished("files", item: "b", .failed(Problem(kind: "x", subject: "b", detail: "gone")), bytes: 1))
    console.emit(.message(.error, "no disk", stage: nil))
    console.emit(.stageFinished("files", .failed, summary: "s"))
    console.table(["A"], [["1"]])
    console.finish("1 thing failed")
    console.finish("again")
    #expect(screen.error() == "error: files: b: gone\nerror: no disk\n1 thing failed\n")
    #expect(screen.output() == "A\n1\n")
  }
}

@Suite struct JSONConsoleTests {
  @Test func oneObjectALine() {
    let screen = ScriptedDevice()
    let console = Console(options: ConsoleOptions(mode: .json), device: screen.device)
    let prefix = "{\"time\":\"2026-01-31T11:00:00Z\",\"event\":"
    console.emit(.stageStarted("files"))
    console.emit(.stageTotals("files", items: 2, bytes: nil))
    console.emit(.bytes("files", 100))
    console.emit(.message(.info, "say \"hi\"\\\nbye", stage: nil))
    #expect(
      screen.output() == """
        \(prefix)"stage-started","stage":"files"}
        \(prefix)"stage-totals","stage":"files","items":2,"bytes":null}
        \(prefix)"message","level":"info","stage":null,"text":"say \\"hi\\"\\\\\\nbye"}

        """)
    #expect(screen.error().isEmpty)
    console.emit(
      .itemFinished(
        "files", item: "ä",
        .failed(Problem(kind: "not-found", subject: "files/ä", detail: "gone", advice: "Look elsewhere.")),
        bytes: 7))
    console.emit(.problem(Problem(kind: "other", subject: "py", detail: "broken"), stage: nil))
    console.table(["A", "B"], [["1", "2"]], rightAligned: [0])
    console.finish("over")
    #expect(screen.error() == "error: files: ä: gone. Look elsewhere.\nerror: py: broken\n")
    #expect(
      screen.output() == """
        \(prefix)"item-finished","stage":"files","item":"ä","outcome":"failed","reason":"gone. Look elsewhere.","bytes":7,"problem":{"kind":"not-found","subject":"files/ä","detail":"gone","advice":"Look elsewhere."}}
        \(prefix)"message","level":"error","stage":null,"text":"py: broken","problem":{"kind":"other","subject":"py","detail":"broken","advice":null}}
        \(prefix)"table","columns":["A","B"],"rows":[["1","2"]]}
        \(prefix)"finished","text":"over"}

        """)
  }

  @Test func bytesAreGatheredForASecond() {
    let screen = ScriptedDevice()
    let console = Console(options: ConsoleOptions(mode: .json), device: screen.device)
    console.emit(.stageStarted("files"))
    _ = screen.output()
    for _ in 0..<30 {
      screen.wait(0.1)
      console.emit(.bytes("files", 1000))
    }
    let lines = screen.output().split(separator: "\n")
    #expect((2...3).contains(lines.count))
    #expect(
      lines.allSatisfy { $0.contains("\"event\":\"progress\",\"stage\":\"files\",\"items\":0,\"bytes\":") })
  }
}

@Suite struct TerminalConsoleTests {
  private let screen = ScriptedDevice()
  private var console: Console { Console(options: ConsoleOptions(mode: .terminal), device: screen.device) }

  @Test func theRegionIsRedrawnInPlaceAtMostTenTimesASecond() {
    let console = console
    console.emit(.stageStarted("files"))
    #expect(screen.error() == "\u{1b}[?25l\u{1b}[Kfiles       0s so far\n")
    console.emit(.bytes("files", 5_000_000))
    #expect(screen.error().isEmpty, "too early")
    screen.wait(0.1)
    console.tick()
    #expect(screen.error() == "\u{1b}[1A\r\u{1b}[Kfiles       5.0 MB  5.0 MB/s  0s so far\n\u{1b}[J")
    screen.wait(0.1)
    console.tick()
    #expect(screen.error().isEmpty, "nothing has changed")
  }

  @Test func messagesAndFinishedStagesScrollAbove() {
    let console = console
    console.emit(.stageStarted("py"))
    console.emit(.stageStarted("files"))
    _ = screen.error()
    console.emit(.message(.error, "no\nway", stage: "py"))
    #expect(
      screen.error()
        == "\u{1b}[1A\r\u{1b}[J\u{1b}[31merror:\u{1b}[0m py: no\nway\n\u{1b}[Kpy          0s so far\n"
        + "\u{1b}[Kfiles       0s so far\n")
    screen.wait(2)
    console.emit(.stageFinished("py", .done, summary: "Python 3.11"))
    #expect(
      screen.error()
        == "\u{1b}[2A\r\u{1b}[Jpy          \u{1b}[32mdone\u{1b}[0m  in 2s: Python 3.11\n"
        + "\u{1b}[Kfiles       2s so far\n")
    console.finish("interrupted")
    #expect(screen.error() == "\u{1b}[1A\r\u{1b}[J\u{1b}[?25hinterrupted\n")
    console.emit(.bytes("files", 1))
    console.tick()
    #expect(screen.error().isEmpty, "the screen stays tidy")
    console.emit(.message(.info, "late", stage: nil))
    #expect(screen.error() == "late\n")
  }

  @Test func aTableFindsAClearScreen() {
    let console = console
    console.emit(.stageStarted("files"))
    _ = screen.error()
    console.table(["A"], [["1"]])
    #expect(screen.error() == "\u{1b}[1A\r\u{1b}[J")
    #expect(screen.output() == "A\n1\n")
    console.tick()
    #expect(screen.error() == "\u{1b}[Kfiles       0s so far\n")
  }

  @Test func linesThatANarrowerWindowHasWrappedAreErasedToo() {
    let console = console
    console.emit(.stageStarted("a-stage-with-a-long-name"))
    _ = screen.error()
    screen.resize(columns: 20, rows: 24)
    screen.wait(1)
    console.tick()
    #expect(screen.error() == "\u{1b}[2A\r\u{1b}[Ka-stage-with-a-lon…\n\u{1b}[J")
  }

  @Test func aServerCannotDraw() {
    let console = console
    console.emit(
      .itemFinished(
        "files", item: "\u{1b}[2Jevil\u{9b}1m",
        .failed(Problem(kind: "x", subject: "\u{9b}", detail: "\u{1b}]0;x\u{7}")), bytes: 0))
    let allowed = ["\u{1b}[31m", "\u{1b}[0m", "\u{1b}[?25l", "\u{1b}[K"]
    var text = screen.error()
    for sequence in allowed {
      text = text.split(separator: sequence, omittingEmptySubsequences: false).joined()
    }
    #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
    #expect(text.hasPrefix("error: files: [2Jevil1m: ]0;x\n"))
  }

  @Test func manyThreadsMayTalkAtOnce() async {
    let console = console
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for _ in 0..<200 { console.emit(.bytes("stage-\(task)", 10)) }
          console.emit(.stageFinished("stage-\(task)", .done, summary: ""))
        }
      }
    }
    let text = screen.error()
    for task in 0..<8 { #expect(text.contains("stage-\(task)     \u{1b}[32mdone\u{1b}[0m  2.0 kB in 0s\n")) }
  }
}
