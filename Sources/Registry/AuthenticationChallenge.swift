/// One way to prove who asks, as a server offers it in `WWW-Authenticate` (RFC 9110, section 11.6.1).
struct AuthenticationChallenge: Equatable, Sendable {
  /// The scheme in lower case: `bearer`, `basic`.
  let scheme: String
  /// The parameters; names in lower case.
  var parameters: [String: String] = [:]

  /// Reads the fields of an answer. One field may have several challenges, and there may be several fields; what
  /// is malformed ends its field.
  static func parse(_ fields: [String]) -> [AuthenticationChallenge] {
    fields.flatMap { field in
      var scanner = FieldScanner(field)
      var challenges: [AuthenticationChallenge] = []
      while let word = scanner.word() {
        if scanner.takeEquals() {
          guard let value = scanner.value(), !challenges.isEmpty else { return challenges }
          challenges[challenges.count - 1].parameters[word.lowercased()] = value
        } else {
          challenges.append(AuthenticationChallenge(scheme: word.lowercased()))
        }
      }
      return challenges
    }
  }
}

/// Walks through the text of a field.
private struct FieldScanner {
  private let bytes: [UInt8]
  private var position = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  /// The next token, past blanks and commas; some registries write semicolons.
  mutating func word() -> String? {
    skip { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") || Self.isBlank($0) }
    return token(Self.isTokenByte)
  }

  /// Whether an equals sign follows; blanks around it are passed over.
  mutating func takeEquals() -> Bool {
    let start = position
    skip(while: Self.isBlank)
    guard position < bytes.count, bytes[position] == UInt8(ascii: "=") else {
      position = start
      return false
    }
    position += 1
    skip(while: Self.isBlank)
    return true
  }

  /// A token or a quoted string. What is not quoted has every character in practice, up to the next comma or blank.
  mutating func value() -> String? {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
      let text = token { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: ";") && !Self.isBlank($0) }
      guard let text, text.utf8.count > 1, text.hasPrefix("'"), text.hasSuffix("'") else { return text }
      return String(text.dropFirst().dropLast())
    }
    position += 1
    var text: [UInt8] = []
    while position < bytes.count {
      var byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
      if byte == UInt8(ascii: "\\") {
        guard position < bytes.count else { return nil }
        byte = bytes[position]
        position += 1
      }
      text.append(byte)
    }
    return nil
  }

  private mutating func token(_ isPart: (UInt8) -> Bool) -> String? {
    let start = position
    skip(while: isPart)
    return position == start ? nil : String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func skip(while condition: (UInt8) -> Bool) {
    while position < bytes.count, condition(bytes[position]) { position += 1 }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  /// `tchar` of RFC 9110, section 5.6.2, and `/`, which unquoted values have in practice.
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
      || "!#$%&'*+-.^_`|~/:".utf8.contains(byte)
  }
}
