/// Why bytes are not a key or a signature of OpenSSH that this module can use, or why a signature does not hold.
public enum SSHError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The text is longer than any key or signature; the limit is in bytes.
  case tooLong(limit: Int)
  /// The text does not consist of that header, base64 and the footer that belongs to it, and nothing else.
  case notArmored(header: String)
  /// The text between header and footer, or of a public key, is not base64 in its one correct form.
  case notBase64
  /// The bytes end inside a field, or a length leads past their end.
  case truncated
  /// Something follows the last field.
  case trailingBytes
  /// A field that must be text has control characters or is not UTF-8.
  case notText
  /// The bytes do not begin with that word.
  case wrongMagic(expected: String)

  /// The text is not a line with the type of a key and its base64.
  case notPublicKeyLine
  /// A key of another type than `ssh-ed25519` and `sk-ssh-ed25519@openssh.com`.
  case unsupportedKeyType(String)
  /// The line names another type than its base64.
  case keyTypeMismatch(line: String, blob: String)
  /// An Ed25519 key has 32 bytes (RFC 8709, section 4), this one another number.
  case keyLength(Int)
  /// The private key is protected by a passphrase; only OpenSSH's own tools can use it.
  case encryptedKey(cipher: String)
  /// The private key is in a hardware security key; only OpenSSH's own tools can use it.
  case securityKey
  /// The file has another number of keys than one.
  case keyCount(UInt32)
  /// The halves of the private key, its check numbers or its padding contradict one another.
  case damagedKey

  /// The signature has another version than 1.
  case unsupportedVersion(UInt32)
  /// The namespace is the empty text.
  case emptyNamespace
  /// The reserved field has content, which no signature covers.
  case reservedFieldInUse
  /// The hash algorithm is neither `sha256` nor `sha512`.
  case unsupportedHash(String)
  /// The inner signature is of another type than the key.
  case signatureTypeMismatch(key: String, signature: String)
  /// An Ed25519 signature has 64 bytes (RFC 8709, section 6), this one another number.
  case signatureLength(Int)
  /// The signature is for another purpose.
  case wrongNamespace(found: String, expected: String)
  /// The key did not sign these bytes.
  case wrongSignature
  /// The cryptographic library made no signature.
  case signingFailed

  /// A sentence for people.
  public var description: String {
    switch self {
    case .tooLong(let limit): "it is longer than \(limit) bytes"
    case .notArmored(let header): "it is not exactly one \"\(header)\" text"
    case .notBase64: "its base64 is not correct"
    case .truncated: "it is cut off, or a length in it is wrong"
    case .trailingBytes: "something follows its end"
    case .notText: "a name in it has control characters or is not UTF-8"
    case .wrongMagic(let expected): "it does not begin with \"\(expected)\""
    case .notPublicKeyLine: "it is not a line with a key type and its base64"
    case .unsupportedKeyType(let type):
      "\"\(type)\" keys are not supported; ssh-ed25519 and sk-ssh-ed25519@openssh.com are"
    case .keyTypeMismatch(let line, let blob): "the line says \"\(line)\", its base64 \"\(blob)\""
    case .keyLength(let count): "an Ed25519 key has 32 bytes, this one \(count)"
    case .encryptedKey(let cipher): "the private key is encrypted with a passphrase (\(cipher))"
    case .securityKey: "the private key is in a hardware security key"
    case .keyCount(let count): "the file has \(count) keys instead of one"
    case .damagedKey: "the private key is damaged: its parts contradict one another"
    case .unsupportedVersion(let version): "version \(version) of the signature format is not supported"
    case .emptyNamespace: "the namespace is empty"
    case .reservedFieldInUse: "its reserved field has content that the signature does not cover"
    case .unsupportedHash(let name): "the hash \"\(name)\" is not supported; sha256 and sha512 are"
    case .signatureTypeMismatch(let key, let signature):
      "the key is of type \"\(key)\", the signature of type \"\(signature)\""
    case .signatureLength(let count): "an Ed25519 signature has 64 bytes, this one \(count)"
    case .wrongNamespace(let found, let expected):
      "it is a signature for \"\(found)\", not for \"\(expected)\""
    case .wrongSignature: "the key did not sign these bytes"
    case .signingFailed: "the cryptographic library made no signature"
    }
  }
}
