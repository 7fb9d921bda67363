/// A content digest as the OCI image specification writes it: `algorithm:hex`.
///
/// Source: OCI image-spec, descriptor.md, "Digests". Kubespray's checksums.yml uses the same form.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
  /// The bits of a value lie in it and not beside it: a manifest may have hundreds of thousands of digests.
  private enum Value: Hashable, Sendable {
    case sha256(UInt64, UInt64, UInt64, UInt64)
    case sha512([UInt64])
  }

  private let value: Value

  /// The hash function.
  public var algorithm: DigestAlgorithm {
    switch value {
    case .sha256: .sha256
    case .sha512: .sha512
    }
  }

  /// The value in lower-case hexadecimal.
  public var hex: String {
    switch value {
    case .sha256(let first, let second, let third, let fourth): Self.hex([first, second, third, fourth])
    case .sha512(let words): Self.hex(words)
    }
  }

  /// Parses `sha256:…` or `sha512:…`; upper-case hexadecimal is accepted and lowered.
  ///
  /// - Throws: ``DigestError`` when the algorithm is unknown or the value has the wrong length or characters.
  public init(_ text: String) throws(DigestError) {
    guard let colon = text.firstIndex(of: ":") else { throw .malformed(text) }
    guard let algorithm = DigestAlgorithm(rawValue: String(text[..<colon])) else {
      throw .unknownAlgorithm(text)
    }
    try self.init(algorithm: algorithm, hex: String(text[text.index(after: colon)...]))
  }

  /// Makes a digest of a bare hexadecimal value.
  ///
  /// - Throws: ``DigestError/malformed(_:)`` when the length or a character does not fit the algorithm.
  public init(algorithm: DigestAlgorithm, hex: String) throws(DigestError) {
    let digits = Array(hex.utf8)
    guard let digest = Digest(algorithm, digits: digits.span) else {
      throw .malformed("\(algorithm.rawValue):\(hex)")
    }
    self = digest
  }

  /// Makes a digest of `sha256:` and 64 hexadecimal digits; `nil` for any other text, also where ``init(_:)`` would take it.
  public init?(sha256 text: Span<UInt8>) {
    let prefix: StaticString = "sha256:"
    let length = prefix.utf8CodeUnitCount
    guard text.count > length else { return nil }
    for index in 0..<length where text[index] != prefix.withUTF8Buffer({ $0[index] }) { return nil }
    self.init(.sha256, digits: text.extracting(length..<text.count))
  }

  /// Makes a digest of the bytes that a hash function returned.
  init(algorithm: DigestAlgorithm, bytes: some Sequence<UInt8>) {
    var words = [UInt64](repeating: 0, count: algorithm.byteCount / 8)
    for (index, byte) in zip(0..<algorithm.byteCount, bytes) {
      words[index / 8] = words[index / 8] << 8 | UInt64(byte)
    }
    self.init(algorithm, words)
  }

  private init?(_ algorithm: DigestAlgorithm, digits: Span<UInt8>) {
    guard digits.count == algorithm.byteCount * 2 else { return nil }
    var words = [UInt64](repeating: 0, count: algorithm.byteCount / 8)
    for index in digits.indices {
      guard let digit = Self.number(digits[index]) else { return nil }
      words[index / 16] = words[index / 16] << 4 | digit
    }
    self.init(algorithm, words)
  }

  /// - Parameter words: As many as the algorithm has.
  private init(_ algorithm: DigestAlgorithm, _ words: [UInt64]) {
    value = algorithm == .sha256 ? .sha256(words[0], words[1], words[2], words[3]) : .sha512(words)
  }

  /// The canonical text, `algorithm:hex`.
  public var description: String { "\(algorithm.rawValue):\(hex)" }

  private static func number(_ digit: UInt8) -> UInt64? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(digit - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(digit - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(digit - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  private static func hex(_ words: [UInt64]) -> String {
    let digits: StaticString = "0123456789abcdef"
    return digits.withUTF8Buffer { digits in
      String(unsafeUninitializedCapacity: words.count * 16) { text in
        for (index, word) in words.enumerated() {
          for place in 0..<16 { text[index * 16 + place] = digits[Int(word >> UInt64(60 - place * 4) & 0xF)] }
        }
        return words.count * 16
      }
    }
  }
}

extension Digest: Comparable {
  /// In order of the values, those of SHA-256 first.
  public static func < (left: Digest, right: Digest) -> Bool {
    switch (left.value, right.value) {
    case (
      .sha256(let left0, let left1, let left2, let left3),
      .sha256(let right0, let right1, let right2, let right3)
    ):
      (left0, left1, left2, left3) < (right0, right1, right2, right3)
    case (.sha512(let left), .sha512(let right)): left.lexicographicallyPrecedes(right)
    case (.sha256, .sha512): true
    case (.sha512, .sha256): false
    }
  }
}

extension Digest: Codable {
  /// Decodes the canonical text.
  public init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Encodes the canonical text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// The hash functions that registries, kubespray and package repositories use and that are still trusted.
public enum DigestAlgorithm: String, Sendable, CaseIterable, Codable {
  case sha256
  case sha512

  /// The length of a value, in bytes.
  public var byteCount: Int {
    switch self {
    case .sha256: 32
    case .sha512: 64
    }
  }
}

/// Why a text is not a digest.
public enum DigestError: Error, Equatable, CustomStringConvertible {
  /// The text has no known algorithm in front.
  case unknownAlgorithm(String)
  /// The value has the wrong length or characters that are not hexadecimal.
  case malformed(String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .unknownAlgorithm(let text):
      "\"\(text)\" is not a digest this program can check: it knows sha256 and sha512"
    case .malformed(let text):
      "\"\(text)\" is not a digest: expected sha256: and 64 hexadecimal digits, or sha512: and 128"
    }
  }
}
