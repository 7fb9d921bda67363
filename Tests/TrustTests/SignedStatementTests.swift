import Integrity
import Testing

@testable import Trust

/// Who has signed, and whether that is enough.
@Suite struct SignedStatementTests {
  private static let bytes = Array("{\"format\": 2}\n".utf8)
  private static let now: Int64 = 1_780_272_000
  private let alice: OpenSSHPrivateKey
  private let bob: OpenSSHPrivateKey

  init() throws {
    alice = try .generate(comment: "alice")
    bob = try .generate(comment: "bob")
  }

  private func sign(
    _ key: OpenSSHPrivateKey, _ bytes: [UInt8] = bytes, namespace: String = SSHSignature.bundleNamespace,
    hash: Bool = false
  ) throws -> [UInt8] {
    let signature = try SSHSignature(
      signing: bytes, with: key, namespace: namespace, hash: hash ? .sha256 : .sha512)
    return Array(signature.armored.utf8)
  }

  private func allowed(_ lines: (String, OpenSSHPrivateKey)...) throws -> AllowedSigners {
    try AllowedSigners(Array(lines.map { "\($0.0) \($0.1.publicLine)\n" }.joined().utf8))
  }

  private func check(
    _ signatures: [[UInt8]], _ allowed: AllowedSigners, threshold: Int = 1
  ) -> Result<SignedStatement, UnsignedStatement> {
    do throws(UnsignedStatement) {
      return .success(
        try SignedStatement(
          Self.bytes, signatures: signatures, allowed: allowed, at: Self.now, threshold: threshold))
    } catch {
      return .failure(error)
    }
  }

  @Test func oneAllowedSignerIsEnough() throws {
    let statement = try check([sign(alice)], allowed(("alice@example.com", alice), ("bob", bob))).get()
    #expect(statement.bytes == Self.bytes && statement.refusals.isEmpty)
    #expect(statement.signers.map(\.entry.principals) == ["alice@example.com"])
    #expect(statement.signers.map(\.entry.line) == [1])
  }

  @Test func whatDoesNotCountDoesNoHarmAndIsReported() throws {
    let signatures = try [
      Array("rubbish".utf8), sign(bob), sign(alice, namespace: "file"), sign(alice, [1]), sign(alice),
    ]
    let statement = try check(signatures, allowed(("alice", alice))).get()
    #expect(statement.signers.map(\.signature) == [4])
    #expect(
      statement.refusals.map(\.kind) == [
        .signature(.notArmored(header: "-----BEGIN SSH SIGNATURE-----")), .signer(.unknownKey),
        .signature(.wrongNamespace(found: "file", expected: "kubespray-offline-bundle")),
        .signature(.wrongSignature),
      ])
    #expect(statement.refusals.map(\.key) == [nil, bob.publicKey, alice.publicKey, alice.publicKey])
  }

  @Test func withoutASignatureThatCountsThereIsNoStatement() throws {
    let file = try allowed(("alice", alice))
    #expect(throws: UnsignedStatement(signers: [], refusals: [], distinct: 0, threshold: 1)) {
      try check([], file).get()
    }
    let error = #expect(throws: UnsignedStatement.self) { try check([sign(bob)], file).get() }
    #expect(
      error.map { "\($0)" }
        == "0 of 1 signers have signed; signature 1 of \(bob.publicKey): "
        + "the key is not among the allowed signers")
    let expired = try allowed(("alice valid-before=\"20260501Z\"", alice))
    #expect(throws: UnsignedStatement.self) { try check([sign(alice)], expired).get() }
    #expect(throws: UnsignedStatement.self) { try check([sign(alice)], file, threshold: 0).get() }
    #expect(throws: UnsignedStatement.self) { try check([sign(alice)], file, threshold: -1).get() }
  }

  @Test func twoSignersAreTwoPeopleWithTwoKeys() throws {
    let two = try [sign(alice), sign(bob)]
    #expect(throws: Never.self) {
      try check(two, allowed(("alice", alice), ("bob", bob)), threshold: 2).get()
    }
    #expect(throws: Never.self) {
      try check(two, allowed(("*@a.example", alice), ("*@b.example", bob)), threshold: 2).get()
    }
    // One signature, also when it is there twice or made with another hash.
    let aliceAgain = try [sign(alice), sign(alice), sign(alice, hash: true)]
    #expect(throws: UnsignedStatement.self) {
      try check(aliceAgain, allowed(("alice", alice), ("bob", alice)), threshold: 2).get()
    }
    // Two keys of one person, said in several ways.
    for (first, second) in [
      ("alice", "alice"), ("alice,al", "bob,alice"), ("*", "alice"), ("alice@x", "*@x"), ("a*", "al*"),
    ] {
      let error = try #require(
        #expect(throws: UnsignedStatement.self) {
          try check(two, allowed((first, alice), (second, bob)), threshold: 2).get()
        })
      #expect(error.distinct == 1 && error.signers.count == 2, "\(first) and \(second)")
    }
  }

  @Test func aPatternTakesNobodyAway() throws {
    let lists = ["*", "alice", "bob", "alice,bob"].map(PatternList.init)
    #expect(SignedStatement.distinctSigners(lists) == 2)
    #expect(SignedStatement.distinctSigners([]) == 0)
  }

  @Test func aSecurityKeyThatNobodyTouchedDoesNotCount() throws {
    let hardware = try Authenticator()
    let file = try AllowedSigners(Array("alice \(hardware.publicKey.line())".utf8))
    let message = String(decoding: Self.bytes, as: UTF8.self)
    #expect(try check([Array(hardware.sign(message).utf8)], file).get().signers.count == 1)
    let error = try #require(
      #expect(throws: UnsignedStatement.self) {
        try check([Array(hardware.sign(message, flags: 0).utf8)], file).get()
      })
    #expect(error.refusals.map(\.kind) == [.userNotPresent])
  }
}
