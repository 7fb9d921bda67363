/// A text as a part of a URL: what is neither a letter, a digit nor one of `-._~` is written by its bytes
/// (RFC 3986, section 2.3). The characters of `kept` stay as they are, too.
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

/// What a part of a URL stands for (RFC 3986, section 2.1); `nil` when a `%` is not followed by two hexadecimal digits, or
/// when the bytes are not UTF-8.
public func percentDecoded(_ text: some StringProtocol) -> String? {
  var decoded: [UInt8] = []
  var bytes = text.utf8.makeIterator()
  while let byte = bytes.next() {
    guard byte == UInt8(ascii: "%") else {
      decoded.append(byte)
      continue
    }
    guard let high = bytes.next().flatMap(hexadecimalValue), let low = bytes.next().flatMap(hexadecimalValue)
    else { return nil }
    decoded.append(high << 4 | low)
  }
  return String(validating: decoded, as: UTF8.self)
}

private func hexadecimalValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
