import Crypto
import FoundationEssentials

/// An unencrypted Ed25519 private key in the file format of OpenSSH.
///
/// Source: OpenSSH, PROTOCOL.key. Keys with a passphrase, in an agent or in a security key are used through
/// `ssh-keygen -Y sign` instead; see ``SSHSignature``.
public struct OpenSSHPrivateKey: Sendable, CustomStringConvertible {
  let key: Curve25519.Signing.PrivateKey
  /// The public half.
  public let publicKey: SSHPublicKey
  /// What the file says about the key, often `user@host`.
  public let comment: String

  private init(_ key: Curve25519.Signing.PrivateKey, comment: String) throws(SSHError) {
    self.key = key
    self.publicKey = try SSHPublicKey(kind: .ed25519, point: Array(key.publicKey.rawRepresentation))
    self.comment = comment
  }

  /// Makes a new key.
  ///
  /// - Parameter comment: One line that says whose or what for the key is.
  /// - Throws: ``SSHError/notText`` when the comment has control characters.
  public static func generate(comment: String) throws(SSHError) -> OpenSSHPrivateKey {
    guard let comment = String(printable: comment.utf8) else { throw .notText }
    return try OpenSSHPrivateKey(Curve25519.Signing.PrivateKey(), comment: comment)
  }

  /// Parses the content of a private key file.
  ///
  /// - Throws: ``SSHError``; ``SSHError/encryptedKey(cipher:)``, ``SSHError/securityKey`` and
  ///   ``SSHError/unsupportedKeyType(_:)`` for keys that are intact and that only OpenSSH's tools can use.
  public init(armored: [UInt8]) throws(SSHError) {
    try self.init(blob: SSHArmor.privateKey.decode(armored))
  }

  /// The public half of a private key file, which nothing encrypts.
  ///
  /// - Throws: ``SSHError``.
  public static func publicKey(armored: [UInt8]) throws(SSHError) -> SSHPublicKey {
    var reader = SSHWireReader(try SSHArmor.privateKey.decode(armored))
    try reader.magic(magic)
    guard try reader.byte() == 0 else { throw .wrongMagic(expected: magic) }
    // The cipher, how its key is derived, and the options of that.
    for _ in 0..<3 { _ = try reader.string() }
    let count = try reader.uint32()
    guard count == 1 else { throw .keyCount(count) }
    return try SSHPublicKey(blob: reader.string())
  }

  /// Parses what the base64 of a file contains: PROTOCOL.key, section 1.
  init(blob: [UInt8]) throws(SSHError) {
    var reader = SSHWireReader(blob)
    try reader.magic(Self.magic)
    guard try reader.byte() == 0 else { throw .wrongMagic(expected: Self.magic) }
    let cipher = try reader.text()
    let derivation = try reader.text()
    let options = try reader.string()
    let count = try reader.uint32()
    guard count == 1 else { throw .keyCount(count) }
    let publicKey = try SSHPublicKey(blob: reader.string())
    let content = try reader.string()
    guard cipher == "none" else { throw .encryptedKey(cipher: cipher) }
    try reader.end()
    guard derivation == "none", options.isEmpty else { throw .damagedKey }
    guard publicKey.kind == .ed25519 else { throw .securityKey }
    try self.init(content: content, of: publicKey)
  }

  /// Parses the list of private keys, PROTOCOL.key section 3; a key is encoded as for an agent
  /// (draft-miller-ssh-agent, section 3.2.3): its type, the public half, the seed with the public half again.
  private init(content: [UInt8], of publicKey: SSHPublicKey) throws(SSHError) {
    var reader = SSHWireReader(content)
    let checks = (try reader.uint32(), try reader.uint32())
    let type = try reader.text()
    let point = try reader.string()
    let pair = try reader.string()
    let comment = String(printable: try reader.string()) ?? ""
    let padding = reader.remainder()
    guard content.count % 8 == 0, padding.elementsEqual((1...8).prefix(padding.count)),
      checks.0 == checks.1, type == publicKey.typeName, point == publicKey.point, pair.count == 64,
      pair.suffix(32).elementsEqual(point),
      let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: Data(pair.prefix(32)))
    else { throw .damagedKey }
    try self.init(key, comment: comment)
    guard self.publicKey == publicKey else { throw .damagedKey }
  }

  /// The content for a private key file, which must be readable by its owner only.
  public func armored() -> String { armored(check: .random(in: .min ... .max)) }

  /// The same with a check number of choice; `ssh-keygen` takes a random one.
  func armored(check: UInt32) -> String {
    let point = publicKey.point
    var content = SSHWireWriter()
    content.uint32(check)
    content.uint32(check)
    content.string(publicKey.typeName.utf8)
    content.string(point)
    content.string(Array(key.rawRepresentation) + point)
    content.string(comment.utf8)
    content.raw((1...8).prefix((8 - content.bytes.count % 8) % 8))

    var file = SSHWireWriter()
    file.raw(Self.magic.utf8)
    file.raw([0])
    file.string("none".utf8)
    file.string("none".utf8)
    file.string([])
    file.uint32(1)
    file.string(publicKey.blob)
    file.string(content.bytes)
    return SSHArmor.privateKey.encode(file.bytes)
  }

  /// The line for the `.pub` file beside the private key, without a newline.
  public var publicLine: String { publicKey.line(comment: comment) }

  /// The fingerprint: a private key must not be printed by accident.
  public var description: String { publicKey.fingerprint }

  private static let magic = "openssh-key-v1"
}
