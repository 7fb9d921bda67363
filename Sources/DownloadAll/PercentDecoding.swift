/// What a part of a URL stands for (RFC 3986, section 2.1); `nil` when a `%` is not followed by two hexadecimal digits.
func percentDecoded(_ text: some StringProtocol) -> String? {
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
