import Files
import Host
import SystemPackage
import Trust

/// Who signs bundles: an OpenSSH key in a file, or one that only OpenSSH's own tools can use.
public struct BundleSigner: Sendable {
  private enum Holder: Sendable {
    case file(OpenSSHPrivateKey)
    /// An agent or a security key has it, or a passphrase protects it.
    case openSSH
  }

  /// The file that names the key.
  public let path: FilePath
  let publicKey: SSHPublicKey
  private let holder: Holder

  /// The fingerprint, as `ssh-keygen -l` prints it.
  public var fingerprint: String { publicKey.fingerprint }

  /// Reads a private key, or the `.pub` file of a key that OpenSSH's tools find.
  ///
  /// - Throws: ``SigningFailed``.
  public init(_ path: FilePath) throws(SigningFailed) {
    self.path = path
    let bytes: [UInt8]
    do {
      bytes = try readBytes(path, limit: 1 << 16)
    } catch {
      throw SigningFailed(path, .unreadable(FileError.reason(error)))
    }
    do throws(SSHError) {
      (publicKey, holder) = try Self.key(bytes)
    } catch {
      throw SigningFailed(path, .unusable(error))
    }
  }

  private static func key(_ bytes: [UInt8]) throws(SSHError) -> (SSHPublicKey, Holder) {
    guard bytes.starts(with: "-----BEGIN".utf8) else {
      return (try SSHPublicKey(line: String(decoding: bytes, as: UTF8.self)), .openSSH)
    }
    do throws(SSHError) {
      let key = try OpenSSHPrivateKey(armored: bytes)
      return (key.publicKey, .file(key))
    } catch {
      switch error {
      case .encryptedKey, .securityKey:
        return (try OpenSSHPrivateKey.publicKey(armored: bytes), .openSSH)
      default: throw error
      }
    }
  }

  /// Signs the bytes of a manifest. A passphrase, or the PIN of a security key, is asked for on the terminal.
  ///
  /// - Parameter say: Hears what a person has to do meanwhile.
  /// - Returns: The content for a signature file.
  /// - Throws: ``SigningFailed``, or `CommandError` when `ssh-keygen` cannot be run.
  func signature(over bytes: [UInt8], say: (String) -> Void) async throws -> String {
    switch holder {
    case .file(let key):
      return try SSHSignature(signing: bytes, with: key, namespace: SSHSignature.bundleNamespace).armored
    case .openSSH:
      // ssh-keygen says it too, among what it writes to standard error, which is known at its end.
      if case .securityKey = publicKey.kind {
        say("\(path) is in a security key: touch it when it blinks (\(fingerprint))")
      }
      let result = try await Command(
        "ssh-keygen", ["-Y", "sign", "-f", path.string, "-n", SSHSignature.bundleNamespace],
        environment: ["LC_ALL": "C"], input: String(decoding: bytes, as: UTF8.self)
      ).asking().run()
      guard result.status == 0 else {
        let lines = result.standardError.split(whereSeparator: \.isNewline).map(String.init)
        throw SigningFailed(path, .refused(lines.last ?? "ssh-keygen said nothing"))
      }
      try confirm(result.standardOutput, over: bytes)
      return result.standardOutput
    }
  }

  /// An agent may have signed with another key, or something else than what it was given.
  private func confirm(_ armored: String, over bytes: [UInt8]) throws(SigningFailed) {
    do throws(SSHError) {
      let signature = try SSHSignature(armored: Array(armored.utf8))
      try signature.verify(bytes, namespace: SSHSignature.bundleNamespace)
      guard signature.publicKey == publicKey else { throw .wrongSignature }
    } catch {
      throw SigningFailed(path, .refused("the signature that ssh-keygen made does not hold: \(error)"))
    }
  }
}

/// A key that did not sign.
public struct SigningFailed: Error, CustomStringConvertible {
  /// Why.
  public enum Reason: Sendable {
    /// The file cannot be read.
    case unreadable(String)
    /// It is not a key that can sign.
    case unusable(SSHError)
    /// `ssh-keygen` made no signature.
    case refused(String)
  }

  /// The file of the key.
  public let path: FilePath
  /// Why.
  public let reason: Reason

  init(_ path: FilePath, _ reason: Reason) {
    self.path = path
    self.reason = reason
  }

  /// A sentence for people.
  public var description: String { "signing key \(path) \(detail)" }

  /// What is to be said of the key.
  var detail: String {
    switch reason {
    case .unreadable(let reason): "cannot be read: \(reason)"
    case .unusable(let error): "cannot be used: \(error)"
    case .refused(let reason): "made no signature: \(reason)"
    }
  }
}
