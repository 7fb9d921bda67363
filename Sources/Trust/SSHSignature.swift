import Crypto
import FoundationEssentials
import Integrity

/// A detached signature of OpenSSH over bytes, for one purpose, its namespace.
///
/// It is what `ssh-keygen -Y sign` writes and `ssh-keygen -Y verify` checks. Source: OpenSSH, PROTOCOL.sshsig
/// (version 1), and PROTOCOL.u2f for hardware security keys.
///
/// A key that this module cannot use (with a passphrase, in an agent, in a security key) signs by OpenSSH's program:
///
///     ssh-keygen -Y sign -f KEY -n NAMESPACE < FILE > FILE.sig
///
/// `KEY` is the private key file, or the `.pub` file of a key that the agent of `SSH_AUTH_SOCK` has. The exit status is
/// 0 and standard output is the armored signature; on a failure it is 255 and standard error says why (it has
/// `Signing data on standard input` in any case). A passphrase or the PIN of a security key is asked for on the
/// terminal, or by the program in `SSH_ASKPASS`. The form with a file name in place of standard input is not for
/// programs: it asks before it replaces `FILE.sig`, and its exit status is 0 also when the answer is no.
public struct SSHSignature: Hashable, Sendable {
  /// What a hardware security key said when it signed.
  public struct SecurityKeyUse: Hashable, Sendable {
    /// Bit 0: somebody touched the key. Bit 2: the key checked a PIN or a fingerprint. (WebAuthn, section 6.1.)
    public let flags: UInt8
    /// How often the key signed, or 0 when it does not count.
    public let counter: UInt32

    /// Whether somebody touched the key for this signature.
    public var isUserPresent: Bool { flags & 1 != 0 }
  }

  /// The key that the signature claims to be of; ``verify(_:namespace:)`` confirms it.
  public let publicKey: SSHPublicKey
  /// The purpose of the signature.
  public let namespace: String
  /// How the bytes were hashed before they were signed.
  public let hash: DigestAlgorithm
  /// What a security key said; nil for other keys. It is covered by the signature.
  public let securityKeyUse: SecurityKeyUse?
  private let value: [UInt8]

  /// The purpose "this is the manifest of a bundle".
  public static let bundleNamespace = "kubespray-offline-bundle"

  /// Signs bytes as `ssh-keygen -Y sign` does; same key, same bytes: same signature.
  ///
  /// - Throws: ``SSHError/emptyNamespace``, ``SSHError/notText`` and, should the library fail,
  ///   ``SSHError/signingFailed``.
  public init(
    signing message: [UInt8], with key: OpenSSHPrivateKey, namespace: String, hash: DigestAlgorithm = .sha512
  ) throws(SSHError) {
    guard !namespace.isEmpty else { throw .emptyNamespace }
    guard let namespace = String(printable: namespace.utf8) else { throw .notText }
    let signed = Self.signedBytes(of: message, namespace: namespace, hash: hash)
    guard let value = try? key.key.signature(for: signed) else { throw .signingFailed }
    self.publicKey = key.publicKey
    self.namespace = namespace
    self.hash = hash
    self.securityKeyUse = nil
    self.value = Array(value)
  }

  /// Parses the content of a `.sig` file. Nothing is verified yet.
  ///
  /// - Throws: ``SSHError``.
  public init(armored: [UInt8]) throws(SSHError) {
    try self.init(blob: SSHArmor.signature.decode(armored))
  }

  /// Parses what the base64 of a `.sig` file contains: PROTOCOL.sshsig, section 2.
  ///
  /// - Throws: ``SSHError``.
  public init(blob: [UInt8]) throws(SSHError) {
    var reader = SSHWireReader(blob)
    try reader.magic(Self.magic)
    let version = try reader.uint32()
    guard version == Self.version else { throw .unsupportedVersion(version) }
    publicKey = try SSHPublicKey(blob: reader.string())
    namespace = try reader.text()
    guard !namespace.isEmpty else { throw .emptyNamespace }
    // OpenSSH does not include it in what it verifies: bytes that anybody can change.
    guard try reader.string().isEmpty else { throw .reservedFieldInUse }
    let hashName = try reader.text()
    guard let hash = DigestAlgorithm(rawValue: hashName) else { throw .unsupportedHash(hashName) }
    self.hash = hash
    let signature = try reader.string()
    try reader.end()

    var inner = SSHWireReader(signature)
    let type = try inner.text()
    guard type == publicKey.typeName else {
      throw .signatureTypeMismatch(key: publicKey.typeName, signature: type)
    }
    value = try inner.string()
    guard value.count == 64 else { throw .signatureLength(value.count) }
    if case .securityKey = publicKey.kind {
      securityKeyUse = SecurityKeyUse(flags: try inner.byte(), counter: try inner.uint32())
    } else {
      securityKeyUse = nil
    }
    try inner.end()
  }

  /// Confirms that ``publicKey`` signed exactly these bytes for this purpose.
  ///
  /// As for `ssh-keygen`, a security key need not have been touched; see ``SecurityKeyUse/isUserPresent``.
  ///
  /// - Throws: ``SSHError/wrongNamespace(found:expected:)`` or ``SSHError/wrongSignature``.
  public func verify(_ message: [UInt8], namespace expected: String) throws(SSHError) {
    guard namespace == expected else { throw .wrongNamespace(found: namespace, expected: expected) }
    var signed = Self.signedBytes(of: message, namespace: expected, hash: hash)
    if case .securityKey(let application) = publicKey.kind, let use = securityKeyUse {
      // PROTOCOL.u2f, "SSH U2F signatures".
      var writer = SSHWireWriter()
      writer.raw(DigestAlgorithm.sha256.hash(Array(application.utf8)))
      writer.raw([use.flags])
      writer.uint32(use.counter)
      writer.raw(DigestAlgorithm.sha256.hash(signed))
      signed = writer.bytes
    }
    guard publicKey.isValid(value, for: signed) else { throw .wrongSignature }
  }

  /// The content for a `.sig` file.
  public var armored: String { SSHArmor.signature.encode(blob) }

  private var blob: [UInt8] {
    var signature = SSHWireWriter()
    signature.string(publicKey.typeName.utf8)
    signature.string(value)
    if let use = securityKeyUse {
      signature.raw([use.flags])
      signature.uint32(use.counter)
    }
    var writer = SSHWireWriter()
    writer.raw(Self.magic.utf8)
    writer.uint32(Self.version)
    writer.string(publicKey.blob)
    writer.string(namespace.utf8)
    writer.string([])
    writer.string(hash.rawValue.utf8)
    writer.string(signature.bytes)
    return writer.bytes
  }

  private static let magic = "SSHSIG"
  private static let version: UInt32 = 1

  /// What the key signs: PROTOCOL.sshsig, section 3.
  static func signedBytes(of message: [UInt8], namespace: String, hash: DigestAlgorithm) -> [UInt8] {
    var writer = SSHWireWriter()
    writer.raw(magic.utf8)
    writer.string(namespace.utf8)
    writer.string([])
    writer.string(hash.rawValue.utf8)
    writer.string(hash.hash(message))
    return writer.bytes
  }
}

extension DigestAlgorithm {
  fileprivate func hash(_ bytes: [UInt8]) -> [UInt8] {
    switch self {
    case .sha256: Array(SHA256.hash(data: bytes))
    case .sha512: Array(SHA512.hash(data: bytes))
    }
  }
}
