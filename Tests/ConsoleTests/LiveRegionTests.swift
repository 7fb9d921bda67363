import Testing

@testable import Console

@Suite struct LiveRegionTests {
  /// Two stages at 10 MB/s and 100 kB/s, one without totals, one finished.
  private var board: ProgressBoard {
    var board = ProgressBoard()
    board.apply(.stageTotals("kubespray", items: 1, bytes: 2_000_000), now: 0)
    board.apply(.bytes("kubespray", 2_000_000), now: 1)
    board.apply(.itemFinished("kubespray", item: "tarball", .done, bytes: 2_000_000), now: 1)
    board.apply(.stageFinished("kubespray", .done, summary: ""), now: 1)
    board.apply(.stageTotals("files", items: 25, bytes: 1_200_000_000), now: 1)
    board.apply(.itemFinished("files", item: "there", .skipped, bytes: 100_000_000), now: 1)
    for tenth in 0..<100 {
      board.apply(.bytes("files", 1_000_000), now: 1 + Double(tenth) / 10)
      board.apply(.bytes("images", 10_000), now: 1 + Double(tenth) / 10)
    }
    board.apply(
      .itemFinished(
        "files", item: "bad", .failed(Problem(kind: "x", subject: "bad", detail: "gone")), bytes: 0), now: 9)
    board.apply(.stageTotals("images", items: 3, bytes: 301_000_000), now: 9)
    return board
  }

  private func lines(_ columns: Int, _ rows: Int = 24, more: [String] = []) -> [String] {
    var board = board
    for stage in more { board.apply(.stageStarted(stage), now: 2) }
    return LiveRegion.lines(board, size: TerminalSize(columns: columns, rows: rows), now: 11)
  }

  @Test func everythingIsShownWhereThereIsRoom() {
    #expect(
      lines(100) == [
        "files       2/25 (1 failed)  200 MB/1.2 GB   9.9 MB/s   1m 42s left",
        "images                  0/3  1.0 MB/301 MB  98.9 kB/s  50m 32s left",
        "total                  3/29  203 MB/1.5 GB  10.0 MB/s   2m 11s left",
      ])
  }

  @Test(arguments: [
    (66, "files       2/25 (1 failed)  200 MB/1.2 GB   1m 42s left"),
    (52, "files       2/25 (1 failed)   1m 42s left"),
    (38, "files       2/25 (1 failed)"),
    (20, "files"),
    (7, "files"),
    (4, "fi…"),
  ])
  func detailsAreDroppedToFit(_ columns: Int, _ first: String) {
    let lines = lines(columns)
    #expect(lines.count == 3)
    #expect(lines.allSatisfy { DisplayText.width($0) < columns })
    #expect(lines.first == first)
  }

  @Test func theHeightIsNeverExceeded() {
    let more = (1...10).map { "stage-\($0)" }
    #expect(lines(100, 40, more: more).count == 13)
    let six = lines(100, 7, more: more)
    #expect(six.count == 6)
    #expect(six[4].hasPrefix("… and 8 more"))
    #expect(six[5].hasPrefix("total"))
    #expect(lines(100, 3, more: more).count == 1)
    #expect(lines(100, 1, more: more).isEmpty)
    #expect(lines(100, 0, more: more).isEmpty)
  }

  @Test func aStageThatMovesNothingShowsItsTimeAndSpoilsNoTotal() {
    let lines = lines(100, more: ["py"])
    #expect(lines[2].hasPrefix("py  "))
    #expect(lines[2].hasSuffix(" 9s so far"))
    #expect(lines[3].hasSuffix("203 MB/1.5 GB  10.0 MB/s   2m 11s left"))
  }

  @Test func aStageThatDoesNotKnowItsBytesLeavesTheTotalOpen() {
    var board = board
    board.apply(.stageTotals("pypi", items: 40, bytes: nil), now: 10)
    let lines = LiveRegion.lines(board, size: TerminalSize(columns: 100, rows: 24), now: 11)
    #expect(lines[3].contains("203 MB  "))
    #expect(!lines[3].contains("left"))
  }

  @Test func stagesWithoutCountsNeedNoTotal() {
    var board = ProgressBoard()
    board.apply(.stageStarted("py"), now: 0)
    board.apply(.stageStarted("kubespray"), now: 1)
    let lines = LiveRegion.lines(board, size: TerminalSize(columns: 80, rows: 24), now: 3)
    #expect(lines == ["py          3s so far", "kubespray   2s so far"])
  }

  @Test func aSingleStageNeedsNoTotal() {
    var board = ProgressBoard()
    board.apply(.stageStarted("files"), now: 0)
    #expect(
      LiveRegion.lines(board, size: TerminalSize(columns: 80, rows: 24), now: 3) == ["files       3s so far"])
  }

  @Test func aStageThatWaitsSaysForWhat() {
    var board = ProgressBoard()
    board.apply(.stageTotals("files", items: 0, bytes: 0), now: 0)
    board.apply(.stageActivity("files", "waits for the catalog"), now: 0)
    board.apply(.stageTotals("repo", items: 25, bytes: nil), now: 1)
    board.apply(.stageActivity("repo", "makes the index of debs/local"), now: 1)
    board.apply(.stageStarted("py"), now: 2)
    func lines(_ columns: Int) -> [String] {
      LiveRegion.lines(board, size: TerminalSize(columns: columns, rows: 24), now: 12)
    }
    #expect(
      lines(80) == [
        "files       waits for the catalog, 12s",
        "repo        0/25              makes the index of debs/local, 11s",
        "py                10s so far", "total       0/25",
      ])
    #expect(lines(30).first == "files       waits for the ca…")
    board.apply(.stageActivity("files", ""), now: 12)
    #expect(lines(80).first == "files             12s so far")
  }

  @Test func nothingRunningShowsNothing() {
    var board = board
    board.apply(.stageFinished("files", .done, summary: ""), now: 10)
    board.apply(.stageFinished("images", .done, summary: ""), now: 10)
    #expect(LiveRegion.lines(board, size: TerminalSize(columns: 80, rows: 24), now: 11).isEmpty)
  }
}

@Suite struct RateMeterTests {
  @Test func aSteadyFlowHasItsRateAndAStallFallsToZero() {
    var meter = RateMeter()
    #expect(meter.rate(now: 0) == 0)
    for step in 0..<200 { meter.add(100, now: Double(step) / 100 * 10) }
    let steady = meter.rate(now: 20)
    #expect(steady > 950 && steady < 1050)
    #expect(meter.rate(now: 22) < steady)
    #expect(meter.rate(now: 26) == 0)
  }

  @Test func aRetryDoesNotMakeItNegative() {
    var meter = RateMeter()
    meter.add(-500, now: 1)
    #expect(meter.rate(now: 2) == 0)
  }
}
