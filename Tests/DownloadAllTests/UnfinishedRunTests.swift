import Bundle
import Console
import Files
import Integrity
import Settings
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// Runs that fail or die, and the runs that follow.
@Suite(.timeLimit(.minutes(10))) struct UnfinishedRunTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  @Test func aMissingFileIsNamedAndTheOthersArrive() async throws {
    let good = [try fixture.artifact("/kubelet", "kubelet"), try fixture.artifact("/runc", "runc")]
    let missing = Artifact(
      path: try BundlePath("files/helm"), source: .url(fixture.server.url("/helm")), stage: .files,
      verification: .none)
    let report = try await fixture.run([missing] + good)
    #expect(report.hasFailures && report.bundle == nil)
    #expect(report.failures.count == 1)
    #expect(report.failures[0].hasPrefix("files/helm: ") && report.failures[0].contains("404"))
    #expect(fixture.names == ["files/kubelet", "files/runc"])

    fixture.serve("/helm", "helm")
    let second = try await fixture.run([missing] + good)
    #expect(second.bundle == .complete && second.skipped == 2)
    #expect(fixture.downloads.filter { $0 == "/kubelet" }.count == 1)
  }

  @Test func aFileWithOtherBytesNeverAppears() async throws {
    let wrong = try fixture.artifact("/kubelet", "the right one")
    fixture.serve("/kubelet", "another thing")
    let report = try await fixture.run([wrong, try fixture.artifact("/runc", "runc")])
    #expect(report.failures.count == 1 && report.failures[0].contains("digest"))
    #expect(fixture.text("outputs/files/kubelet") == nil && fixture.text("outputs/files/runc") == "runc")
    #expect(fixture.manifest == nil)
  }

  @Test func aFailedUpdateLeavesNoManifestAndItsOldOneIsRemembered() async throws {
    let old = try fixture.artifact("/v1/kubelet", "one")
    _ = try await fixture.run([old])
    let new = try fixture.artifact("/v2/kubelet", "two")
    fixture.server.route("/v2/kubelet") { _ in .text("no", status: 404) }
    _ = try await fixture.run([new])
    #expect(fixture.names == ["SHA256SUMS", "bundle.json.unfinished", "files/v1/kubelet"])
    fixture.serve("/v2/kubelet", "two")
    let report = try await fixture.run([new])
    #expect(report.removed == ["files/v1/kubelet"])
    #expect(fixture.names == ["SHA256SUMS", "bundle.json", "files/v2/kubelet"])
  }

  @Test func aKillBeforeTheManifestCostsNothing() async throws {
    let artifacts = [
      try fixture.artifact("/kubelet", "kubelet"), try fixture.artifact("/runc", "runc", isChecked: false),
    ]
    _ = try await fixture.run(artifacts)
    let manifest = fixture.manifest
    try fixture.remove("outputs/bundle.json")
    let report = try await fixture.run(artifacts)
    #expect(report.skipped == 2 && report.bundle == .complete && fixture.downloads.count == 2)
    #expect(fixture.manifest?.files == manifest?.files)
  }

  @Test func aKillInTheMidstOfAnUpdateCostsNothingOfWhatIsThere() async throws {
    let artifacts = [try fixture.artifact("/kubelet", "kubelet"), try fixture.artifact("/runc", "runc")]
    _ = try await fixture.run(artifacts)
    try fixture.write(fixture.text("outputs/bundle.json") ?? "", to: "outputs/bundle.json.unfinished")
    try fixture.remove("outputs/bundle.json")
    try fixture.remove("outputs/files/runc")
    let report = try await fixture.run(artifacts)
    #expect(report.skipped == 1 && report.bytes == 4)
    #expect(fixture.names == ["SHA256SUMS", "bundle.json", "files/kubelet", "files/runc"])
  }

  @Test func aCancelledRunLeavesPartsAndNoManifest() async throws {
    let gate = TestServer.Gate()
    let body = TestServer.Body.pattern(count: 400_000)
    let artifact = Artifact(
      path: try BundlePath("files/big"), source: .url(fixture.server.url("/big")), stage: .files,
      digest: Digest(of: body.bytes), verification: .kubesprayChecksum)
    let resource = TestServer.Resource(body, entityTag: "\"1\"")
    fixture.server.route("/big") { request in
      request.method == "GET"
        ? resource.response(to: request).pausing(after: 100_000, at: gate) : resource.response(to: request)
    }
    let run = Task { [fixture] in try await fixture.run([artifact]) }
    await gate.reached()
    run.cancel()
    await #expect(throws: CancellationError.self) { try await run.value }
    #expect(fixture.manifest == nil && fixture.text("outputs/files/big") == nil)

    fixture.server.serve("/big", resource)
    let report = try await fixture.run([artifact])
    #expect(report.bundle == .complete)
    #expect(fixture.names == ["SHA256SUMS", "bundle.json", "files/big"])
  }

  @Test func anotherStageDoesNotFinishWhatAnInterruptedOneLeft() async throws {
    let tarball = TestStage(.py) { [fixture] in
      [try fixture.artifact("/kubespray.tar.gz", "tarball", stage: .py)]
    }
    let missing = Artifact(
      path: try BundlePath("files/helm"), source: .url(fixture.server.url("/helm")), stage: .files,
      verification: .none)
    let files = TestStage(.files) { [fixture] in [try fixture.artifact("/kubelet", "kubelet"), missing] }
    #expect(try await fixture.run([files]).hasFailures)
    #expect(try await fixture.run([tarball]).bundle == .unfinished([.files]))
    #expect(fixture.manifest == nil)
    fixture.serve("/helm", "helm")
    #expect(try await fixture.run([tarball, files]).bundle == .complete)
    #expect(fixture.files?.count == 3)
  }

  @Test(arguments: [false, true])
  func aStageRunAloneFinishesTheBundleWhenTheOthersAreWhole(_ isCacheLost: Bool) async throws {
    let tarball = TestStage(.py) { [fixture] in
      [try fixture.artifact("/kubespray.tar.gz", "tarball", stage: .py)]
    }
    let kubelet = try fixture.artifact("/kubelet", "kubelet")
    _ = try await fixture.run([tarball, TestStage(.files) { [kubelet] }])
    let update = try fixture.artifact("/kubelet", "new kubelet")
    fixture.server.route("/kubelet") { _ in .text("no", status: 404) }
    #expect(try await fixture.run([update]).hasFailures)
    if isCacheLost { try fixture.remove("cache") }
    fixture.serve("/kubelet", "new kubelet")
    #expect(try await fixture.run([update]).bundle == .complete)
    #expect(fixture.files?.count == 2)

    #expect(try await fixture.run([kubelet]).hasFailures)
    if isCacheLost { try fixture.remove("cache") }
    try fixture.write("TARBALL", to: "outputs/files/kubespray.tar.gz")
    #expect(try await fixture.run([update]).bundle == .unfinished([.py]))
  }

  @Test func aSecondRunIsRefusedWithTheProcessOfTheFirst() async throws {
    let artifacts = [try fixture.artifact("/kubelet", "kubelet")]
    let lock = try RunLock.take(fixture.job([]))
    let error = await #expect(throws: FileLockError.self) { try await fixture.run(artifacts) }
    #expect("\(try #require(error))".contains("locked by process \(ownProcess)"))
    withExtendedLifetime(lock) {}
    #expect(fixture.names.isEmpty)
  }

  @Test func theLockMayLieInTheCache() async throws {
    // Nobody can make a file of a folder's name, as in a folder above that belongs to somebody else.
    try fixture.write("", to: "outputs.lock/x")
    let artifacts = [try fixture.artifact("/kubelet", "kubelet")]
    let job = fixture.job([])
    _ = try fixture.tools(job)
    let lock = try RunLock.take(job)
    await #expect(throws: FileLockError.self) { try await fixture.run(artifacts) }
    withExtendedLifetime(lock) {}
  }

  @Test func anUnusableFolderIsNamed() async throws {
    try fixture.write("a file", to: "file")
    let below = fixture.root.appending("file/outputs")
    let outputs = await #expect(throws: UnusableFolder.self) {
      try await fixture.run([Artifact]()) { $0.outputs = below }
    }
    #expect("\(try #require(outputs))".contains("\(below) cannot be used: Not a directory"))
    let cache = await #expect(throws: UnusableFolder.self) {
      try await fixture.run([Artifact]()) { $0.cache = below }
    }
    #expect(Problem(try #require(cache)).advice?.contains("--cache") == true)
  }
}
