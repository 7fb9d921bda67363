import Files

/// A command line as one would type it in a POSIX shell, without the credentials of URLs in it.
func shellCommandLine(_ words: [String]) -> String {
  words.map { shellQuoted(hidingCredentials($0)) }.joined(separator: " ")
}

/// A word that a POSIX shell reads back as exactly that text.
public func shellQuoted(_ word: String) -> String {
  let plain = word.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-_./:=@%+,".utf8.contains(byte)
    }
  }
  if plain, !word.isEmpty { return word }
  return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}

/// The text with the user information of every URL in it replaced by `***`: `https://***@host/`; and so is what may be
/// secret in its query.
///
/// User information ends at the last `@` before the path, query or fragment (RFC 3986, section 3.2).
public func hidingCredentials(_ text: String) -> String {
  let separator = Array("://".utf8)
  let bytes = Array(text.utf8)
  var result: [UInt8] = []
  result.reserveCapacity(bytes.count)
  var position = 0
  while position < bytes.count {
    guard bytes[position...].starts(with: separator) else {
      result.append(bytes[position])
      position += 1
      continue
    }
    result += separator
    position += separator.count
    let authority = bytes[position...].prefix { $0 > 0x20 && !"/?#\"'<>".utf8.contains($0) }
    if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
      result += "***".utf8
      position = at
    }
  }
  return maskingQuerySecrets(in: String(decoding: result, as: UTF8.self))
}
