import Bundle
import Files
import Host
import Settings
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// Bundles that runs make, signed, and checked by the programs of others.
@Suite(.timeLimit(.minutes(10))) struct BundleSigningTests {
  let fixture: RunFixture
  let key: NewSigningKey

  init() throws {
    fixture = try RunFixture()
    key = try NewSigningKey(at: fixture.root.appending("alice"), for: "alice@example.com")
  }

  private func run(_ texts: [String] = ["kubelet"], key path: String? = nil, days: Int = 0) async throws
    -> RunReport
  {
    try await fixture.run(
      try texts.map { try fixture.artifact("/\($0)", $0) },
      change: {
        $0.signing.key = path.map { FilePath($0) }
        $0.signing.expiresAfter = days
      })
  }

  /// Whether `ssh-keygen -Y verify` takes a signature of the bundle, with nothing of ours.
  private func isAccepted(
    _ name: String = "bundle.json.sig", signers: String? = nil, principal: String = "alice@example.com"
  ) async throws -> Bool {
    try fixture.write((signers ?? key.allowedSigners) + "\n", to: "allowed_signers")
    let result = try await Command(
      "ssh-keygen",
      [
        "-Y", "verify", "-f", "../allowed_signers", "-I", principal, "-n", "kubespray-offline-bundle",
        "-s", name,
      ], input: try #require(fixture.text("outputs/bundle.json")), workingDirectory: fixture.outputs
    ).run()
    return result.status == 0
  }

  /// Whether `sha256sum -c` finds every file as it should be.
  private func checksumsHold() async throws -> Bool {
    try await Command("sha256sum", ["-c", "--strict", "SHA256SUMS"], workingDirectory: fixture.outputs).run()
      .status == 0
  }

  private func verify(allowed: Bool = true) async throws -> VerifyRun.Result {
    try fixture.write(key.allowedSigners + "\n", to: "allowed_signers")
    return try await VerifyRun.run(
      outputs: fixture.outputs, allowedSigners: allowed ? fixture.root.appending("allowed_signers") : nil,
      emit: fixture.keep)
  }

  @Test func aRunSignsWhatTheToolsOfOthersCheck() async throws {
    let names = ["files/kubelet", "files/with space", "files/ü/'quoted'"]
    let report = try await fixture.run(
      try names.map {
        Artifact(
          path: try BundlePath($0), source: .generated(Array($0.utf8)), stage: .files,
          verification: .generated)
      }
    ) { $0.signing.key = FilePath(key.file) }
    #expect(report.signers == [key.fingerprint])
    #expect(try await isAccepted())
    #expect(try await checksumsHold())
    #expect(fixture.names.first == "SHA256SUMS" && fixture.names.contains("bundle.json.sig"))
    let result = try await verify()
    #expect(result.problems.isEmpty && result.signatures.map(\.signer) == ["alice@example.com"])
  }

  @Test func oneByteIsEnoughToBeRefused() async throws {
    _ = try await run(key: key.file)
    try fixture.poison("outputs/files/kubelet")
    #expect(try await isAccepted())
    #expect(try await !checksumsHold())
    let text = try #require(fixture.text("outputs/bundle.json"))
    try fixture.write(text + " ", to: "outputs/bundle.json")
    #expect(try await !isAccepted())
    let result = try await verify()
    #expect(result.problems.map(\.kind) == ["unsigned", "damaged"])
    #expect(try await verify(allowed: false).problems.map(\.kind) == ["false-signature", "damaged"])
  }

  @Test func aRerunKeepsManifestAndSignature() async throws {
    _ = try await run(key: key.file)
    let before = ["outputs/bundle.json", "outputs/bundle.json.sig"].map(fixture.text)
    let times = try ["bundle.json", "bundle.json.sig"].map { try FileInfo(fixture.outputs.appending($0)) }
    let report = try await run(key: key.file)
    #expect(report.signers == [key.fingerprint] && report.bundle == .complete)
    #expect(["outputs/bundle.json", "outputs/bundle.json.sig"].map(fixture.text) == before)
    #expect(
      try ["bundle.json", "bundle.json.sig"].map { try FileInfo(fixture.outputs.appending($0)) } == times)
  }

  @Test func anUnsignedBundleSaysSoAndIsSignedLater() async throws {
    #expect(try await run().signers.isEmpty)
    #expect(!fixture.names.contains("bundle.json.sig"))
    #expect(try await verify().problems.map(\.kind) == ["unsigned"])
    let result = try await BundleSigning.sign(fixture.outputs, with: BundleSigner(FilePath(key.file)))
    #expect(result.isNew && result.file == "bundle.json.sig" && result.fingerprint == key.fingerprint)
    #expect(try await isAccepted())
    // A run without the key leaves what others have signed, as long as it still holds.
    #expect(try await run().signers == [key.fingerprint])
  }

  @Test func aSecondSignerSignsBesideTheFirst() async throws {
    _ = try await run(key: key.file)
    let bob = try NewSigningKey(at: fixture.root.appending("bob"), for: "bob@example.com")
    let second = try await BundleSigning.sign(fixture.outputs, with: BundleSigner(FilePath(bob.file)))
    #expect(second.isNew && second.file == "bundle.json.sig.2")
    let again = try await BundleSigning.sign(fixture.outputs, with: BundleSigner(FilePath(bob.file)))
    #expect(!again.isNew && again.file == "bundle.json.sig.2")
    #expect(try await isAccepted())
    #expect(
      try await isAccepted("bundle.json.sig.2", signers: bob.allowedSigners, principal: "bob@example.com"))
    #expect(try await verify().problems.isEmpty)
  }

  @Test func anotherBundleIsNeverBesideTheOldSignature() async throws {
    _ = try await run(key: key.file)
    let sequence = try #require(fixture.manifest?.sequence)
    _ = try await run(["kubelet", "runc"])
    #expect(!fixture.names.contains("bundle.json.sig"))
    #expect(try #require(fixture.manifest?.sequence) > sequence)
  }

  @Test func aCrashBetweenManifestAndSignatureIsMended() async throws {
    _ = try await run(key: key.file)
    // What the closing does, up to the moment before it signs.
    var manifest = try #require(fixture.manifest)
    manifest.sequence = try #require(manifest.sequence) + 1
    try manifest.save(to: fixture.outputs)
    #expect(fixture.names.contains("bundle.json") && !fixture.names.contains("bundle.json.sig"))
    #expect(try await run(key: key.file).signers == [key.fingerprint])
    #expect(try await isAccepted())
    #expect(fixture.manifest == manifest)
  }

  @Test func aManifestThatCannotBeWrittenKeepsItsSignature() async throws {
    _ = try await run(key: key.file)
    var manifest = try #require(fixture.manifest)
    manifest.sequence = try #require(manifest.sequence) + 1
    try fixture.write("x", to: "outputs/.incomplete.bundle.json.tmp/in-the-way")
    #expect(throws: ManifestError.self) { try manifest.save(to: fixture.outputs) }
    #expect(try await isAccepted())
  }

  @Test func whatWasChangedAfterItWasSignedIsNotSignedAgain() async throws {
    _ = try await run(key: key.file)
    var manifest = try #require(fixture.manifest)
    let signature = try #require(fixture.text("outputs/bundle.json.sig"))
    manifest.kubespray = "2.29.0"
    try manifest.save(to: fixture.outputs)
    try fixture.write(signature, to: "outputs/bundle.json.sig")
    let error = await #expect(throws: UnsignableBundle.self) {
      try await BundleSigning.sign(fixture.outputs, with: BundleSigner(FilePath(key.file)))
    }
    #expect("\(try #require(error))".contains("bundle.json.sig is not a signature of bundle.json"))
    #expect(fixture.text("outputs/bundle.json.sig") == signature)
  }

  @Test func aStatementThatHasEndedIsMadeAnew() async throws {
    _ = try await run(key: key.file, days: 30)
    var manifest = try #require(fixture.manifest)
    let (created, expires) = (
      try #require(ManifestTime.seconds(manifest.created)), try #require(manifest.expires)
    )
    #expect(ManifestTime.seconds(expires) == created + 30 * 86_400)
    let id = manifest.id
    _ = try await run(key: key.file, days: 30)
    #expect(fixture.manifest?.id == id)
    manifest.created = "2020-01-01T00:00:00Z"
    manifest.expires = "2020-01-31T00:00:00Z"
    try manifest.save(to: fixture.outputs)
    _ = try await BundleSigning.sign(fixture.outputs, with: BundleSigner(FilePath(key.file)))
    #expect(try await verify().problems.map(\.kind) == ["expired"])
    _ = try await run(key: key.file, days: 30)
    #expect(fixture.manifest?.id != id)
    #expect(try await verify().problems.isEmpty)
  }

  @Test func theManifestSaysWhatToolMadeIt() async throws {
    _ = try await run()
    let manifest = try #require(fixture.manifest)
    #expect(manifest.format == 2 && manifest.toolDigest != nil && manifest.expires == nil)
    #expect(manifest.id?.utf8.count == 32)
  }

  @Test func aBundleOfFormatOneIsClosedAnew() async throws {
    _ = try await run()
    let manifest = try #require(fixture.manifest)
    let old = Manifest(
      tool: manifest.tool, created: manifest.created, kubespray: manifest.kubespray,
      architecture: manifest.architecture, platforms: manifest.platforms, stages: manifest.stages,
      files: manifest.files.filter { $0.path.description != "SHA256SUMS" })
    try old.save(to: fixture.outputs)
    let error = await #expect(throws: UnsignableBundle.self) {
      try await BundleSigning.sign(fixture.outputs, with: BundleSigner(FilePath(key.file)))
    }
    #expect("\(try #require(error))".contains("format 1"))
    #expect(try await run(key: key.file).signers == [key.fingerprint])
    #expect(try await isAccepted())
  }

  @Test func aKeyThatCannotSignStopsTheRunBeforeItBegins() async throws {
    try fixture.write("not a key", to: "broken")
    for name in ["missing", "broken"] {
      await #expect(throws: SigningFailed.self) {
        try await run(key: fixture.root.appending(name).string)
      }
    }
    #expect(fixture.names.isEmpty && fixture.server.requests.isEmpty)
  }
}

