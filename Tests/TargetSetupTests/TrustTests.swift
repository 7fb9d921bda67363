import Bundle
import Files
import Foundation
import Settings
import SystemPackage
import TestSupport
import Testing
import Trust

@testable import TargetSetup

/// A host with pinned keys, and bundles that are signed with them.
private struct Host {
  let folder: FilePath
  let bundle: FilePath
  let keys: [OpenSSHPrivateKey]
  var signers: FilePath { folder.appending("etc/allowed_signers") }
  var state: FilePath { folder.appending("state/trust.json") }

  /// Ann and Bob may sign; Eve, who has the last key, may not.
  init(_ folder: FilePath) throws {
    self.folder = folder
    bundle = folder.appending("bundle")
    keys = try ["ann", "bob", "eve"].map { try OpenSSHPrivateKey.generate(comment: $0) }
    try put(
      keys.dropLast().map { "\($0.comment)@example.com \($0.publicKey.line(comment: ""))\n" }.joined(),
      at: signers)
  }

  func make(sequence: Int64, expires: String? = nil, signedBy signing: [Int] = [0]) throws {
    try put("x", at: bundle.appending("files/x"))
    var manifest = Manifest.describing(bundle)
    manifest.format = 2
    manifest.id = String(repeating: "\(sequence)", count: 32)
    manifest.sequence = sequence
    manifest.expires = expires
    try manifest.save(to: bundle)
    let bytes = try readBytes(bundle.appending(Manifest.fileName))
    for (number, key) in signing.enumerated() {
      let signature = try SSHSignature(
        signing: bytes, with: keys[key], namespace: SSHSignature.bundleNamespace)
      try put(signature.armored, at: bundle.appending(Manifest.signatureFileNames[number]))
    }
  }

  func admit(_ exceptions: TrustExceptions = [], shell: Bool = false) throws -> BundleTrust {
    try TrustPolicy(signers: signers, state: state, exceptions: exceptions, time: 1_800_000_000)
      .admit(bundle) { shell }.trust
  }

  /// What a run that changes the host does.
  func take(_ exceptions: TrustExceptions = [], shell: Bool = false) throws {
    try admit(exceptions, shell: shell).record()
  }

  func refusal(_ exceptions: TrustExceptions = [], shell: Bool = false) -> String? {
    do {
      _ = try admit(exceptions, shell: shell)
      return nil
    } catch {
      return "\(error)"
    }
  }
}

@Suite("Which bundles a host takes")
struct TrustTests {
  private func withHost(_ body: (Host) throws -> Void) throws {
    try withFolder { try body(try Host($0)) }
  }

  @Test("a bundle of an allowed signer is taken, and written down for root alone")
  func signed() throws {
    try withHost { host in
      try host.make(sequence: 7)
      let trust = try host.admit()
      #expect(trust.summary == "the bundle is signed by ann@example.com")
      #expect(!fileExists(host.state))
      try trust.record()
      #expect((try? FileInfo(host.state))?.permissions == .ownerReadWrite)
      #expect(try TrustMemory.read(host.state)?.sequence == 7)
    }
  }

  @Test("another key, a changed manifest, a missing or linked signature are refused, unless that is said")
  func unsigned() throws {
    let changes: [(Host) throws -> Void] = [
      { try $0.make(sequence: 7, signedBy: [2]) },
      { host in
        let manifest = try #require(text(host.bundle.appending("bundle.json")))
        try put(manifest.replacing("2.30.0", with: "2.30.1"), at: host.bundle.appending("bundle.json"))
      },
      { try removeFile($0.bundle.appending("bundle.json.sig")) },
    ]
    for change in changes {
      try withHost { host in
        try host.make(sequence: 7)
        try change(host)
        #expect(host.refusal()?.contains("(bundle.json by bundle.json.sig)") == true)
        let trust = try host.admit(.unsigned)
        #expect(trust.neededOptions == ["--allow-unsigned"] && !trust.isSigned)
        try trust.record()
        #expect(try host.admit(.unsigned).lines.contains { $0.hasPrefix("--allow-unsigned was given") })
        // What was allowed once is to be said again.
        #expect(host.refusal() != nil)
      }
    }
    try withHost { host in
      try host.make(sequence: 7)
      let signature = host.bundle.appending("bundle.json.sig")
      try moveFile(signature, to: host.folder.appending("sig"))
      try createLink(signature, to: "../sig")
      #expect(host.refusal()?.contains("bundle.json.sig cannot be used") == true)
    }
  }

  @Test("with a threshold of two, two different signers must have signed")
  func threshold() throws {
    try withHost { host in
      try put("2\n", at: host.folder.appending("etc/threshold"))
      try host.make(sequence: 7, signedBy: [0, 0])
      #expect(host.refusal()?.contains("1 of 2 signers") == true)
      try host.make(sequence: 8, signedBy: [0, 1])
      #expect(try host.admit().isSigned)
      try put("many\n", at: host.folder.appending("etc/threshold"))
      #expect(host.refusal() != nil)
    }
  }

