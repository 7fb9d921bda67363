/// A text as a part of a URL: what is neither a letter, a digit nor one of `-._~` is written by its bytes
/// (RFC 3986, section 2.3).
///
/// - Parameter kept: More characters that stay as they are.
public func percentEncoded(_ text: String, keeping kept: String = "") -> String {
  let plain = "0123456789-._~\(kept)".unicodeScalars
  return text.utf8.reduce(into: "") { result, byte in
    let scalar = Unicode.Scalar(byte)
    if scalar.isASCII, scalar.properties.isAlphabetic || plain.contains(scalar) {
      result.unicodeScalars.append(scalar)
    } else {
      let hex = String(byte, radix: 16, uppercase: true)
      result += "%" + (hex.count < 2 ? "0" : "") + hex
    }
  }
}

/// What a part of a URL stands for (RFC 3986, section 2.1); `nil` when a `%` is not followed by two hexadecimal digits.
public func percentDecoded(_ text: some StringProtocol) -> String? {
  var decoded: [UInt8] = []
  var bytes = text.utf8.makeIterator()
  while let byte = bytes.next() {
    guard byte == UInt8(ascii: "%") else {
      decoded.append(byte)
      continue
    }
    let digits = String(decoding: [bytes.next(), bytes.next()].compactMap(\.self), as: UTF8.self)
    guard digits.utf8.count == 2, let escaped = UInt8(digits, radix: 16) else { return nil }
    decoded.append(escaped)
  }
  return String(decoding: decoded, as: UTF8.self)
}
