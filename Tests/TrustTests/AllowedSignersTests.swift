import FoundationEssentials
import Testing

@testable import Trust

/// The allowed signers file, as ssh-keygen(1) describes it and as the program reads it.
@Suite(.timeLimit(.minutes(10))) struct AllowedSignersTests {
  private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKxoLBJBivUPNTUJUSslQTt2hDjozKvHarKeN8uYFqg"
  private static let namespace = SSHSignature.bundleNamespace

  private func parse(_ text: String) throws -> AllowedSigners { try AllowedSigners(Array(text.utf8)) }

  @Test func everyPartOfALineIsRead() throws {
    let file = try parse(
      """
      # Whoever signs bundles.

      \t alice@example.com,*@ops.example.com\t\(Self.key)  Alice's key "of 2026"
      "bob smith" NameSpaces="kubespray-*,file",VALID-AFTER="20260101Z",valid-before="202607011200Z" \(Self.key)\r
      carol namespaces="with space, \\"quoted\\"" \(Self.key)
      """)
    #expect(file.entries.map(\.line) == [3, 4, 5])
    #expect(
      file.entries.map(\.principals) == ["alice@example.com,*@ops.example.com", "bob smith", "carol"])
    #expect(file.entries.map(\.namespaces) == [nil, "kubespray-*,file", "with space, \"quoted\""])
    #expect(file.entries[1].validAfter == 1_767_225_600 && file.entries[1].validBefore == 1_782_907_200)
    #expect(try file.entries.allSatisfy { $0.key == (try SSHPublicKey(line: Self.key)) })
    #expect(file.entries[0].isFor(principal: "x@ops.example.com"))
    #expect(try parse("").entries.isEmpty)
  }

  @Test(arguments: [
    ("alice", AllowedSignersError.Reason.missingKey),
    ("alice namespaces=\"a\"", .missingKey),
    ("alice ssh-ed25519", .missingKey),
    ("alice ssh-ed25519 AAAA", .key(.truncated)),
    ("alice ssh-ed25519 AAA", .key(.notBase64)),
    ("alice ssh-rsa AAAAB3NzaC1yc2E=", .key(.unsupportedKeyType("ssh-rsa"))),
    ("alice ecdsa-sha2-nistp256 AAAA", .key(.unsupportedKeyType("ecdsa-sha2-nistp256"))),
    ("alice namespaces=\"a\" x y", .key(.unsupportedKeyType("x"))),
    ("alice cert-authority KEY", .certificateAuthority),
    ("*@example.com namespaces=\"a\",CERT-AUTHORITY KEY", .certificateAuthority),
    ("alice no-touch-required KEY", .unknownOption("no-touch-required")),
    ("alice namespace=\"a\" KEY", .unknownOption("namespace")),
    ("alice namespaces=\"a\", KEY", .unknownOption("")),
    ("alice namespaces=\"a\"x KEY", .unknownOption("x")),
    ("alice namespaces=a KEY", .unquotedValue(option: "namespaces")),
    ("alice namespaces KEY", .unquotedValue(option: "namespaces")),
    ("alice namespaces=\"a KEY", .quotation),
    ("\"alice KEY", .quotation),
    ("\"alice\"x KEY", .quotation),
    ("al\"ice\" KEY", .quotation),
    ("alice namespaces=\"a\",namespaces=\"b\" KEY", .repeatedOption("namespaces")),
    ("alice valid-after=\"20260101\",valid-after=\"20260101\" KEY", .repeatedOption("valid-after")),
    ("alice valid-after=\"20260631Z\" KEY", .badTime(option: "valid-after", value: "20260631Z")),
    ("alice valid-before=\"2026\" KEY", .badTime(option: "valid-before", value: "2026")),
    ("alice valid-before=\"\" KEY", .badTime(option: "valid-before", value: "")),
    ("alice valid-after=\"20260102Z\",valid-before=\"20260101Z\" KEY", .emptyPeriod),
    ("alice valid-after=\"20260101Z\",valid-before=\"20260101Z\" KEY", .emptyPeriod),
    ("ali\u{1b}ce KEY", .notText),
    ("alice KEY comment \0", .notText),
    (String(repeating: "a", count: 1023) + " KEY", .longPattern),
  ])
  func aLineThatCannotBeUsedIsNamed(_ line: String, _ reason: AllowedSignersError.Reason) throws {
    let text = "# first\nbob \(Self.key)\n\(line.replacing("KEY", with: Self.key))\n"
    #expect(throws: AllowedSignersError(line: 3, reason: reason)) { try parse(text) }
    #expect("\(AllowedSignersError(line: 3, reason: reason))".hasPrefix("line 3: "))
  }

  @Test func principalsAreUTF8AndCommentsAreWhatTheyAre() throws {
    let latin = Array("M\u{fc}ller".unicodeScalars.map { UInt8($0.value) })
    #expect(throws: AllowedSignersError(line: 1, reason: .notText)) {
      try AllowedSigners(latin + Array(" \(Self.key)".utf8))
    }
    #expect(try AllowedSigners(Array("alice \(Self.key) ".utf8) + latin).entries.count == 1)
    #expect(try parse("Müller \(Self.key)").entries[0].isFor(principal: "Müller"))
  }

  @Test func aFileHasALimit() {
    #expect(throws: AllowedSignersError(line: nil, reason: .tooLong)) {
      try AllowedSigners([UInt8](repeating: 10, count: 1 << 20 + 1))
    }
  }

  @Test func everyBeginningOfAFileIsReadOrRefused() throws {
    let line = "\"a b\" namespaces=\"x\\\"\",valid-after=\"20260101Z\" \(Self.key) c"
    for count in 0...line.utf8.count {
      _ = try? AllowedSigners(Array(line.utf8.prefix(count)))
    }
    for byte in UInt8.min...UInt8.max {
      for offset in line.utf8.indices {
        var changed = Array(line.utf8)
        changed[line.utf8.distance(from: line.startIndex, to: offset)] = byte
        _ = try? AllowedSigners(changed)
      }
    }
  }

  @Test func aRefusalSaysWhy() throws {
    let key = try SSHPublicKey(line: Self.key)
    let stranger = try OpenSSHPrivateKey.generate(comment: "").publicKey
    let file = try parse(
      """
      a namespaces="file" \(Self.key)
      b valid-after="20300101Z" \(Self.key)
      c valid-before="20200101Z" \(Self.key)
      """)
    func refusal(_ principal: String?, _ key: SSHPublicKey) -> AllowedSigners.Refusal? {
      do throws(AllowedSigners.Refusal) {
        _ = try file.entry(for: key, principal: principal, namespace: Self.namespace, at: 1_767_225_600)
        return nil
      } catch {
        return error
      }
    }
    #expect(refusal(nil, stranger) == .unknownKey && refusal("d", key) == .unknownKey)
    #expect(refusal("a", key) == .otherNamespaces(line: 1, namespaces: "file"))
    #expect(refusal("b", key) == .notYetValid(line: 2, from: 1_893_456_000))
    #expect(refusal("c", key) == .expired(line: 3, until: 1_577_836_800))
    #expect(refusal(nil, key) == .otherNamespaces(line: 1, namespaces: "file"))
  }

  /// Options and principals, each asked for with the names and at the times that could make a difference.
  @Test(arguments: [
    "alice@example.com", "*@example.com", "a?ice@example.com", "bob,alice@example.com",
    "!alice@example.com,*", "*,!alice@example.com", "*a*i*c*@*.com", "?", "*", "ALICE@example.com",
    "\"alice@example.com\"", "alice@example.com*", "*alice@example.com?",
    "alice@example.com namespaces=\"kubespray-offline-bundle\"", "alice@example.com namespaces=\"file\"",
    "alice@example.com namespaces=\"file,kubespray-*\"", "alice@example.com namespaces=\"*,!kubespray-*\"",
    "alice@example.com namespaces=\"\"", "alice@example.com NAMESPACES=\"*\"",
    "alice@example.com valid-after=\"20260601Z\"", "alice@example.com valid-before=\"20260601Z\"",
    "alice@example.com valid-after=\"20260601\"", "alice@example.com valid-before=\"202606010000\"",
    "alice@example.com valid-after=\"20260531235959Z\",valid-before=\"20260601000001Z\"",
    "alice@example.com valid-after=\"202605312359UTC\"",
  ])
  func everyLineMeansWhatItMeansForSSHKeygen(_ front: String) async throws {
    let place = try Workplace()
    let key = try OpenSSHPrivateKey.generate(comment: "")
    let text = "\(front) \(key.publicLine)\n"
    let signers = try parse(text)
    let signature = try SSHSignature(signing: [1], with: key, namespace: Self.namespace)
    // Midnight in UTC and here, where a file may have a time without a zone.
    let midnights = [signerTime("20260601Z"), signerTime("20260601")].compactMap(\.self)
    for principal in ["alice@example.com", "mallory@evil.org"] {
      for seconds in Set(midnights.flatMap { $0 - 1...$0 + 2 }).sorted() {
        let time = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601).filter {
          !"-:T".contains($0)
        }
        let theirs = try await place.isAccepted(
          signature.armored, over: "\u{1}", signers: text, principal: principal, time: time)
        let ours = try? signers.entry(
          for: key.publicKey, principal: principal, namespace: Self.namespace, at: seconds)
        #expect((ours != nil) == theirs, "\(principal) at \(time)")
      }
    }
  }

  @Test func aPatternOfManyStarsIsNotSlow() throws {
    let list = PatternList(text: String(repeating: "*a", count: 500) + "b")
    #expect(!list.matches(String(repeating: "a", count: 1000)))
  }
}
