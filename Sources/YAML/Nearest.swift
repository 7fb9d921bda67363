/// The candidate that a mistyped word most likely meant; nil when none is near.
///
/// Near means at most one edit for every three characters, and at least one.
func nearest(to word: String, among candidates: [String]) -> String? {
  let letters = Array(word.lowercased().unicodeScalars.prefix(64))
  return
    candidates
    .map { (candidate: $0, distance: editDistance(letters, Array($0.lowercased().unicodeScalars))) }
    .filter { $0.distance <= max(1, $0.candidate.unicodeScalars.count / 3) }
    .min { $0.distance < $1.distance }?
    .candidate
}

/// The number of insertions, deletions, replacements and swaps of neighbours between two words (the optimal
/// string alignment distance).
private func editDistance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...second.count)
  for (row, letter) in first.enumerated() {
    var current = [row + 1]
    for (column, other) in second.enumerated() {
      var best = min(last[column] + (letter == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
      if row > 0, column > 0, letter == second[column - 1], first[row - 1] == other {
        best = min(best, beforeLast[column - 1] + 1)
      }
      current.append(best)
    }
    (beforeLast, last) = (last, current)
  }
  return last.last ?? first.count
}
