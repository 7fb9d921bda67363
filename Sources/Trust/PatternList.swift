/// A list of patterns with `*`, `?` and `!`, separated by commas.
///
/// Source: ssh_config(5), PATTERNS. A pattern with `!` in front excludes, wherever in the list it stands. As in OpenSSH
/// `?` is one byte and case matters.
struct PatternList: Hashable, Sendable {
  /// The list as it was written.
  let text: String

  /// OpenSSH matches nothing at all with a list that has a longer pattern (match.c, `match_pattern_list`).
  static let longestPattern = 1022

  private var patterns: [(bytes: [UInt8], excludes: Bool)] {
    text.utf8.split(separator: UInt8(ascii: ",")).map { pattern in
      let excludes = pattern.first == UInt8(ascii: "!")
      return (Array(excludes ? pattern.dropFirst() : pattern), excludes)
    }
  }

  /// Whether every pattern is short enough for OpenSSH.
  var isUsable: Bool { patterns.allSatisfy { $0.bytes.count <= Self.longestPattern } }

  /// Whether the list names exactly one name.
  var isLiteral: Bool {
    !text.utf8.contains { ",*?!".utf8.contains($0) }
  }

  /// Whether a pattern includes the name and none excludes it.
  func matches(_ name: String) -> Bool {
    let name = Array(name.utf8)
    let matching = patterns.filter { Self.matches(name, $0.bytes) }
    return !matching.isEmpty && !matching.contains(where: \.excludes)
  }

  /// Whether somebody may be named by both lists; exclusions count for nothing here.
  func overlaps(_ other: PatternList) -> Bool {
    let mine = patterns.filter { !$0.excludes }
    return other.patterns.contains { theirs in
      !theirs.excludes
        && mine.contains {
          Self.matches($0.bytes, theirs.bytes) || Self.matches(theirs.bytes, $0.bytes)
        }
    }
  }

  /// Goes back to the last `*` only, so that no pattern takes more than the product of both lengths.
  private static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
    var (n, p) = (0, 0)
    var lastStar: (pattern: Int, name: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        lastStar = (p, n)
        p += 1
      } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == name[n] {
        n += 1
        p += 1
      } else if let star = lastStar {
        p = star.pattern + 1
        n = star.name + 1
        lastStar = (star.pattern, n)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
