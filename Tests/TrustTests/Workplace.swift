import Files
import FoundationEssentials
import Host
import SystemPackage

/// A fresh folder, removed when the test is over, with the real `ssh-keygen` at work in it.
///
/// Where `ssh-keygen` is not installed a test fails with its name.
final class Workplace: Sendable {
  let path: FilePath

  init() throws { path = try createTemporaryFolder(named: "trust-test") }

  deinit { try? removeTree(path) }

  /// Writes a file that only its owner can read: `ssh-keygen` uses no other private keys.
  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    let file = path.appending(name)
    try writeAtomically(text, to: file, permissions: .ownerReadWrite, isDurable: false)
    return file.string
  }

  func read(_ name: String) throws -> [UInt8] { try readBytes(path.appending(name)) }

  /// Runs `ssh-keygen` without an agent; names of files are those in the folder.
  func keygen(_ arguments: [String], input: String = "") async throws -> CommandResult {
    try await Command(
      "ssh-keygen", arguments, environment: ["SSH_AUTH_SOCK": nil, "SSH_ASKPASS": nil], input: input,
      workingDirectory: path
    ).run()
  }

  /// Makes a key pair; returns the private file's content.
  func makeKey(_ name: String, type: String = "ed25519", passphrase: String = "") async throws -> [UInt8] {
    let result = try await keygen(
      ["-q", "-t", type, "-N", passphrase, "-C", "\(name)@example.com", "-f", name])
    guard result.status == 0 else {
      throw CommandError.failed(command: "ssh-keygen -t \(type)", result: result)
    }
    return try read(name)
  }

  /// Whether `ssh-keygen -Y verify` takes a signature, with the lines and as the principal given.
  func isAccepted(
    _ signature: String, over message: String, signers: String, principal: String = "alice@example.com",
    namespace: String = "kubespray-offline-bundle", time: String? = nil
  ) async throws -> Bool {
    try write(signature, to: "message.sig")
    try write(signers, to: "signers")
    let when = time.map { ["-O", "verify-time=\($0)"] } ?? []
    return try await keygen(
      ["-Y", "verify", "-f", "signers", "-I", principal, "-n", namespace, "-s", "message.sig"] + when,
      input: message
    ).status == 0
  }
}

/// A copy with one 32-bit field at an offset replaced by the largest length.
func hugeLength(_ bytes: [UInt8], at offset: Int) -> [UInt8] {
  var changed = bytes
  changed.replaceSubrange(offset..<offset + 4, with: [0xff, 0xff, 0xff, 0xff])
  return changed
}

/// The bytes between the first and the last line of an armored text.
func content(ofArmored text: String) -> [UInt8] {
  let lines = text.split(separator: "\n").dropFirst().dropLast()
  return Array(Data(base64Encoded: lines.joined()) ?? Data())
}

/// An armored text around bytes, right or wrong.
func armored(_ label: String, _ bytes: [UInt8]) -> [UInt8] {
  Array("-----BEGIN \(label)-----\n\(Data(bytes).base64EncodedString())\n-----END \(label)-----\n".utf8)
}
