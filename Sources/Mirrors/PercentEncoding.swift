/// A text as a part of a URL: what is neither a letter, a digit nor one of `-._~` is written by its bytes
/// (RFC 3986, section 2.3).
///
/// - Parameter kept: More characters that stay as they are.
func percentEncoded(_ text: String, keeping kept: String = "") -> String {
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
