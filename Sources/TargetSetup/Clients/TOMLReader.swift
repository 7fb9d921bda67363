/// A table on the way to being read.
final class TOMLTable {
  /// How it came to be, on which it depends who may add to it.
  enum Origin {
    /// A longer header or a dotted key leads through it.
    case implied
    /// It has a header.
    case header
    /// A dotted key leads through it.
    case dotted
    /// It stands in braces, and is complete.
    case inline
  }

  enum Member {
    case value(TOMLValue)
    case table(TOMLTable)
    /// `[[name]]`, once or more.
    case tables([TOMLTable])
  }

  var members: [String: Member] = [:]
  var origin: Origin

  init(_ origin: Origin) { self.origin = origin }

  var value: TOMLValue {
    .table(
      members.mapValues { member in
        switch member {
        case .value(let value): value
        case .table(let table): table.value
        case .tables(let tables): .list(tables.map(\.value))
        }
      })
  }
}

/// Reads TOML byte by byte. By hand: the container engines' files are all that is read so, the libraries that a Swift
/// program could take are bindings to C++ of ten times this size, and a wrong file must be named by line.
struct TOMLReader {
  /// Lists and tables in braces may nest so deep.
  static let deepest = 64

  let bytes: [UInt8]
  var position = 0
  var line = 1

  init(_ bytes: [UInt8]) {
    self.bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
  }

  func failure(_ reason: String) -> TOMLError { TOMLError(line: line, reason: reason) }

  var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  func starts(with text: StaticString) -> Bool {
    text.withUTF8Buffer { bytes[position...].starts(with: $0) }
  }

  mutating func take(_ character: Character) -> Bool {
    guard let byte = character.asciiValue, current == byte else { return false }
    position += 1
    return true
  }

  // MARK: Lines

  mutating func document() throws(TOMLError) -> TOMLValue {
    guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
      throw failure("it is not UTF-8")
    }
    let root = TOMLTable(.header)
    var table = root
    while true {
      try skipLines()
      guard let byte = current else { return root.value }
      if byte == UInt8(ascii: "[") {
        table = try header(in: root)
      } else {
        try keyAndValue(into: table, depth: 0)
      }
      try endOfLine()
    }
  }

  mutating func skipBlanks() {
    while let byte = current, byte == 0x20 || byte == 0x09 { position += 1 }
  }

  /// Passes over blanks, comments and ends of lines.
  mutating func skipLines() throws(TOMLError) {
    while true {
      skipBlanks()
      if current == UInt8(ascii: "#") { skipComment() }
      guard try newline() else { return }
    }
  }

  private mutating func skipComment() {
    while let byte = current, byte != 0x0a { position += 1 }
  }

  mutating func newline() throws(TOMLError) -> Bool {
    if current == 0x0d {
      guard position + 1 == bytes.count || bytes[position + 1] == 0x0a else {
        throw failure("a line ends by a carriage return alone")
      }
      position += 1
      if current == nil { return true }
    }
    guard current == 0x0a else { return false }
    position += 1
    line += 1
    return true
  }

  private mutating func endOfLine() throws(TOMLError) {
    skipBlanks()
    if current == UInt8(ascii: "#") { skipComment() }
    if current != nil, try !newline() { throw failure("something stands behind the value") }
  }

  // MARK: Tables

  private mutating func header(in root: TOMLTable) throws(TOMLError) -> TOMLTable {
    position += 1
    let isList = take("[")
    let keys = try keys()
    guard take("]"), !isList || take("]") else { throw failure("the name of a table does not end") }
    var table = root
    for key in keys.dropLast() { table = try step(from: table, by: key, origin: .implied) }
    let last = keys[keys.count - 1]
    if isList {
      let new = TOMLTable(.header)
      switch table.members[last] {
      case nil: table.members[last] = .tables([new])
      case .tables(let others): table.members[last] = .tables(others + [new])
      default: throw failure("\"\(last)\" is not a list of tables")
      }
      return new
    }
    switch table.members[last] {
    case nil:
      let new = TOMLTable(.header)
      table.members[last] = .table(new)
      return new
    case .table(let present) where present.origin == .implied:
      present.origin = .header
      return present
    default: throw failure("\"\(last)\" is there twice")
    }
  }

  private func step(
    from table: TOMLTable, by key: String, origin: TOMLTable.Origin
  ) throws(TOMLError) -> TOMLTable {
    switch table.members[key] {
    case nil:
      let new = TOMLTable(origin)
      table.members[key] = .table(new)
      return new
    case .table(let present) where present.origin != .inline: return present
    case .tables(let tables):
      if origin == .implied, let last = tables.last { return last }
      throw failure("\"\(key)\" is a list of tables")
    default: throw failure("\"\(key)\" is no table that can be added to")
    }
  }

  mutating func keyAndValue(into table: TOMLTable, depth: Int) throws(TOMLError) {
    let keys = try keys()
    guard take("=") else { throw failure("a key has no value") }
    skipBlanks()
    let value = try member(depth: depth)
    var place = table
    for key in keys.dropLast() { place = try step(from: place, by: key, origin: .dotted) }
    guard place.members.updateValue(value, forKey: keys[keys.count - 1]) == nil else {
      throw failure("\"\(keys[keys.count - 1])\" is there twice")
    }
  }

  /// Names with dots between, and the blanks around them.
  private mutating func keys() throws(TOMLError) -> [String] {
    var keys: [String] = []
    repeat {
      skipBlanks()
      keys.append(try key())
      skipBlanks()
    } while take(".")
    return keys
  }

  private mutating func key() throws(TOMLError) -> String {
    switch current {
    case UInt8(ascii: "\""): return try basicText(isMultiline: false)
    case UInt8(ascii: "'"): return try literalText(isMultiline: false)
    default:
      let start = position
      while let byte = current, Self.isBare(byte) { position += 1 }
      guard position > start else { throw failure("a key is missing") }
      return String(decoding: bytes[start..<position], as: UTF8.self)
    }
  }

  static func isBare(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
      || byte == 0x2d || byte == 0x5f
  }
}
