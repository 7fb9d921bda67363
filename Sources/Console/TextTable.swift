/// A table in aligned columns.
struct TextTable {
  let header: [String]
  let rows: [[String]]
  let rightAligned: Set<Int>

  /// Makes a table of texts that can do nothing to a terminal; see ``DisplayText``.
  init(header: [String], rows: [[String]], rightAligned: Set<Int>) {
    self.header = header.map { DisplayText.clean($0) }
    self.rows = rows.map { $0.map { DisplayText.clean($0) } }
    self.rightAligned = rightAligned
  }

  /// The lines, two spaces between columns and none at their ends. Rows may differ in length.
  func text(bold: Bool) -> String {
    let all = [header] + rows
    let count = all.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      all.map { column < $0.count ? DisplayText.width($0[column]) : 0 }.max() ?? 0
    }
    let lines = all.map { row in
      trimmingEnd(
        row.enumerated().map { column, cell in
          DisplayText.pad(cell, to: widths[column], right: rightAligned.contains(column))
        }.joined(separator: "  "))
    }
    guard let first = lines.first, !header.isEmpty else {
      return lines.dropFirst().map { $0 + "\n" }.joined()
    }
    let title = bold ? "\u{1b}[1m\(first)\u{1b}[0m" : first
    return ([title] + lines.dropFirst()).map { $0 + "\n" }.joined()
  }
}
