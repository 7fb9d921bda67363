import Crypto
import FoundationEssentials

/// An Ed25519 public key of OpenSSH, in a file or in a hardware security key.
public struct SSHPublicKey: Hashable, Sendable, CustomStringConvertible {
  /// Where the private half is.
  public enum Kind: Hashable, Sendable {
    /// In a file or an agent: `ssh-ed25519` (RFC 8709).
    case ed25519
    /// In a FIDO security key: `sk-ssh-ed25519@openssh.com` (OpenSSH, PROTOCOL.u2f). The application is part of
    /// the key, in general `ssh:`.
    case securityKey(application: String)
  }

  /// Where the private half is.
  public let kind: Kind
  /// The 32 bytes of RFC 8032, section 5.1.5.
  let point: [UInt8]

  init(kind: Kind, point: [UInt8]) throws(SSHError) {
    guard point.count == 32 else { throw .keyLength(point.count) }
    self.kind = kind
    self.point = point
  }

  /// Parses the wire encoding: what the base64 of a line contains.
  ///
  /// - Throws: ``SSHError``, for every other type and for certificates
  ///   ``SSHError/unsupportedKeyType(_:)``.
  public init(blob: [UInt8]) throws(SSHError) {
    var reader = SSHWireReader(blob)
    let type = try reader.text()
    guard Self.typeNames.contains(type) else { throw .unsupportedKeyType(type) }
    let point = try reader.string()
    let kind: Kind = type == Self.plainName ? .ed25519 : .securityKey(application: try reader.text())
    try reader.end()
    try self.init(kind: kind, point: point)
  }

  /// Parses `type base64 [comment]`, the line of a `.pub` file or of an `authorized_keys` file without options.
  ///
  /// - Throws: ``SSHError``.
  public init(line: String) throws(SSHError) {
    let fields = line.utf8.split(maxSplits: 2) { " \t\r\n".utf8.contains($0) }
    guard fields.count >= 2 else { throw .notPublicKeyLine }
    try self.init(type: String(fields[0]) ?? "", base64: Array(fields[1]))
  }

  init(type: String, base64: [UInt8]) throws(SSHError) {
    guard Self.typeNames.contains(type) else { throw .unsupportedKeyType(type) }
    try self.init(blob: decodeBase64(base64))
    guard type == typeName else { throw .keyTypeMismatch(line: type, blob: typeName) }
  }

  private static let plainName = "ssh-ed25519"
  private static let securityKeyName = "sk-ssh-ed25519@openssh.com"
  private static let typeNames = [plainName, securityKeyName]

  /// The type's name in lines, keys and signatures.
  public var typeName: String { kind == .ed25519 ? Self.plainName : Self.securityKeyName }

  /// The wire encoding.
  public var blob: [UInt8] {
    var writer = SSHWireWriter()
    writer.string(typeName.utf8)
    writer.string(point)
    if case .securityKey(let application) = kind { writer.string(application.utf8) }
    return writer.bytes
  }

  /// `SHA256:` and base64 without padding, as `ssh-keygen -l` prints it.
  public var fingerprint: String {
    let text = Data(SHA256.hash(data: blob)).base64EncodedString()
    return "SHA256:" + text.prefix { $0 != "=" }
  }

  /// The line for a `.pub` or an allowed signers file, without a newline.
  public func line(comment: String = "") -> String {
    let line = "\(typeName) \(Data(blob).base64EncodedString())"
    return comment.isEmpty ? line : "\(line) \(comment)"
  }

  /// Whether a name can stand in an allowed signers file as that of one person: without blanks, commas and patterns.
  public static func isPrincipal(_ name: String) -> Bool {
    name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._@+-]{0,254}/) != nil
  }

  /// The line for an allowed signers file that lets this key sign for one purpose, without a newline.
  ///
  /// - Parameters:
  ///   - principal: Who has the key; see ``isPrincipal(_:)``.
  ///   - namespace: The purpose, as `ssh-keygen -Y sign -n` names it.
  public func allowedSignersLine(for principal: String, namespace: String) -> String {
    "\(principal) namespaces=\"\(namespace)\" \(line())"
  }

  /// The fingerprint.
  public var description: String { fingerprint }

  /// Whether this key, by itself and without what a security key adds, signed the bytes.
  func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
    (try? Curve25519.Signing.PublicKey(rawRepresentation: point))?
      .isValidSignature(signature, for: message) ?? false
  }
}
