/// Inputs made of others: the same ones in every run.
struct Changes {
  /// What readers of numbers, paths, structures and texts might not expect.
  private static let words = [
    "0", "-1", "9223372036854775807", "18446744073709551616", "1e999", "../", "/", "//", "\\", "\0",
    "\"", "'", "{", "}", "[", "]", "[[[[[[[[", "{\"a\":", ":", ",", ";", "\n", "\r\n", "\t", "%", "%00",
    "&a", "*a", "<<", "$(", "${", "=", "@", "#", "\u{feff}", "\u{202e}", "e\u{301}",
    "\u{1f468}\u{200d}\u{1f469}", "null", "true",
  ].map { Array($0.utf8) }

  private let corpus: [[UInt8]]
  private var state: UInt64

  /// - Parameter seed: Tells one row of changes from another.
  init(of corpus: [[UInt8]], seed: UInt64) {
    self.corpus = corpus
    state = seed
  }

  /// SplitMix64 (Steele, Lea, Flood 2014).
  private mutating func number(below bound: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int((mixed ^ (mixed >> 31)) % UInt64(max(1, bound)))
  }

  /// The next one: a file of the corpus with some changes.
  mutating func next() -> [UInt8] {
    var bytes = corpus[number(below: corpus.count)]
    for _ in 0...number(below: 4) { change(&bytes) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    let start = number(below: bytes.count)
    let end = min(bytes.count, start + 1 + number(below: 16))
    switch number(below: 8) {
    case 0 where !bytes.isEmpty: bytes[start] ^= 1 << UInt8(number(below: 8))
    case 1 where !bytes.isEmpty: bytes[start] = UInt8(number(below: 256))
    case 2: bytes.removeSubrange(start..<max(start, end))
    case 3 where !bytes.isEmpty: bytes.insert(contentsOf: bytes[start..<end], at: start)
    case 4: bytes.removeSubrange(start...)
    case 5:
      let other = corpus[number(below: corpus.count)]
      bytes = Array(bytes[..<start]) + other[number(below: other.count)...]
    case 6: bytes.insert(contentsOf: Self.words[number(below: Self.words.count)], at: start)
    default:
      let word = Self.words[number(below: Self.words.count)]
      bytes.replaceSubrange(start..<min(bytes.count, start + word.count), with: word)
    }
  }
}
