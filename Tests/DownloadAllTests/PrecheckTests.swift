import Bundle
import Settings
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// What is found before the first download.
@Suite(.timeLimit(.minutes(10))) struct PrecheckTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func run(_ artifacts: [Artifact]) async throws -> RunReport {
    try await fixture.run(artifacts, precheck: true)
  }

  @Test func nothingWrongIsNoHindrance() async throws {
    let report = try await run([try fixture.artifact("/kubelet", "kubelet")])
    #expect(report.failures.isEmpty && report.bundle == .complete)
    #expect(fixture.messages.contains { $0.contains("1 host answers") })
  }

  @Test func aHostThatDoesNotAnswerIsNamedWithTheReason() async throws {
    let gone = try TestServer()
    let url = gone.url("/kubectl")
    gone.stop()
    let report = try await run([
      try fixture.artifact("/kubelet", "kubelet"),
      Artifact(path: try BundlePath("files/kubectl"), source: .url(url), stage: .files, verification: .none),
    ])
    #expect(report.stages.map(\.outcome) == [.failed, .blocked])
    let failure = try #require(report.failures.first)
    #expect(failure.contains("http://127.0.0.1:\(gone.port): cannot be reached:"))
    #expect(!failure.contains(":\(fixture.server.port) "))
    #expect(fixture.downloads.isEmpty && fixture.names.isEmpty)
  }

  @Test(arguments: [
    (0, 1000.0, ""), (5_000_000, nil, ""),
    (1_200_000_000, 10_000_000.0, ", about 2 min at 10 MB/s, the rate of the last run"),
    (1_000_000, 10_000_000.0, ", less than a minute at 10 MB/s, the rate of the last run"),
  ])
  func anEstimateNeedsARateOfBefore(_ bytes: Int64, _ rate: Double?, _ expected: String) {
    #expect(Precheck.estimate(bytes, rate: rate).replacing("10.0 MB", with: "10 MB") == expected)
  }

  @Test func theRateOfARunIsKnownToTheNext() async throws {
    let text = String(repeating: "kubelet ", count: 1 << 20)
    _ = try await run([try fixture.artifact("/big", text)])
    #expect(!fixture.messages.contains { $0.contains("the rate of the last run") })
    _ = try await run([try fixture.artifact("/big", text), try fixture.artifact("/kubelet", "kubelet")])
    #expect(fixture.messages.contains { $0.contains("the rate of the last run") })
  }

  @Test func aMissingFileIsNoReasonToStopTheOthers() async throws {
    let report = try await run([
      try fixture.artifact("/kubelet", "kubelet"),
      Artifact(
        path: try BundlePath("files/helm"), source: .url(fixture.server.url("/helm")), stage: .files,
        verification: .none),
    ])
    #expect(report.stages.map(\.outcome) == [.done, .failed])
    #expect(fixture.text("outputs/files/kubelet") == "kubelet")
  }

  @Test func aDiskThatIsTooSmallIsToldBeforeTheDownload() async throws {
    fixture.server.route("/huge") { _ in TestServer.Response().declaring(length: 1 << 60) }
    let report = try await run([
      Artifact(
        path: try BundlePath("files/huge"), source: .url(fixture.server.url("/huge")), stage: .files,
        verification: .none)
    ])
    #expect(report.failures.first?.contains("not enough space") == true)
    #expect(fixture.downloads.isEmpty)
  }

  @Test func aWrongClockIsAWarning() async throws {
    let body = TestServer.Body("kubelet")
    fixture.server.route("/kubelet") { _ in
      TestServer.Response(body: body).header("Date", TestServer.Response.httpDate(secondsFromNow: -7200))
    }
    let report = try await run([
      Artifact(
        path: try BundlePath("files/kubelet"), source: .url(fixture.server.url("/kubelet")), stage: .files,
        verification: .none)
    ])
    #expect(report.failures.isEmpty)
    #expect(fixture.messages.contains { $0.contains(/clock of this machine is off by 7[12]\d\d/) })
  }

  @Test func aStageThatCannotPlanIsBlamedItselfAndNotThePrecheck() async throws {
    let report = try await fixture.run([TestStage(.files) { throw Broken() }], precheck: true)
    #expect(report.stages.map(\.outcome) == [.done, .failed])
  }

  @Test func aWholeBundleNeedsNoNetwork() async throws {
    let artifacts = [try fixture.artifact("/kubelet", "kubelet")]
    _ = try await run(artifacts)
    fixture.server.stop()
    let report = try await run(artifacts)
    #expect(report.failures.isEmpty && report.skipped == 1)
  }
}
