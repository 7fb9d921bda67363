import Integrity

/// Ranges of a file's bytes, in order; none touches another.
struct ByteRanges: Sendable, Equatable {
  private(set) var ranges: [Range<Int64>] = []

  init() {}

  init(_ range: Range<Int64>) { insert(range) }

  /// How many bytes they have together.
  var count: Int64 { ranges.byteSum { Int64($0.count) } }

  /// The first one.
  var first: Range<Int64>? { ranges.first }

  mutating func insert(_ range: Range<Int64>) {
    guard !range.isEmpty else { return }
    let touched = ranges.filter { $0.upperBound >= range.lowerBound && $0.lowerBound <= range.upperBound }
    let joined = touched.reduce(range) {
      min($0.lowerBound, $1.lowerBound)..<max($0.upperBound, $1.upperBound)
    }
    ranges.removeAll { touched.contains($0) }
    ranges.insert(joined, at: ranges.firstIndex { $0.lowerBound > joined.lowerBound } ?? ranges.count)
  }

  mutating func remove(_ range: Range<Int64>) {
    ranges = ranges.flatMap { old in
      [
        old.lowerBound..<max(old.lowerBound, min(old.upperBound, range.lowerBound)),
        min(old.upperBound, max(old.lowerBound, range.upperBound))..<old.upperBound,
      ].filter { !$0.isEmpty }
    }
  }

  /// Takes out the first bytes, at most so many and of one range; all of it where fewer than `least` would be left.
  mutating func takeFirst(_ most: Int64, leaving least: Int64 = 0) -> Range<Int64>? {
    guard let first = ranges.first, most > 0 else { return nil }
    let end = min(first.upperBound, first.lowerBound + most)
    let taken = first.lowerBound..<(first.upperBound - end < least ? first.upperBound : end)
    remove(taken)
    return taken
  }
}

extension ByteRanges: CustomStringConvertible {
  /// `FIRST-END,FIRST-END`; the ends do not belong to them.
  var description: String { ranges.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",") }

  /// Reads a ``description``; `nil` for another text.
  init?(_ text: String) {
    for part in text.split(separator: ",") {
      let bounds = part.split(separator: "-", omittingEmptySubsequences: false).compactMap { Int64($0) }
      guard bounds.count == 2, bounds[0] >= 0, bounds[0] <= bounds[1] else { return nil }
      insert(bounds[0]..<bounds[1])
    }
  }
}