  @Test(
    "after a signed bundle no older one is taken, one without a number is older, and neither is an expired one"
  )
  func age() throws {
    try withHost { host in
      try host.make(sequence: 7)
      try host.take()
      try host.make(sequence: 6)
      #expect(host.refusal()?.contains("has sequence 6, and this host has taken 7") == true)
      try host.take(.older)
      #expect(try TrustMemory.read(host.state)?.sequence == 7)
      try host.make(sequence: 8, expires: "2027-01-01T00:00:00Z")
      #expect(host.refusal()?.contains("has expired") == true)
      #expect(try host.admit(.older).neededOptions == ["--allow-older"])
      try host.make(sequence: 8, expires: "2028-01-01T00:00:00Z")
      #expect(host.refusal() == nil)
    }
  }

  @Test("without keys a bundle is taken and called not checked, but not after a signed one")
  func withoutKeys() throws {
    try withHost { host in
      try host.make(sequence: 7)
      let keys = try #require(text(host.signers))
      try removeFile(host.signers)
      #expect(try host.admit().summary.hasPrefix("the bundle is not checked against a key"))
      try host.take()
      #expect(!fileExists(host.state))
      try put(keys, at: host.signers)
      try host.take()
      try removeFile(host.signers)
      #expect(host.refusal()?.contains("is missing") == true)
      #expect(try host.admit(.unsigned).neededOptions == ["--allow-unsigned"])
    }
  }

  @Test("removing bundle.json makes no bundle of the shell project")
  func shellBundle() throws {
    try withHost { host in
      #expect(host.refusal(shell: true)?.contains("has no bundle.json") == true)
      let (allowed, absent) = (try host.admit(.shellBundle, shell: true), try host.admit())
      #expect(allowed.neededOptions == ["--shell-bundle"])
      #expect(absent.standing == .noBundle)
    }
  }

  @Test("a damaged memory or list of keys is refused and not forgotten")
  func damaged() throws {
    try withHost { host in
      try host.make(sequence: 7)
      try host.take()
      try put("{", at: host.state)
      #expect(host.refusal()?.contains("trust.json cannot be used") == true)
      try removeFile(host.state)
      try put("not a key\n", at: host.signers)
      #expect(host.refusal()?.contains("allowed_signers cannot be used") == true)
    }
  }

  @Test("what is allowed is in the journal of each step that changed something, before the first change")
  func journal() async throws {
    try await withFolder { folder in
      var context = context(root: folder, bundle: folder)
      context.trust = BundleTrust(standing: .unsigned, bundle: "7", needed: .unsigned)
      let isEmpty = { try context.journal(.registryClient).allEntries.isEmpty }
      _ = try await SetupRun(context) { _ in WritingStep(failsBefore: true) }.execute([.registryClient])
      #expect(try isEmpty())
      for _ in 1...2 {
        _ = try await SetupRun(context) { _ in WritingStep() }.execute([.registryClient])
        let entries = try context.journal(.registryClient).allEntries
        #expect(entries.first == JournalEntry(.allowed, "--allow-unsigned 7"))
        #expect(entries.count { $0.path == NoteKind.allowed.rawValue } == 1)
        #expect(entries.contains { $0.path == "/etc/written" })
      }
      // What is installed is a change, too.
      let other = try context.journal(.python)
      try other.note(.package, "python3")
      #expect(other.notes(.allowed) == ["--allow-unsigned 7"])
    }
  }

  @Test("an unsigned bundle does not choose any folder of the host")
  func folders() throws {
    func resolve(_ text: String) throws -> Configuration {
      try Configuration.resolve(
        document: Array(text.utf8), source: "/media/usb/config.yml", environment: [:])
    }
    for text in ["registry:\n  directory: /srv/images\n", "target:\n  kubespray_directory: /opt\n"] {
      try SetupContext.refuseForeignFolders(try resolve(text), of: "/media/usb")
    }
    for text in [
      "registry:\n  directory: /etc\n", "target:\n  directory: /media/usb/state\n",
      "target:\n  kubespray_directory: /opt/../root\n", "access:\n  authority: /media/usb/ca.pem\n",
    ] {
      let configuration = try resolve(text)
      #expect(throws: TrustError.self) {
        try SetupContext.refuseForeignFolders(configuration, of: "/media/usb")
      }
      // What the operator says is theirs to say.
      try SetupContext.refuseForeignFolders(configuration, of: "/media/other")
    }
  }
}

private struct WritingStep: Step {
  let name = StepName.registryClient
  var failsBefore = false

  func check(_ context: SetupContext, _ journal: Journal) -> StepState { .needed("to do") }
  func apply(_ context: SetupContext, _ journal: Journal) throws -> String {
    if failsBefore { throw StepError("a file is damaged", .recopy) }
    try journal.write("/etc/written", "\(journal.entries.count)")
    return "done"
  }
}
