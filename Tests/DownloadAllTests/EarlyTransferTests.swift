import Bundle
import Console
import Files
import Integrity
import Synchronization
import SystemPackage
import TestServer
import Testing
import Transfer

@testable import DownloadAll

/// A signal that a test gives once.
struct Signal: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func give() { continuation.yield() }

  /// Waits for it, or for the cancellation of the task. One may wait.
  func wait() async { for await _ in stream { return } }
}

/// Transfers begin when they can, and stop for those alone that cannot have them.
@Suite(.timeLimit(.minutes(10))) struct EarlyTransferTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  @Test func filesArriveWhileASolverStillWorks() async throws {
    let kubelet = try fixture.artifact("/kubelet", "kubelet")
    let package = try fixture.artifact("/a.deb", "package", stage: .repo)
    let asked = Signal()
    fixture.server.route("/kubelet") { request in
      if request.method == "GET" { asked.give() }
      return .text("kubelet")
    }
    let solver = TestStage(.repo) {
      // The solver comes to its end when the file of the other stage is being fetched, not before.
      await asked.wait()
      return [package]
    }
    let report = try await fixture.run([TestStage(.files) { [kubelet] }, solver], precheck: true)
    #expect(report.failures.isEmpty && report.bundle == .complete)
    #expect(fixture.messages.contains { $0.contains("1 host answers; 14 B to fetch") })
  }

  @Test func aHostThatDoesNotAnswerStopsThoseWhoNeedItAndNoOthers() async throws {
    let gone = try TestServer()
    let url = gone.url("/kubespray.tar.gz")
    gone.stop()
    let tarball = Artifact(
      path: try BundlePath("files/kubespray.tar.gz"), source: .url(url), stage: .kubespray,
      verification: .none)
    let kubelet = try fixture.artifact("/kubelet", "kubelet")
    let report = try await fixture.run(
      [TestStage(.kubespray) { [tarball] }, TestStage(.files) { [kubelet] }], precheck: true)
    #expect(report.stages.map(\.stage) == [.precheck, .kubespray, .files])
    #expect(report.stages.map(\.outcome) == [.failed, .blocked, .done])
    #expect(report.failures.count == 1)
    #expect(report.failures.first?.contains("http://127.0.0.1:\(gone.port): cannot be reached:") == true)
    #expect(report.stages[1].summary == "not started, because stage precheck failed")
    #expect(fixture.names == ["files/kubelet"] && fixture.manifest == nil)
  }

  @Test func aPlanThatComesLaterAndDoesNotFitStopsTheRunAndKeepsWhatIsThere() async throws {
    let gate = TestServer.Gate()
    let body = TestServer.Body.pattern(count: 400_000)
    let image = Artifact(
      path: try BundlePath("files/big"), source: .url(fixture.server.url("/big")), stage: .files,
      digest: Digest(of: body.bytes), verification: .kubesprayChecksum)
    let resource = TestServer.Resource(body, entityTag: "\"1\"")
    fixture.server.route("/big") { request in
      request.method == "GET"
        ? resource.response(to: request).pausing(after: 100_000, at: gate) : resource.response(to: request)
    }
    fixture.server.route("/huge") { _ in TestServer.Response().declaring(length: 1 << 60) }
    let huge = Artifact(
      path: try BundlePath("files/huge"), source: .url(fixture.server.url("/huge")), stage: .repo,
      verification: .none)
    let late = TestStage(.repo) {
      await gate.reached()
      return [huge]
    }
    let report = try await fixture.run([TestStage(.files) { [image] }, late], precheck: true)
    #expect(report.stages.map(\.outcome) == [.failed, .blocked, .blocked])
    #expect(report.failures.count == 1 && report.failures.first?.contains("not enough space") == true)
    #expect(report.stages[1].summary == "stopped, because stage precheck failed")
    #expect(!fixture.downloads.contains("/huge"))
    #expect(
      fixture.manifest == nil
        && FileInfo(regularFile: Download.partFile(of: fixture.outputs.appending("files/big"))) != nil)

    fixture.server.serve("/big", resource)
    let next = try await fixture.run([image], precheck: true)
    #expect(next.bundle == .complete && next.bytes < 400_000)
  }

  @Test func aLineSaysForWhatItsStageWaits() async throws {
    let kubelet = try fixture.artifact("/kubelet", "kubelet")
    let report = try await fixture.run(
      [
        TestStage(.pkgs), TestStage(.py, needs: [.pkgs]),
        TestStage(.files, needs: [.py]) { [kubelet] },
      ], precheck: true)
    #expect(report.failures.isEmpty)
    #expect(fixture.activities(of: .py) == ["waits for the programs that this machine lacks"])
    #expect(fixture.activities(of: .files) == ["waits for the catalog", "asks the servers for sizes"])
    #expect(
      fixture.activities(of: .precheck).first == "waits for what these stages want: pkgs, py, files")
  }

  @Test(.timeLimit(.minutes(10)))
  func whatNeedsNoCatalogStartsBeforeIt() async throws {
    let (prepared, preparation) = AsyncStream.makeStream(of: Void.self)
    let repo = TestStage(.repo) { _, _ in
      let stage = StubStage(preparation: { preparation.finish() }, plan: { [] })
      return [StageTable.Row(name: .repo, needs: [.findings(.pkgs), .findings(.py)], stage: stage)]
    }
    let report = try await fixture.run(
      [
        TestStage(.pkgs),
        // The catalog is not known before the other stage was prepared.
        TestStage(.py, needs: [.pkgs]) {
          for await _ in prepared {}
          return []
        }, repo,
      ])
    #expect(report.stages.map(\.outcome) == [.done, .done, .done])
  }

  @Test(arguments: [false, true])
  func nothingIsPreparedWithoutThePrograms(_ fails: Bool) async throws {
    let wasPrepared = Mutex(false)
    let stages = [
      TestStage(.pkgs) {
        if fails { throw Broken() }
        return []
      },
      TestStage(.repo) { _, _ in
        let stage = StubStage(preparation: { wasPrepared.withLock { $0 = true } }, plan: { [] })
        return [StageTable.Row(name: .repo, needs: [.findings(.pkgs)], stage: stage)]
      },
    ]
    _ = try await fixture.run(stages)
    #expect(wasPrepared.withLock { $0 } == !fails)
  }

  @Test(arguments: [false, true])
  func whatIsMadeOfAnotherStagesFilesWaitsForThem(_ fails: Bool) async throws {
    let wheel = try fixture.artifact("/a.whl", "wheel", stage: .pypi)
    if fails { fixture.server.route("/a.whl") { _ in .text("no", status: 404) } }
    let made = Artifact(
      path: try BundlePath("images/made"), source: .generated([1]), stage: .images, verification: .generated)
    let seen = fixture.outputs.appending("files/a.whl")
    let images = TestStage(.images) { _, _ in
      [
        StageTable.Row(name: .images, needs: [], stage: StubStage { [] }),
        StageTable.Row(
          name: .images, needs: [.files(.pypi)],
          stage: StubStage {
            guard FileInfo(regularFile: seen) != nil else { throw Broken() }
            return [made]
          }, product: "the image"),
      ]
    }
    let report = try await fixture.run([TestStage(.pypi) { [wheel] }, images])
    #expect(fixture.activities(of: .images).first == "waits for the Python packages")
    #expect(report.stages.map(\.outcome) == (fails ? [.failed, .failed] : [.done, .done]))
    #expect(
      report.stages.last?.failures.map(\.detail)
        == (fails
          ? ["the image cannot be made: stage pypi, whose files it is made of, failed."] : []))
  }

  @Test func aBundleThatStaysAsItIsIsKnownToStay() async throws {
    _ = try await fixture.run([try fixture.artifact("/kubelet", "kubelet")])
    let unchanged = try PreviousBundle(outputs: fixture.outputs)
    unchanged.stayed()
    #expect(await unchanged.hasChanged() == false)
    let changed = try PreviousBundle(outputs: fixture.outputs)
    try changed.markUnfinished()
    #expect(await changed.hasChanged())
  }
}
