import FoundationEssentials
import Host
import Testing

@testable import Trust

/// Keys of OpenSSH, read and written as `ssh-keygen` does.
@Suite(.timeLimit(.minutes(10))) struct KeyTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  @Test func aKeyOfSSHKeygenIsReadAndWrittenAgainByteByByte() async throws {
    let file = try await place.makeKey("alice")
    let key = try OpenSSHPrivateKey(armored: file)
    let pub = String(decoding: try place.read("alice.pub"), as: UTF8.self)
    #expect(key.publicLine + "\n" == pub && key.comment == "alice@example.com")
    #expect(try SSHPublicKey(line: pub) == key.publicKey)
    #expect(try SSHPublicKey(blob: key.publicKey.blob) == key.publicKey)

    // The random check number stands behind magic, two names, options, count, public half and length.
    let blob = content(ofArmored: String(decoding: file, as: UTF8.self))
    var reader = SSHWireReader(blob)
    _ = try reader.take(15 + 8 + 8 + 4 + 4 + 4 + 51 + 4)
    let check = try reader.uint32()
    #expect(Array(key.armored(check: check).utf8) == file)
  }

  @Test func theFingerprintIsThatOfSSHKeygen() async throws {
    let key = try OpenSSHPrivateKey(armored: await place.makeKey("alice"))
    let said = try await place.keygen(["-l", "-f", "alice.pub"]).standardOutput
    #expect(said == "256 \(key.publicKey.fingerprint) alice@example.com (ED25519)\n")
    #expect("\(key)" == key.publicKey.fingerprint)
  }

  @Test(arguments: ["", "a", "ab", "build host, 2nd floor", "Grüße 🔑", "12345678"])
  func sshKeygenReadsAKeyMadeHere(_ comment: String) async throws {
    let key = try OpenSSHPrivateKey.generate(comment: comment)
    try place.write(key.armored(), to: "key")
    let result = try await place.keygen(["-y", "-f", "key"])
    #expect(result.standardOutput == key.publicLine + "\n", "\(result.standardError)")
    let again = try OpenSSHPrivateKey(armored: Array(key.armored().utf8))
    #expect(again.publicKey == key.publicKey && again.comment == comment)
  }

  @Test func aCommentIsOneLine() {
    #expect(throws: SSHError.notText) { try OpenSSHPrivateKey.generate(comment: "a\nb") }
  }

  @Test func keysForOpenSSHsToolsAreNamedAsSuch() async throws {
    let locked = try await place.makeKey("locked", passphrase: "secret word")
    #expect(throws: SSHError.encryptedKey(cipher: "aes256-ctr")) { try OpenSSHPrivateKey(armored: locked) }
    let rsa = try await place.makeKey("rsa", type: "rsa")
    #expect(throws: SSHError.unsupportedKeyType("ssh-rsa")) { try OpenSSHPrivateKey(armored: rsa) }
    let line = String(decoding: try place.read("rsa.pub"), as: UTF8.self)
    #expect(throws: SSHError.unsupportedKeyType("ssh-rsa")) { try SSHPublicKey(line: line) }
    let pub = try place.read("locked.pub")
    #expect(throws: SSHError.notArmored(header: "-----BEGIN OPENSSH PRIVATE KEY-----")) {
      try OpenSSHPrivateKey(armored: pub)
    }
    let hardware = Self.privateFile(of: try Authenticator().publicKey)
    #expect(throws: SSHError.securityKey) { try OpenSSHPrivateKey(armored: hardware) }
  }

  /// A private key file with that public half and no usable private one.
  private static func privateFile(of key: SSHPublicKey) -> [UInt8] {
    var writer = SSHWireWriter()
    writer.raw("openssh-key-v1\0".utf8)
    writer.string("none".utf8)
    writer.string("none".utf8)
    writer.string([])
    writer.uint32(1)
    writer.string(key.blob)
    writer.string([UInt8](repeating: 0, count: 8))
    return armored("OPENSSH PRIVATE KEY", writer.bytes)
  }

  @Test func windowsLineEndsAndEmptyLinesAtTheEndAreNoHindrance() throws {
    let key = try OpenSSHPrivateKey.generate(comment: "a")
    let text = key.armored().split(separator: "\n").joined(separator: "\r\n") + "\r\n\r\n"
    #expect(try OpenSSHPrivateKey(armored: Array(text.utf8)).publicKey == key.publicKey)
  }

  @Test func aDamagedPrivateKeyIsRefused() throws {
    let blob = content(ofArmored: try OpenSSHPrivateKey.generate(comment: "abc").armored())
    // Only the comment, before two bytes of padding, is covered by nothing.
    for offset in blob.indices where !(blob.count - 5..<blob.count - 2).contains(offset) {
      var changed = blob
      changed[offset] ^= 1
      #expect(throws: SSHError.self, "byte \(offset)") { try OpenSSHPrivateKey(blob: changed) }
    }
    for count in blob.indices {
      #expect(throws: SSHError.self) { try OpenSSHPrivateKey(blob: Array(blob.prefix(count))) }
    }
    for offset in 0...blob.count - 4 {
      #expect(throws: SSHError.self, "length at \(offset)") {
        try OpenSSHPrivateKey(blob: hugeLength(blob, at: offset))
      }
    }
  }

  @Test func aPublicKeyHasExactlyItsBytes() throws {
    for key in [try OpenSSHPrivateKey.generate(comment: "").publicKey, try Authenticator().publicKey] {
      for count in key.blob.indices {
        #expect(throws: SSHError.self) { try SSHPublicKey(blob: Array(key.blob.prefix(count))) }
      }
      #expect(throws: SSHError.trailingBytes) { try SSHPublicKey(blob: key.blob + [0]) }
    }
  }

  @Test(arguments: [
    ("", SSHError.notPublicKeyLine),
    ("ssh-ed25519", .notPublicKeyLine),
    ("ssh-ed25519 ", .notPublicKeyLine),
    ("ssh-ed25519 AAAA*", .notBase64),
    ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA", .notBase64),
    ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==", .truncated),
    ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAAA==", .keyLength(0)),
    ("ssh-ed25519-cert-v01@openssh.com AAAA", .unsupportedKeyType("ssh-ed25519-cert-v01@openssh.com")),
    ("ssh-ed25519 /////w==", .truncated),
  ])
  func aLineThatIsNotAPublicKeyIsRefused(_ line: String, _ reason: SSHError) {
    #expect(throws: reason) { try SSHPublicKey(line: line) }
  }

  @Test func theTypeOfTheLineIsThatOfTheKey() throws {
    let key = try OpenSSHPrivateKey.generate(comment: "").publicKey
    let name = "sk-ssh-ed25519@openssh.com"
    #expect(throws: SSHError.keyTypeMismatch(line: name, blob: "ssh-ed25519")) {
      try SSHPublicKey(line: "\(name) \(Data(key.blob).base64EncodedString())")
    }
  }
}
