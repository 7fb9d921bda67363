import FoundationEssentials

/// The text form of OpenSSH's signatures and private keys: a header, base64 in lines, a footer.
///
/// Source: OpenSSH, PROTOCOL.sshsig, section 1. `ssh-keygen` ignores what follows the footer; here it is an
/// error, so that a file has no part that nobody signed.
struct SSHArmor {
  static let signature = SSHArmor(label: "SSH SIGNATURE")
  static let privateKey = SSHArmor(label: "OPENSSH PRIVATE KEY")

  /// The most bytes that are read; a signature or a key of Ed25519 has a few hundred.
  static let limit = 64 << 10

  /// What stands between `BEGIN` or `END` and the dashes.
  let label: String

  private var header: String { "-----BEGIN \(label)-----" }
  private var footer: String { "-----END \(label)-----" }

  /// The content of a text; lines may end as on Windows.
  func decode(_ text: [UInt8]) throws(SSHError) -> [UInt8] {
    guard text.count <= Self.limit else { throw .tooLong(limit: Self.limit) }
    var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
      line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    guard lines.count >= 2, lines.removeFirst().elementsEqual(header.utf8),
      lines.removeLast().elementsEqual(footer.utf8)
    else { throw .notArmored(header: header) }
    return try decodeBase64(Array(lines.joined()))
  }

  /// The text for a content, in lines of 70 characters as OpenSSH writes it.
  func encode(_ content: [UInt8]) -> String {
    var text = header + "\n"
    var rest = Data(content).base64EncodedString()[...]
    while !rest.isEmpty {
      text += rest.prefix(70) + "\n"
      rest = rest.dropFirst(70)
    }
    return text + footer + "\n"
  }
}

/// The bytes of a base64 text. Every content has one text only: with padding, without blanks or stray bits.
func decodeBase64(_ text: [UInt8]) throws(SSHError) -> [UInt8] {
  guard let data = Data(base64Encoded: Data(text)), data.base64EncodedData().elementsEqual(text) else {
    throw .notBase64
  }
  return Array(data)
}