/// Keys that only OpenSSH's own tools can use.
@Suite(.timeLimit(.minutes(10))) struct AgentSigningTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func keygen(_ arguments: [String]) async throws -> CommandResult {
    try await Command("ssh-keygen", arguments, workingDirectory: fixture.root).run()
  }

  @Test func aKeyWithAPassphraseIsNamedAndRefusedWithoutAnAgent() async throws {
    #expect(
      try await keygen(["-q", "-t", "ed25519", "-N", "secret", "-C", "a@b", "-f", "locked"]).status == 0)
    let signer = try BundleSigner(fixture.root.appending("locked"))
    let line = try await keygen(["-l", "-f", "locked.pub"]).standardOutput
    #expect(line.contains(signer.fingerprint))
    _ = try await fixture.run([try fixture.artifact("/kubelet", "kubelet")])
    let error = await #expect(throws: SigningFailed.self) {
      try await BundleSigning.sign(fixture.outputs, with: signer)
    }
    let text = "\(try #require(error))"
    #expect(text.contains("made no signature") && !text.contains(where: \.isNewline))
    #expect(!fixture.names.contains("bundle.json.sig"))
  }
}

/// `download-all key`.
@Suite struct NewSigningKeyTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  @Test func thePrivateKeyIsForItsOwnerOnly() throws {
    let key = try NewSigningKey(at: fixture.root.appending("key"), for: "alice@example.com")
    #expect(try FileInfo(FilePath(key.file)).permissions == .ownerReadWrite)
    #expect(fixture.text("key.pub")?.hasSuffix(" alice@example.com\n") == true)
    #expect(
      key.allowedSigners.hasPrefix("alice@example.com namespaces=\"kubespray-offline-bundle\" ssh-ed25519 "))
    #expect(try BundleSigner(FilePath(key.file)).fingerprint == key.fingerprint)
  }

  @Test(arguments: ["key", "key.pub"])
  func noFileIsReplaced(_ existing: String) throws {
    try fixture.write("mine", to: existing)
    #expect(throws: KeyNotMade.self) { try NewSigningKey(at: fixture.root.appending("key"), for: "alice") }
    #expect(fixture.text(existing) == "mine" && fixture.text(existing == "key" ? "key.pub" : "key") == nil)
  }

  @Test(arguments: ["", "a b", "a,b", "*", "!a", "\"a\"", "#a", "a\n"])
  func aNameThatIsAPatternIsRefused(_ name: String) throws {
    #expect(throws: KeyNotMade.self) { try NewSigningKey(at: fixture.root.appending("key"), for: name) }
    #expect(fixture.text("key") == nil)
  }
}
