/// Checks that bytes are exactly one JSON text (RFC 8259) that every reader understands alike.
///
/// Foundation's decoder takes an object in which a key is there twice, and uses one of the values; other readers use the
/// other (RFC 8259, section 4). It also takes other encodings than UTF-8. Both are refused here, before it decodes.
/// Memory is bounded by the keys of the objects that are open.
struct JSONSyntax {
  /// Why bytes are refused.
  enum Failure: Error, Equatable, CustomStringConvertible {
    /// There are none, or only zero bytes, as a file system leaves them that was not unmounted.
    case blank
    /// They end in the middle, as a file does whose copy was interrupted.
    case cutOff
    /// They are not JSON.
    case malformed
    /// The key is there twice in one object.
    case repeatedKey(String)
    /// A key is not written as plain text.
    case escapedKey
    /// Objects and arrays lie deeper in each other than that.
    case tooDeep(Int)

    var description: String {
      switch self {
      case .blank: "it is empty or has only zero bytes: it was never written to the end"
      case .cutOff: "it is cut off: its JSON ends in the middle"
      case .malformed: "it is not JSON"
      case .repeatedKey(let key): "the key \"\(key)\" is there twice"
      case .escapedKey: "a key is written with a backslash"
      case .tooDeep(let depth): "its objects and arrays are nested deeper than \(depth)"
      }
    }
  }

  private let bytes: [UInt8]
  private let depth: Int
  private var position = 0
  /// Whether every string so far is UTF-8; bytes beyond ASCII are nowhere else.
  private var isUTF8 = true

  private init(_ bytes: [UInt8], depth: Int) {
    self.bytes = bytes
    self.depth = depth
  }

  /// Checks a text.
  ///
  /// - Parameter depth: How many objects and arrays may lie in each other.
  /// - Throws: ``Failure``.
  static func check(_ bytes: [UInt8], depth: Int) throws(Failure) {
    guard bytes.contains(where: { $0 != 0 }) else { throw .blank }
    var syntax = JSONSyntax(bytes, depth: depth)
    do throws(Failure) {
      try syntax.value(at: 0)
    } catch {
      throw error == .malformed && syntax.isAtEnd ? .cutOff : error
    }
    syntax.skipBlanks()
    guard syntax.position == bytes.count else { throw .malformed }
    guard syntax.isUTF8 else { throw .malformed }
  }

  /// Whether nothing is left but the zero bytes that stand where a copy did not get to.
  private var isAtEnd: Bool { bytes[min(position, bytes.count)...].allSatisfy { $0 == 0 } }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  /// Passes over a character if it is there.
  private mutating func has(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(at level: Int) throws(Failure) {
    skipBlanks()
    switch next {
    case UInt8(ascii: "{"): try object(at: level + 1)
    case UInt8(ascii: "["): try array(at: level + 1)
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    default: try number()
    }
  }

  private mutating func object(at level: Int) throws(Failure) {
    guard level <= depth else { throw .tooDeep(depth) }
    position += 1
    var keys = JSONKeys()
    skipBlanks()
    if has("}") { return }
    repeat {
      skipBlanks()
      let key = try key()
      guard keys.insert(key, of: bytes) else {
        throw .repeatedKey(String(decoding: bytes[key], as: UTF8.self))
      }
      skipBlanks()
      guard has(":") else { throw .malformed }
      try value(at: level)
      skipBlanks()
    } while has(",")
    guard has("}") else { throw .malformed }
  }

  private mutating func array(at level: Int) throws(Failure) {
    guard level <= depth else { throw .tooDeep(depth) }
    position += 1
    skipBlanks()
    if has("]") { return }
    repeat {
      try value(at: level)
      skipBlanks()
    } while has(",")
    guard has("]") else { throw .malformed }
  }

  private mutating func key() throws(Failure) -> Range<Int> {
    let range = try string()
    guard !bytes[range].contains(UInt8(ascii: "\\")) else { throw .escapedKey }
    return range
  }

  /// Passes over a string and gives the place of what is between its quotation marks.
  private mutating func string() throws(Failure) -> Range<Int> {
    guard has("\"") else { throw .malformed }
    let start = position
    var isASCII = true
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        let range = start..<(position - 1)
        if !isASCII, isUTF8 { isUTF8 = String(validating: bytes[range], as: UTF8.self) != nil }
        return range
      case UInt8(ascii: "\\"): try escape()
      case 0..<0x20: throw .malformed
      case 0x80...: isASCII = false
      default: break
      }
    }
    throw .malformed
  }

  private mutating func escape() throws(Failure) {
    guard let byte = next else { throw .malformed }
    position += 1
    if byte == UInt8(ascii: "u") {
      for _ in 0..<4 {
        guard let digit = next,
          UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit
            || UInt8(ascii: "a")...UInt8(ascii: "f") ~= digit | 0x20
        else { throw .malformed }
        position += 1
      }
    } else if !"\"\\/bfnrt".utf8.contains(byte) {
      throw .malformed
    }
  }

  private mutating func word(_ word: StaticString) throws(Failure) {
    let end = min(position + word.utf8CodeUnitCount, bytes.count)
    guard word.withUTF8Buffer({ $0.starts(with: bytes[position..<end]) }) else { throw .malformed }
    let isWhole = end - position == word.utf8CodeUnitCount
    position = end
    guard isWhole else { throw .malformed }
  }

  /// RFC 8259, section 6: no leading zero, digits around the point.
  private mutating func number() throws(Failure) {
    _ = has("-")
    if !has("0") { try digits() }
    if has(".") { try digits() }
    if has("e") || has("E") {
      if !has("+") { _ = has("-") }
      try digits()
    }
  }

  private mutating func digits() throws(Failure) {
    let start = position
    while let byte = next, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { position += 1 }
    guard position > start else { throw .malformed }
  }
}

/// The keys of one object, by their places in the text.
private struct JSONKeys {
  /// So many are compared one by one, which takes less time than hashing them.
  private static let few = 16

  private var places: [Range<Int>] = []
  /// All of them, where there are many or one is not ASCII.
  private var texts: Set<String>?

  /// Adds a key, unless it is there.
  ///
  /// - Returns: Whether it was not: keys are compared as a dictionary does, so that two spellings of one accented letter
  ///   are one key.
  mutating func insert(_ key: Range<Int>, of bytes: [UInt8]) -> Bool {
    if texts == nil, places.count == Self.few || bytes[key].contains(where: { $0 >= 0x80 }) {
      texts = Set(places.map { String(decoding: bytes[$0], as: UTF8.self) })
    }
    guard texts == nil else {
      return texts?.insert(String(decoding: bytes[key], as: UTF8.self)).inserted ?? false
    }
    for place in places where place.count == key.count && bytes[place].elementsEqual(bytes[key]) {
      return false
    }
    places.append(key)
    return true
  }
}
