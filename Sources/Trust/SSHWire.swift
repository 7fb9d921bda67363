/// Takes fields of SSH's wire encoding (RFC 4251, section 5) off the front of bytes.
///
/// No length in the bytes is believed before it has been compared with what is there.
struct SSHWireReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  /// The next bytes, exactly so many.
  mutating func take(_ count: Int) throws(SSHError) -> [UInt8] {
    guard count <= rest.count else { throw .truncated }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func byte() throws(SSHError) -> UInt8 {
    guard let byte = rest.popFirst() else { throw .truncated }
    return byte
  }

  mutating func uint32() throws(SSHError) -> UInt32 {
    try take(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// A `string`: its length, then its bytes.
  mutating func string() throws(SSHError) -> [UInt8] {
    guard let count = Int(exactly: try uint32()) else { throw .truncated }
    return try take(count)
  }

  /// A `string` that is a name: UTF-8 without control characters.
  mutating func text() throws(SSHError) -> String {
    guard let text = String(printable: try string()) else { throw .notText }
    return text
  }

  /// Consumes a fixed word that tells what the bytes are.
  mutating func magic(_ word: String) throws(SSHError) {
    guard rest.starts(with: word.utf8) else { throw .wrongMagic(expected: word) }
    rest = rest.dropFirst(word.utf8.count)
  }

  /// What was not taken yet.
  mutating func remainder() -> [UInt8] {
    defer { rest = [] }
    return Array(rest)
  }

  /// Confirms that nothing is left.
  func end() throws(SSHError) {
    guard rest.isEmpty else { throw .trailingBytes }
  }
}

/// Puts fields together in SSH's wire encoding (RFC 4251, section 5).
struct SSHWireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func raw(_ content: some Sequence<UInt8>) { bytes += content }

  mutating func uint32(_ value: UInt32) {
    withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
  }

  /// A `string`; what is written here is far below its limit of 4 GiB.
  mutating func string(_ content: some Collection<UInt8>) {
    uint32(UInt32(content.count))
    bytes += content
  }
}

extension String {
  /// The text of bytes; nil when they are not UTF-8 or hold control characters of ASCII.
  init?(printable bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }), let text = String(validating: bytes, as: UTF8.self)
    else { return nil }
    self = text
  }
}
