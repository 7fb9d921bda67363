import Host
import Integrity
import Testing

@testable import Trust

/// Signatures that the real `ssh-keygen` and this module make for each other.
@Suite(.timeLimit(.minutes(10))) struct SignatureTests {
  static let message = "{\"format\": 2,\r\n \"name\": \"Bündel\"}\n"
  static let bytes = Array(message.utf8)
  static let namespace = SSHSignature.bundleNamespace

  let place: Workplace
  let key: OpenSSHPrivateKey
  let signers: String

  init() async throws {
    place = try Workplace()
    key = try OpenSSHPrivateKey(armored: await place.makeKey("alice"))
    signers = "alice@example.com \(key.publicLine)\n"
  }

  @Test(arguments: DigestAlgorithm.allCases)
  func bothMakeTheSameSignatureAndBothAcceptIt(_ hash: DigestAlgorithm) async throws {
    let ours = try SSHSignature(signing: Self.bytes, with: key, namespace: Self.namespace, hash: hash)
    let theirs = try await place.keygen(
      ["-Y", "sign", "-f", "alice", "-n", Self.namespace, "-O", "hashalg=\(hash.rawValue)"],
      input: Self.message)
    #expect(theirs.standardOutput == ours.armored, "\(theirs.standardError)")
    #expect(try await place.isAccepted(ours.armored, over: Self.message, signers: signers))

    let read = try SSHSignature(armored: Array(theirs.standardOutput.utf8))
    #expect(read == ours && read.publicKey == key.publicKey && read.hash == hash)
    try read.verify(Self.bytes, namespace: Self.namespace)
  }

  @Test func anEmptyMessageIsSignedToo() async throws {
    let ours = try SSHSignature(signing: [], with: key, namespace: Self.namespace)
    #expect(try await place.isAccepted(ours.armored, over: "", signers: signers))
    try ours.verify([], namespace: Self.namespace)
  }

  @Test func otherBytesAnotherPurposeOrAnotherKeyAreRefused() async throws {
    let signature = try SSHSignature(signing: Self.bytes, with: key, namespace: Self.namespace)
    for offset in Self.bytes.indices {
      var changed = Self.bytes
      changed[offset] ^= 1
      #expect(throws: SSHError.wrongSignature) { try signature.verify(changed, namespace: Self.namespace) }
    }
    for other in [Self.bytes.dropLast(), Self.bytes + [0], Self.bytes + [10]] {
      #expect(throws: SSHError.wrongSignature) {
        try signature.verify(Array(other), namespace: Self.namespace)
      }
    }
    #expect(throws: SSHError.wrongNamespace(found: Self.namespace, expected: "file")) {
      try signature.verify(Self.bytes, namespace: "file")
    }
    #expect(try await !place.isAccepted(signature.armored, over: Self.message + "x", signers: signers))

    let blob = content(ofArmored: signature.armored)
    let stranger = try OpenSSHPrivateKey.generate(comment: "").publicKey
    let claimed = blob.prefix(14) + stranger.blob + blob.dropFirst(14 + stranger.blob.count)
    #expect(throws: SSHError.wrongSignature) {
      try SSHSignature(blob: Array(claimed)).verify(Self.bytes, namespace: Self.namespace)
    }
  }

  @Test func signingWantsAPurpose() {
    #expect(throws: SSHError.emptyNamespace) {
      try SSHSignature(signing: Self.bytes, with: key, namespace: "")
    }
    #expect(throws: SSHError.notText) { try SSHSignature(signing: Self.bytes, with: key, namespace: "a\n") }
  }

  /// A signature's fields, to be put together with one of them wrong.
  private struct Fields {
    var magic = "SSHSIG"
    var version: UInt32 = 1
    var namespace = SignatureTests.namespace
    var reserved = ""
    var hash = "sha512"
    var type = "ssh-ed25519"
    var value = [UInt8](repeating: 1, count: 64)
    var innerEnd: [UInt8] = []
    var end: [UInt8] = []

    func blob(_ key: SSHPublicKey) -> [UInt8] {
      var inner = SSHWireWriter()
      inner.string(type.utf8)
      inner.string(value)
      inner.raw(innerEnd)
      var writer = SSHWireWriter()
      writer.raw(magic.utf8)
      writer.uint32(version)
      writer.string(key.blob)
      writer.string(namespace.utf8)
      writer.string(reserved.utf8)
      writer.string(hash.utf8)
      writer.string(inner.bytes)
      writer.raw(end)
      return writer.bytes
    }
  }

  @Test func everyWrongFieldHasItsReason() throws {
    let table: [(Fields, SSHError)] = [
      (Fields(magic: "SSHSIX"), .wrongMagic(expected: "SSHSIG")),
      (Fields(version: 0), .unsupportedVersion(0)),
      (Fields(version: 2), .unsupportedVersion(2)),
      (Fields(namespace: ""), .emptyNamespace),
      (Fields(namespace: "a\u{1b}[31m"), .notText),
      (Fields(namespace: "kubespray-offline-bundle\0"), .notText),
      (Fields(reserved: "x"), .reservedFieldInUse),
      (Fields(hash: "sha1"), .unsupportedHash("sha1")),
      (Fields(hash: "SHA512"), .unsupportedHash("SHA512")),
      (Fields(hash: ""), .unsupportedHash("")),
      (Fields(type: "ssh-rsa"), .signatureTypeMismatch(key: "ssh-ed25519", signature: "ssh-rsa")),
      (Fields(value: []), .signatureLength(0)),
      (Fields(value: [UInt8](repeating: 0, count: 63)), .signatureLength(63)),
      (Fields(value: [UInt8](repeating: 0, count: 65)), .signatureLength(65)),
      (Fields(innerEnd: [0]), .trailingBytes),
      (Fields(end: [0]), .trailingBytes),
    ]
    for (fields, reason) in table {
      #expect(throws: reason) { try SSHSignature(blob: fields.blob(key.publicKey)) }
    }
    let right = try SSHSignature(blob: Fields().blob(key.publicKey))
    #expect(throws: SSHError.wrongSignature) { try right.verify(Self.bytes, namespace: Self.namespace) }
  }

  @Test func theTextIsExactlyOneSignature() throws {
    let text = try SSHSignature(signing: Self.bytes, with: key, namespace: Self.namespace).armored
    _ = try SSHSignature(armored: Array(text.replacing("\n", with: "\r\n").utf8))
    _ = try SSHSignature(armored: Array(text.dropLast().utf8))
    let header = SSHError.notArmored(header: "-----BEGIN SSH SIGNATURE-----")
    let table: [(String, SSHError)] = [
      ("", header), ("\n" + text, header), (" " + text, header), (text + "x", header),
      (text + text, .notBase64),
      (text + "\0", header), (String(text.dropLast()) + "x\n", header),
      (text.replacing("SSH SIGNATURE", with: "PGP SIGNATURE"), header),
      (text.replacing("-----END SSH SIGNATURE-----\n", with: ""), header),
      ("-----BEGIN SSH SIGNATURE-----", header),
      ("-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n", .wrongMagic(expected: "SSHSIG")),
      (text.replacing("U1NI", with: "U1N "), .notBase64), (text.replacing("U1NI", with: "U1N\0"), .notBase64),
      (text.replacing("U1NI", with: "U1-_"), .notBase64),
      (text.replacing("U1NI", with: "U1==U1NI"), .notBase64),
      (String(repeating: "x", count: 70_000), .tooLong(limit: 65_536)),
    ]
    for (changed, reason) in table {
      #expect(throws: reason, "\(changed.prefix(300))") { try SSHSignature(armored: Array(changed.utf8)) }
    }
  }

  @Test func hostileBytesAreRefusedAndNothingMore() throws {
    let hardware = try Authenticator()
    let texts = [
      try SSHSignature(signing: Self.bytes, with: key, namespace: Self.namespace).armored,
      try hardware.sign(Self.message),
    ]
    for text in texts {
      let blob = content(ofArmored: text)
      func verify(_ blob: [UInt8]) throws {
        try SSHSignature(blob: blob).verify(Self.bytes, namespace: Self.namespace)
      }
      try verify(blob)
      for count in blob.indices {
        #expect(throws: SSHError.self, "\(count) bytes") { try verify(Array(blob.prefix(count))) }
      }
      for offset in 0...blob.count - 4 {
        #expect(throws: SSHError.self, "length at \(offset)") { try verify(hugeLength(blob, at: offset)) }
      }
      for offset in blob.indices {
        for bit in 0..<8 {
          var changed = blob
          changed[offset] ^= 1 << bit
          #expect(throws: SSHError.self, "bit \(bit) of byte \(offset)") { try verify(changed) }
        }
      }
      let armored = Array(text.utf8)
      for count in 0..<armored.count - 1 {
        #expect(throws: SSHError.self) { try SSHSignature(armored: Array(armored.prefix(count))) }
      }
    }
  }

  @Test func aSecurityKeysSignatureIsAcceptedByBoth() async throws {
    for application in ["ssh:", "ssh:bundles"] {
      let hardware = try Authenticator(application: application)
      let text = try hardware.sign(Self.message, flags: 5, counter: 0xffff_fffe)
      let signature = try SSHSignature(armored: Array(text.utf8))
      try signature.verify(Self.bytes, namespace: Self.namespace)
      #expect(signature.publicKey == hardware.publicKey)
      #expect(signature.securityKeyUse?.flags == 5 && signature.securityKeyUse?.counter == 0xffff_fffe)
      #expect(signature.securityKeyUse?.isUserPresent == true)
      #expect(content(ofArmored: signature.armored) == content(ofArmored: text))

      let line = "alice@example.com \(hardware.publicKey.line())\n"
      #expect(try await place.isAccepted(signature.armored, over: Self.message, signers: line))
      try place.write(hardware.publicKey.line(), to: "hardware.pub")
      let said = try await place.keygen(["-l", "-f", "hardware.pub"]).standardOutput
      #expect(said.contains(" \(hardware.publicKey.fingerprint) "))
    }
  }

  @Test func whatASecurityKeyDidNotSignIsRefused() throws {
    let hardware = try Authenticator()
    for text in [
      try hardware.sign(Self.message, flags: 1, signedFlags: 0),
      try hardware.sign(Self.message, signedApplication: "ssh:other"),
      try hardware.sign(Self.message + "x"),
    ] {
      let signature = try SSHSignature(armored: Array(text.utf8))
      #expect(throws: SSHError.wrongSignature) {
        try signature.verify(Self.bytes, namespace: Self.namespace)
      }
    }
  }
}
