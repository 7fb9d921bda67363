extension TOMLReader {
  mutating func member(depth: Int) throws(TOMLError) -> TOMLTable.Member {
    if current == UInt8(ascii: "{") { return .table(try inlineTable(depth: depth)) }
    return .value(try value(depth: depth))
  }

  mutating func value(depth: Int) throws(TOMLError) -> TOMLValue {
    guard depth < Self.deepest else { throw failure("it is nested without end") }
    switch current {
    case UInt8(ascii: "\""): return .text(try basicText(isMultiline: starts(with: "\"\"\"")))
    case UInt8(ascii: "'"): return .text(try literalText(isMultiline: starts(with: "'''")))
    case UInt8(ascii: "["): return .list(try list(depth: depth))
    case UInt8(ascii: "{"): return try inlineTable(depth: depth).value
    default: return try word()
    }
  }

  private mutating func list(depth: Int) throws(TOMLError) -> [TOMLValue] {
    position += 1
    var values: [TOMLValue] = []
    while true {
      try skipLines()
      if take("]") { return values }
      values.append(try value(depth: depth + 1))
      try skipLines()
      if take(",") { continue }
      guard take("]") else { throw failure("a list does not end") }
      return values
    }
  }

  private mutating func inlineTable(depth: Int) throws(TOMLError) -> TOMLTable {
    guard depth < Self.deepest else { throw failure("it is nested without end") }
    position += 1
    let table = TOMLTable(.dotted)
    skipBlanks()
    if !take("}") {
      repeat {
        try keyAndValue(into: table, depth: depth + 1)
        skipBlanks()
      } while take(",")
      guard take("}") else { throw failure("a table in braces does not end") }
    }
    Self.close(table)
    return table
  }

  /// Nobody may add to a table in braces.
  private static func close(_ table: TOMLTable) {
    table.origin = .inline
    for case .table(let inner) in table.members.values { close(inner) }
  }

  /// A boolean, a number or a date.
  private mutating func word() throws(TOMLError) -> TOMLValue {
    func isPart(_ byte: UInt8) -> Bool { Self.isBare(byte) || byte == 0x2b || byte == 0x2e || byte == 0x3a }
    let start = position
    while let byte = current, isPart(byte) { position += 1 }
    // Between date and time there may be a blank.
    if position - start == 10, bytes[start + 4] == 0x2d, current == 0x20, position + 3 < bytes.count,
      (0x30...0x39).contains(bytes[position + 1]), bytes[position + 3] == 0x3a
    {
      position += 1
      while let byte = current, isPart(byte) { position += 1 }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let value = Self.value(text) else {
      throw failure(
        text.isEmpty ? "a value is missing" : "\"\(text)\" is no value; texts stand in quotation marks")
    }
    return value
  }

  private static func value(_ text: String) -> TOMLValue? {
    switch text {
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    case "inf", "+inf": return .number(.infinity)
    case "-inf": return .number(-.infinity)
    case "nan", "+nan", "-nan": return .number(.nan)
    default: break
    }
    let plain = text.filter { $0 != "_" }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where plain.hasPrefix(prefix) {
      return Int64(plain.dropFirst(2), radix: radix).map { .integer($0) }
    }
    if let number = Int64(plain) { return .integer(number) }
    guard let first = plain.unicodeScalars.first, "0123456789+-".unicodeScalars.contains(first) else {
      return nil
    }
    if text.contains(":") || text.split(separator: "-", omittingEmptySubsequences: false).count == 3,
      (0x30...0x39).contains(first.value)
    {
      return .date(text)
    }
    return Double(plain).map { .number($0) }
  }
}

// MARK: Texts

extension TOMLReader {
  mutating func literalText(isMultiline: Bool) throws(TOMLError) -> String {
    try quoted(UInt8(ascii: "'"), isMultiline: isMultiline, hasEscapes: false)
  }

  mutating func basicText(isMultiline: Bool) throws(TOMLError) -> String {
    try quoted(UInt8(ascii: "\""), isMultiline: isMultiline, hasEscapes: true)
  }

  private mutating func quoted(
    _ mark: UInt8, isMultiline: Bool, hasEscapes: Bool
  ) throws(TOMLError) -> String {
    position += isMultiline ? 3 : 1
    if isMultiline { _ = try newline() }
    var text: [UInt8] = []
    while let byte = current {
      if byte == mark {
        let count = bytes[position...].prefix { $0 == mark }.count
        if !isMultiline || count >= 3 {
          // Up to two marks may stand before those that end it.
          let inside = isMultiline ? min(count, 5) - 3 : 0
          text += Array(repeating: mark, count: inside)
          position += inside + (isMultiline ? 3 : 1)
          return String(decoding: text, as: UTF8.self)
        }
        text.append(byte)
        position += 1
      } else if byte == UInt8(ascii: "\\"), hasEscapes {
        position += 1
        try escape(into: &text, isMultiline: isMultiline)
      } else if byte == 0x0a || byte == 0x0d {
        guard isMultiline else { throw failure("a text does not end") }
        guard try newline() else { throw failure("a text does not end") }
        text.append(0x0a)
      } else {
        text.append(byte)
        position += 1
      }
    }
    throw failure("a text does not end")
  }

  private mutating func escape(into text: inout [UInt8], isMultiline: Bool) throws(TOMLError) {
    guard let byte = current else { throw failure("a text does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "e"): text.append(0x1b)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let length = byte == UInt8(ascii: "u") ? 4 : 8
      let digits = String(decoding: bytes[position...].prefix(length), as: UTF8.self)
      guard digits.utf8.count == length, let code = UInt32(digits, radix: 16),
        let scalar = Unicode.Scalar(code)
      else { throw failure("\"\\\(Character(Unicode.Scalar(byte)))\(digits)\" is no character") }
      text += Array(String(Character(scalar)).utf8)
      position += length
    case 0x20, 0x09, 0x0a, 0x0d:
      // A backslash at the end of a line takes the white space behind it away.
      guard isMultiline else { throw failure("a text does not end") }
      position -= 1
      let start = line
      while true {
        skipBlanks()
        guard try newline() else { break }
      }
      guard line > start else { throw failure("a backslash has no meaning before a blank") }
    default: throw failure("a backslash has no meaning before \"\(Character(Unicode.Scalar(byte)))\"")
    }
  }
}
