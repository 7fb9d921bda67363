import Bundle
import Files
import Integrity
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// A run over what an earlier one left: what is whole is neither fetched nor read again, what is not is replaced.
@Suite(.timeLimit(.minutes(10))) struct RerunTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func twoFiles() throws -> [Artifact] {
    [
      try fixture.artifact("/kubelet", "the kubelet"),
      try fixture.artifact("/runc", "runc", isChecked: false),
    ]
  }

  @Test func aFirstRunMakesACompleteBundle() async throws {
    let report = try await fixture.run(try twoFiles())
    #expect(report.failures.isEmpty && report.bundle == .complete)
    #expect(report.bytes == 15)
    #expect(fixture.names == ["SHA256SUMS", "bundle.json", "files/kubelet", "files/runc"])
    #expect(fixture.text("outputs/files/kubelet") == "the kubelet")
    let file = try #require(fixture.files?.first)
    #expect(file.path.description == "files/kubelet" && file.size == 11)
    #expect(file.sha256 == Digest(of: Array("the kubelet".utf8)))
    #expect(file.url == fixture.server.url("/kubelet") && file.verification == .kubesprayChecksum)
  }

  @Test func aRerunAsksNothingReadsNothingAndLeavesTheManifest() async throws {
    let artifacts =
      try twoFiles() + [
        Artifact(
          path: try BundlePath("files.list"), source: .generated(Array("list".utf8)), stage: .files,
          verification: .generated)
      ]
    _ = try await fixture.run(artifacts)
    let manifest = try #require(fixture.text("outputs/bundle.json"))
    let requests = fixture.server.requests.count
    // Bytes that a reader would refuse: whoever does not notice has not read them.
    for name in ["files/kubelet", "files/runc", "files.list"] { try fixture.poison("outputs/" + name) }
    let before = try #require(FileInfo(regularFile: fixture.outputs.appending("bundle.json")))
    let report = try await fixture.run(artifacts)
    #expect(report.skipped == 3 && report.bytes == 0 && report.bundle == .complete)
    #expect(fixture.server.requests.count == requests)
    #expect(fixture.text("outputs/files/kubelet") == "!!!!!!!!!!!")
    #expect(fixture.text("outputs/files.list") == "!!!!")
    #expect(fixture.text("outputs/bundle.json") == manifest)
    #expect(FileInfo(regularFile: fixture.outputs.appending("bundle.json")) == before)
  }

  @Test func aLostCacheCostsReadingNotFetching() async throws {
    let artifacts = try twoFiles()
    _ = try await fixture.run(artifacts)
    try fixture.remove("cache")
    let downloads = fixture.downloads.count
    let report = try await fixture.run(artifacts)
    #expect(report.skipped == 2 && fixture.downloads.count == downloads)
    // What was adopted is not read a second time.
    try fixture.poison("outputs/files/kubelet")
    #expect(try await fixture.run(artifacts).skipped == 2)
  }

  @Test func aLostCacheDoesNotHideDamage() async throws {
    let artifacts = try twoFiles()
    _ = try await fixture.run(artifacts)
    try fixture.remove("cache")
    for name in ["kubelet", "runc"] { try fixture.poison("outputs/files/" + name) }
    let report = try await fixture.run(artifacts)
    #expect(report.skipped == 0 && report.bundle == .complete)
    #expect(fixture.text("outputs/files/kubelet") == "the kubelet")
    #expect(fixture.text("outputs/files/runc") == "runc")
  }

  @Test func aFileOfSHA512IsAdoptedToo() async throws {
    var artifact = try fixture.artifact("/kubelet", "the kubelet")
    artifact.digest = Digest(of: Array("the kubelet".utf8), algorithm: .sha512)
    _ = try await fixture.run([artifact])
    try fixture.remove("cache")
    #expect(try await fixture.run([artifact]).skipped == 1)
    #expect(fixture.downloads.count == 1)
    #expect(fixture.files?.first?.sha256 == Digest(of: Array("the kubelet".utf8)))
  }

  @Test(arguments: ["the kubele", "", "another text", "THE KUBELET"])
  func aFileThatSomebodyChangedIsReplaced(_ text: String) async throws {
    let artifacts = try twoFiles()
    _ = try await fixture.run(artifacts)
    try fixture.write(text, to: "outputs/files/kubelet")
    let report = try await fixture.run(artifacts)
    #expect(report.failures.isEmpty && report.skipped == 1 && report.bytes == 11)
    #expect(fixture.text("outputs/files/kubelet") == "the kubelet")
  }

  @Test func aFileThatWasOnlyTouchedIsReadAndKept() async throws {
    let artifacts = try twoFiles()
    _ = try await fixture.run(artifacts)
    try fixture.write("the kubelet", to: "outputs/files/kubelet")
    let report = try await fixture.run(artifacts)
    #expect(report.skipped == 2 && fixture.downloads.count == 2)
  }

  @Test func aLinkInPlaceOfAFileIsReplacedAndItsTargetStays() async throws {
    let artifacts = try twoFiles()
    _ = try await fixture.run(artifacts)
    try fixture.write("the kubelet", to: "elsewhere")
    try fixture.remove("outputs/files/kubelet")
    try link("../../elsewhere", at: fixture.outputs.appending("files/kubelet"))
    let report = try await fixture.run(artifacts)
    #expect(report.failures.isEmpty)
    #expect(FileInfo(regularFile: fixture.outputs.appending("files/kubelet"))?.size == 11)
    #expect(fixture.text("elsewhere") == "the kubelet")
  }

  @Test func anotherChecksumFetchesAnew() async throws {
    _ = try await fixture.run(try twoFiles())
    let unchanged = try twoFiles()[1]
    let report = try await fixture.run([try fixture.artifact("/kubelet", "a new kubelet"), unchanged])
    #expect(report.failures.isEmpty && report.skipped == 1)
    #expect(fixture.text("outputs/files/kubelet") == "a new kubelet")
    #expect(fixture.files?.first?.sha256 == Digest(of: Array("a new kubelet".utf8)))
  }

  @Test func anotherAddressWithoutAChecksumFetchesAnew() async throws {
    var artifact = try fixture.artifact("/runc", "runc 1", isChecked: false)
    _ = try await fixture.run([artifact])
    fixture.serve("/v2/runc", "runc 2")
    artifact.source = .url(fixture.server.url("/v2/runc"))
    let report = try await fixture.run([artifact])
    #expect(report.skipped == 0 && fixture.text("outputs/files/runc") == "runc 2")
    #expect(fixture.files?.first?.url == fixture.server.url("/v2/runc"))
  }

  @Test func whatThisProgramWritesIsWrittenWhenItChanges() async throws {
    func generated(_ text: String) throws -> [Artifact] {
      [
        Artifact(
          path: try BundlePath("offline.yml"), source: .generated(Array(text.utf8)), stage: .files,
          verification: .generated)
      ]
    }
    _ = try await fixture.run(try generated("one"))
    let report = try await fixture.run(try generated("two"))
    #expect(report.skipped == 0 && fixture.text("outputs/offline.yml") == "two")
    #expect(report.bytes == 0)
  }

  @Test func aLocalFileIsCopiedAndItsOriginRecorded() async throws {
    try fixture.write("a tarball", to: "given.tar.gz")
    let artifact = Artifact(
      path: try BundlePath("files/kubespray.tar.gz"),
      source: .local(fixture.root.appending("given.tar.gz"), origin: "https://example.com/k.tar.gz"),
      stage: .files, verification: .tlsOnly)
    _ = try await fixture.run([artifact])
    #expect(fixture.text("outputs/files/kubespray.tar.gz") == "a tarball")
    #expect(fixture.files?.first?.url == "https://example.com/k.tar.gz")
    #expect(try await fixture.run([artifact]).skipped == 1)
    try fixture.write("a new tarball", to: "given.tar.gz")
    #expect(try await fixture.run([artifact]).skipped == 0)
    #expect(fixture.text("outputs/files/kubespray.tar.gz") == "a new tarball")
  }

  @Test(arguments: [DigestAlgorithm.sha256, .sha512])
  func aLocalFileWithAnotherDigestIsNotInTheBundle(_ algorithm: DigestAlgorithm) async throws {
    try fixture.write("not this one", to: "given")
    let report = try await fixture.run([
      Artifact(
        path: try BundlePath("files/given"), source: .local(fixture.root.appending("given"), origin: nil),
        stage: .files, digest: Digest(of: Array("this one".utf8), algorithm: algorithm), verification: .local)
    ])
    #expect(
      report.failures.count == 1 && report.failures[0].contains("given has digest \(algorithm.rawValue):"))
    #expect(fixture.names.isEmpty)
  }

  @Test func aLocalFileThatIsGoneIsNamed() async throws {
    let report = try await fixture.run([
      Artifact(
        path: try BundlePath("files/given"), source: .local("/no/such/file", origin: nil), stage: .files,
        verification: .local)
    ])
    #expect(report.failures.count == 1 && report.failures[0].contains("/no/such/file cannot be copied"))
  }
}
