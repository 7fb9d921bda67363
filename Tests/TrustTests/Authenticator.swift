import Crypto
import FoundationEssentials
import Integrity

@testable import Trust

/// What a FIDO security key does when it signs for OpenSSH (PROTOCOL.u2f), in software.
struct Authenticator {
  private let key = Curve25519.Signing.PrivateKey()
  let application: String
  let publicKey: SSHPublicKey

  init(application: String = "ssh:") throws {
    self.application = application
    publicKey = try SSHPublicKey(
      kind: .securityKey(application: application), point: Array(key.publicKey.rawRepresentation))
  }

  /// The content of a `.sig` file.
  ///
  /// - Parameters:
  ///   - signedFlags: The flags that the key signs; what the file says is `flags`.
  ///   - signedApplication: The application that the key signs for.
  func sign(
    _ message: String, flags: UInt8 = 1, counter: UInt32 = 7, signedFlags: UInt8? = nil,
    signedApplication: String? = nil
  ) throws -> String {
    let namespace = SSHSignature.bundleNamespace
    let signed = SSHSignature.signedBytes(of: Array(message.utf8), namespace: namespace, hash: .sha512)
    var statement = SSHWireWriter()
    statement.raw(SHA256.hash(data: Array((signedApplication ?? application).utf8)))
    statement.raw([signedFlags ?? flags])
    statement.uint32(counter)
    statement.raw(SHA256.hash(data: signed))
    var signature = SSHWireWriter()
    signature.string(publicKey.typeName.utf8)
    signature.string(try key.signature(for: statement.bytes))
    signature.raw([flags])
    signature.uint32(counter)
    var blob = SSHWireWriter()
    blob.raw("SSHSIG".utf8)
    blob.uint32(1)
    blob.string(publicKey.blob)
    blob.string(namespace.utf8)
    blob.string([])
    blob.string("sha512".utf8)
    blob.string(signature.bytes)
    return String(decoding: armored("SSH SIGNATURE", blob.bytes), as: UTF8.self)
  }
}
