/// The lines that are redrawn in place: one for each running stage, and the total.
enum LiveRegion {
  /// One line before its columns are aligned; an empty field leaves its place free.
  private struct Row {
    var name: String
    var items = ""
    var bytes = ""
    var rate = ""
    var time = ""
    /// Stands behind the columns, or in their place where a line has none.
    var activity = ""

    func fields(_ detail: Detail) -> [String] {
      switch detail {
      case .all: [items, bytes, rate, time]
      case .withoutRate: [items, bytes, time]
      case .withoutBytes: [items, time]
      case .itemsOnly: [items]
      case .nameOnly: []
      }
    }
  }

  /// What is left out as lines become too long for the terminal, in this order.
  private enum Detail: CaseIterable {
    case all
    case withoutRate
    case withoutBytes
    case itemsOnly
    case nameOnly
  }

  /// Draws the region: at most `size.rows - 1` lines, each narrower than `size.columns`, so that neither the
  /// terminal scrolls nor a line wraps.
  static func lines(_ board: ProgressBoard, size: TerminalSize, now: Double) -> [String] {
    let room = size.rows - 1
    let running = board.running
    guard room > 0, !running.isEmpty else { return [] }
    let counts = board.stages.contains { $0.itemTotal != nil || $0.itemsDone > 0 || $0.bytesDone > 0 }
    let total = counts && board.stages.count > 1 ? [totalRow(board, now: now)] : []
    if running.count + total.count <= room {
      return align(running.map { row($0, now: now) } + total, width: size.columns - 1)
    }
    guard room > 2 else { return align([totalRow(board, now: now)], width: size.columns - 1) }
    let shown = running.prefix(room - 2)
    let more = Row(name: "… and \(running.count - shown.count) more")
    return align(shown.map { row($0, now: now) } + [more] + total, width: size.columns - 1)
  }

  private static func row(_ stage: StageProgress, now: Double) -> Row {
    let rate = stage.rate(now: now)
    let left = timeLeft(done: stage.bytesDone, total: stage.byteTotal, rate: rate)
    let soFar = DurationText.format(.seconds(Int64(max(0, now - stage.started))))
    let isWaiting = left == nil && !stage.activity.isEmpty
    return Row(
      name: stage.name, items: stage.itemText,
      bytes: byteText(done: stage.bytesDone, total: stage.byteTotal),
      rate: rate >= 1 ? ByteCount.format(bytesPerSecond: rate) : "",
      time: isWaiting ? "" : left ?? "\(soFar) so far",
      activity: isWaiting ? "\(stage.activity), \(soFar)" : "")
  }

  private static func totalRow(_ board: ProgressBoard, now: Double) -> Row {
    let rate = board.stages.reduce(0) { $0 + $1.rate(now: now) }
    let done = sum(board.stages.map(\.bytesDone))
    // A total that does not know all of its parts would promise too little. Stages that only compute have none.
    let total: Int64? =
      board.running.allSatisfy { $0.byteTotal != nil || ($0.bytesDone == 0 && $0.itemTotal == nil) }
      ? sum(board.stages.map { $0.outcome == nil ? $0.byteTotal ?? 0 : $0.bytesDone }) : nil
    let items = board.stages.reduce(0) { $0 + $1.itemsDone }
    let itemTotal = board.stages.reduce(0) { $0 + ($1.itemTotal ?? $1.itemsDone) }
    return Row(
      name: "total", items: itemTotal > 0 ? "\(items)/\(itemTotal)" : "",
      bytes: byteText(done: done, total: total),
      rate: rate >= 1 ? ByteCount.format(bytesPerSecond: rate) : "",
      time: timeLeft(done: done, total: total, rate: rate) ?? "")
  }

  /// The sum; the largest number where it would be larger: totals come from outside, too.
  private static func sum(_ numbers: [Int64]) -> Int64 {
    numbers.reduce(into: 0) { total, number in
      let (sum, overflows) = total.addingReportingOverflow(number)
      total = overflows ? .max : sum
    }
  }

  private static func byteText(done: Int64, total: Int64?) -> String {
    guard let total, total > 0 else { return done > 0 ? ByteCount.format(done) : "" }
    return "\(ByteCount.format(done))/\(ByteCount.format(total))"
  }

  private static func timeLeft(done: Int64, total: Int64?, rate: Double) -> String? {
    guard let total, total > done, rate >= 1,
      let seconds = Int64(exactly: (Double(total - done) / rate).rounded(.up))
    else { return nil }
    return "\(DurationText.format(.seconds(seconds))) left"
  }

  /// Puts fields under one another with the most detail with which every line fits.
  private static func align(_ rows: [Row], width: Int) -> [String] {
    for detail in Detail.allCases {
      let fields = rows.map { $0.fields(detail) }
      let nameWidth = max(10, rows.map { DisplayText.width($0.name) }.max() ?? 0)
      let widths = fields.first.map { first in
        first.indices.map { column in fields.map { DisplayText.width($0[column]) }.max() ?? 0 }
      }
      let lines = zip(rows, fields).map { row, fields in
        let name = DisplayText.pad(row.name, to: nameWidth)
        let columns = zip(fields, widths ?? []).reduce(name) { line, field in
          field.1 == 0 ? line : line + "  " + DisplayText.pad(field.0, to: field.1, right: true)
        }
        guard !row.activity.isEmpty else { return columns }
        let start = fields.allSatisfy(\.isEmpty) ? name : columns
        return DisplayText.truncate(start + "  " + row.activity, to: width)
      }
      if detail == .nameOnly { return rows.map { DisplayText.truncate($0.name, to: width) } }
      let trimmed = lines.map(trimmingEnd)
      if trimmed.allSatisfy({ DisplayText.width($0) <= width }) { return trimmed }
    }
    return []
  }
}

/// The text without the spaces at its end.
func trimmingEnd(_ text: String) -> String {
  var rest = Substring(text)
  while rest.last == " " { rest.removeLast() }
  return String(rest)
}
