import FoundationEssentials

/// A JSON object as somebody has written it, to which something can be added while every other byte stays.
struct JSONObjectText {
  private struct Member {
    let key: String
    /// Where the key begins.
    let start: Int
    let value: Range<Int>
  }

  /// The byte order mark of UTF-8, with which JSON should not begin, and with which readers may bear (RFC 8259, section
  /// 8.1).
  private static let mark: [UInt8] = [0xef, 0xbb, 0xbf]

  /// The mark that the text begins with, if it does: dockerd passes over it, and it stays.
  private let start: [UInt8]
  private let bytes: [UInt8]
  private let isBlank: Bool
  private var members: [Member] = []

  /// Reads an object; nothing at all is an empty one.
  ///
  /// - Throws: ``JSONTextError`` when it is not a JSON object.
  init(_ text: [UInt8]) throws(JSONTextError) {
    start = text.starts(with: Self.mark) ? Self.mark : []
    let bytes = Array(text.dropFirst(start.count))
    self.bytes = bytes
    isBlank = bytes.allSatisfy(Self.isSpace)
    if isBlank { return }
    // Foundation also reads UTF-16 and UTF-32, in which no place is where it is looked for below.
    guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
      throw JSONTextError(reason: "it is not UTF-8")
    }
    // Foundation passes over a second mark, which is none.
    guard bytes[skipSpace(0)] == UInt8(ascii: "{") else {
      throw JSONTextError(reason: "it is not a JSON object")
    }
    do {
      _ = try JSONDecoder().decode([String: AnyJSON].self, from: Data(bytes))
    } catch {
      throw JSONTextError(reason: "it is not a JSON object")
    }
    // Foundation lets a comma before a closing bracket pass; dockerd does not.
    guard !hasTrailingComma else { throw JSONTextError(reason: "it has a comma before a closing bracket") }
    var position = skipSpace(0) + 1
    while true {
      position = skipSpace(position)
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { break }
      let start = position
      position = end(of: start)
      let key = (try? JSONDecoder().decode(String.self, from: Data(bytes[start..<position]))) ?? ""
      position = skipSpace(skipSpace(position) + 1)
      let value = position..<end(of: position)
      members.append(Member(key: key, start: start, value: value))
      position = skipSpace(value.upperBound)
      guard position < bytes.count, bytes[position] == UInt8(ascii: ",") else { break }
      position += 1
    }
  }

  /// The names in the list of that key; `nil` when there is no such list.
  func names(of key: String) -> [String]? {
    guard let member = members.last(where: { $0.key == key }) else { return nil }
    return try? JSONDecoder().decode([String].self, from: Data(bytes[member.value]))
  }

  /// The same text with other names in the list of that key, which must be there.
  func replacing(_ names: [String], of key: String) -> [UInt8] {
    guard let member = members.last(where: { $0.key == key }) else { return start + bytes }
    let list = "[" + names.map(Self.quoted).joined(separator: ", ") + "]"
    return start + bytes[..<member.value.lowerBound] + Array(list.utf8) + bytes[member.value.upperBound...]
  }

  /// The same text with a name in the list of that key; unchanged when it is there.
  ///
  /// - Throws: ``JSONTextError`` when the key has another value than a list of texts.
  func adding(_ name: String, to key: String) throws(JSONTextError) -> [UInt8] {
    let quoted = Self.quoted(name)
    if isBlank { return start + Array("{\n  \"\(key)\": [\(quoted)]\n}\n".utf8) }
    guard let member = members.last(where: { $0.key == key }) else {
      let text = "\"\(key)\": [\(quoted)]"
      guard let last = members.last else { return inserting(text, at: skipSpace(0) + 1) }
      return inserting(
        "," + space(before: last.start, isOnly: members.count == 1) + text, at: last.value.upperBound)
    }
    let slice = Data(bytes[member.value])
    let isNull = slice.elementsEqual("null".utf8)
    guard let names = isNull ? [] : try? JSONDecoder().decode([String].self, from: slice) else {
      throw JSONTextError(reason: "the value of \"\(key)\" is not a list of names")
    }
    if names.contains(name) { return start + bytes }
    guard let last = elements(of: member.value).last else {
      return start + bytes[..<member.value.lowerBound] + Array("[\(quoted)]".utf8)
        + bytes[member.value.upperBound...]
    }
    return inserting(
      "," + space(before: last.lowerBound, isOnly: names.count == 1) + quoted, at: last.upperBound)
  }

  private var hasTrailingComma: Bool {
    var position = 0
    var isAfterComma = false
    while position < bytes.count {
      let byte = bytes[position]
      if isAfterComma, "]}".utf8.contains(byte) { return true }
      if !Self.isSpace(byte) { isAfterComma = byte == UInt8(ascii: ",") }
      position = byte == UInt8(ascii: "\"") ? end(of: position) : position + 1
    }
    return false
  }

  private static func quoted(_ name: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    // A text is always encoded.
    return (try? encoder.encode(name)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }

  // MARK: Positions in a text that is known to be JSON

  private func inserting(_ text: String, at position: Int) -> [UInt8] {
    start + bytes[..<position] + Array(text.utf8) + bytes[position...]
  }

  /// The white space before a place, by which the next one of its kind is set off too.
  private func space(before position: Int, isOnly: Bool) -> String {
    var start = position
    while start > 0, Self.isSpace(bytes[start - 1]) { start -= 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    return isOnly && !text.utf8.contains(UInt8(ascii: "\n")) ? " " : text
  }

  private func elements(of array: Range<Int>) -> [Range<Int>] {
    var found: [Range<Int>] = []
    guard bytes[array.lowerBound] == UInt8(ascii: "[") else { return [] }
    var position = skipSpace(array.lowerBound + 1)
    while position < array.upperBound - 1 {
      let end = end(of: position)
      found.append(position..<end)
      position = skipSpace(end)
      guard bytes[position] == UInt8(ascii: ",") else { break }
      position = skipSpace(position + 1)
    }
    return found
  }

  private func skipSpace(_ start: Int) -> Int {
    bytes[start...].firstIndex { !Self.isSpace($0) } ?? bytes.count
  }

  /// Where the value ends that begins there.
  private func end(of start: Int) -> Int {
    var position = start
    var depth = 0
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
          position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      position += 1
      guard depth == 0 else { continue }
      let first = bytes[start]
      if "\"{[".utf8.contains(first) { return position }
      // A number or word goes on until something that is none of it.
      guard position < bytes.count, !Self.isSpace(bytes[position]), !",]}".utf8.contains(bytes[position])
      else { return position }
    }
    return bytes.count
  }

  private static func isSpace(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }
}

/// Why a text cannot be added to.
struct JSONTextError: Error {
  /// What is wrong with it.
  let reason: String
}

/// Anything that is JSON.
private struct AnyJSON: Decodable {
  init(from decoder: any Decoder) throws {
    if var list = try? decoder.unkeyedContainer() {
      while !list.isAtEnd { _ = try list.decode(AnyJSON.self) }
    } else if let object = try? decoder.container(keyedBy: AnyKey.self) {
      for key in object.allKeys { _ = try object.decode(AnyJSON.self, forKey: key) }
    }
  }

  private struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int? = nil
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
