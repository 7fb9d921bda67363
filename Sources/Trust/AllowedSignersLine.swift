extension AllowedSigners.Entry {
  typealias Reason = AllowedSignersError.Reason

  /// Parses a line; nil for an empty one and for a comment.
  init?(_ text: ArraySlice<UInt8>, number: Int) throws(AllowedSignersError.Reason) {
    var line = SignerLine(rest: text)
    line.skipBlanks()
    guard let first = line.rest.first, first != UInt8(ascii: "#") else { return nil }
    // For OpenSSH the line would end there.
    guard !text.contains(0) else { throw .notText }

    let principals = PatternList(text: try line.principals())
    guard principals.isUsable else { throw .longPattern }
    var options = SignerOptions()
    var type = try line.field()
    if !type.isEmpty, !SignerLine.isKeyType(type) {
      options = try SignerOptions(type)
      type = try line.field()
    }
    guard !type.isEmpty, let base64 = line.word() else { throw .missingKey }
    self.line = number
    principalList = principals
    key = try Self.key(type: type, base64: base64)
    namespaceList = options.namespaces
    validAfter = options.validAfter
    validBefore = options.validBefore
  }

  private static func key(type: String, base64: [UInt8]) throws(Reason) -> SSHPublicKey {
    do throws(SSHError) {
      return try SSHPublicKey(type: type, base64: base64)
    } catch {
      throw .key(error)
    }
  }
}

/// Takes the fields off the front of a line.
private struct SignerLine {
  var rest: ArraySlice<UInt8>

  private static let blanks: [UInt8] = Array(" \t\r".utf8)
  private static let quote = UInt8(ascii: "\"")

  /// Options begin with none of these; so the type of a key that is not supported is named as one.
  static func isKeyType(_ field: String) -> Bool {
    ["ssh-", "sk-", "ecdsa-", "webauthn-"].contains { field.hasPrefix($0) }
  }

  mutating func skipBlanks() { rest = rest.drop { Self.blanks.contains($0) } }

  /// The principals; quotation marks around all of them are not part of them.
  mutating func principals() throws(AllowedSignersError.Reason) -> String {
    guard rest.first == Self.quote else {
      guard let word = word(), !word.contains(Self.quote) else { throw .quotation }
      return try text(word)
    }
    let inside = rest.dropFirst().prefix { $0 != Self.quote }
    rest = rest.dropFirst(inside.count + 1)
    guard rest.popFirst() == Self.quote, rest.first.map(Self.blanks.contains) ?? true else {
      throw .quotation
    }
    skipBlanks()
    return try text(Array(inside))
  }

  /// A field in which blanks may stand between quotation marks; empty at the end of the line.
  mutating func field() throws(AllowedSignersError.Reason) -> String {
    var field: [UInt8] = []
    var isQuoted = false
    while let byte = rest.first, isQuoted || !Self.blanks.contains(byte) {
      rest.removeFirst()
      field.append(byte)
      if byte == UInt8(ascii: "\\"), rest.first == Self.quote {
        field.append(rest.removeFirst())
      } else if byte == Self.quote {
        isQuoted.toggle()
      }
    }
    guard !isQuoted else { throw .quotation }
    skipBlanks()
    return try text(field)
  }

  /// The bytes up to the next blank; nil at the end of the line.
  mutating func word() -> [UInt8]? {
    let word = Array(rest.prefix { !Self.blanks.contains($0) })
    rest = rest.dropFirst(word.count)
    skipBlanks()
    return word.isEmpty ? nil : word
  }

  private func text(_ bytes: [UInt8]) throws(AllowedSignersError.Reason) -> String {
    guard let text = String(printable: bytes) else { throw .notText }
    return text
  }
}

/// The options between principals and key; their names are the same in upper and lower case.
private struct SignerOptions {
  private(set) var namespaces: PatternList?
  private(set) var validAfter: Int64?
  private(set) var validBefore: Int64?

  init() {}

  init(_ text: String) throws(AllowedSignersError.Reason) {
    var rest = Array(text.utf8)[...]
    repeat {
      let written = String(decoding: rest.prefix { !"=,".utf8.contains($0) }, as: UTF8.self)
      let name = written.lowercased()
      guard name != "cert-authority" else { throw .certificateAuthority }
      guard ["namespaces", "valid-after", "valid-before"].contains(name) else {
        throw .unknownOption(written)
      }
      rest = rest.dropFirst(written.utf8.count)
      guard rest.popFirst() == UInt8(ascii: "="), let value = Self.quoted(&rest) else {
        throw .unquotedValue(option: name)
      }
      try set(name, value)
      guard rest.isEmpty || rest.first == UInt8(ascii: ",") else {
        throw .unknownOption(String(decoding: rest, as: UTF8.self))
      }
    } while rest.popFirst() != nil
    if let validAfter, let validBefore, validBefore <= validAfter { throw .emptyPeriod }
  }

  private mutating func set(_ name: String, _ value: String) throws(AllowedSignersError.Reason) {
    switch name {
    case "namespaces":
      guard namespaces == nil else { throw .repeatedOption(name) }
      let list = PatternList(text: value)
      guard list.isUsable else { throw .longPattern }
      namespaces = list
    case "valid-after":
      guard validAfter == nil else { throw .repeatedOption(name) }
      validAfter = try Self.time(value, of: name)
    default:
      guard validBefore == nil else { throw .repeatedOption(name) }
      validBefore = try Self.time(value, of: name)
    }
  }

  private static func time(_ value: String, of option: String) throws(AllowedSignersError.Reason) -> Int64 {
    guard let time = signerTime(value) else { throw .badTime(option: option, value: value) }
    return time
  }

  /// A value in quotation marks; inside, `\"` is one.
  private static func quoted(_ rest: inout ArraySlice<UInt8>) -> String? {
    let quote = UInt8(ascii: "\"")
    guard rest.popFirst() == quote else { return nil }
    var value: [UInt8] = []
    while let byte = rest.popFirst() {
      if byte == quote { return String(decoding: value, as: UTF8.self) }
      if byte == UInt8(ascii: "\\"), rest.first == quote {
        value.append(rest.removeFirst())
      } else {
        value.append(byte)
      }
    }
    return nil
  }
}
