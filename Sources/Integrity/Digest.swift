/// A content digest as the OCI image specification writes it: `algorithm:hex`.
///
/// Source: OCI image-spec, descriptor.md, "Digests". Kubespray's checksums.yml uses the same form.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
  /// The hash function.
  public let algorithm: DigestAlgorithm
  /// The value in lower-case hexadecimal.
  public let hex: String

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
    let lowered = hex.lowercased()
    guard lowered.utf8.count == algorithm.byteCount * 2, lowered.utf8.allSatisfy(Self.isLowerHex) else {
      throw .malformed("\(algorithm.rawValue):\(hex)")
    }
    self.algorithm = algorithm
    self.hex = lowered
  }

  /// Makes a digest of the bytes that a hash function returned.
  init(algorithm: DigestAlgorithm, bytes: some Sequence<UInt8>) {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(algorithm.byteCount * 2)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 0xf)])
    }
    self.algorithm = algorithm
    self.hex = String(decoding: text, as: UTF8.self)
  }

  /// The canonical text, `algorithm:hex`.
  public var description: String { "\(algorithm.rawValue):\(hex)" }

  private static func isLowerHex(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
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
