import Bundle
import SystemPackage
import Testing

@testable import DownloadAll

/// The `verify` command over what a run made.
@Suite(.timeLimit(.minutes(10))) struct VerifyRunTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  @Test func aFreshBundleIsWhole() async throws {
    _ = try await fixture.run([try fixture.artifact("/kubelet", "kubelet")])
    let result = try await VerifyRun.run(outputs: fixture.outputs, emit: fixture.keep)
    #expect(result.problems.isEmpty && result.files == 2)
    #expect(result.bytes == 7 + Int64(fixture.text("outputs/SHA256SUMS")?.utf8.count ?? 0))
  }

  @Test func whatARerunBelievesIsReadHere() async throws {
    _ = try await fixture.run([try fixture.artifact("/kubelet", "kubelet")])
    try fixture.poison("outputs/files/kubelet")
    try fixture.write("x", to: "outputs/x")
    let result = try await VerifyRun.run(outputs: fixture.outputs, emit: fixture.keep)
    #expect(result.problems.map(\.path) == ["files/kubelet", "x"])
    #expect(result.problems.map(\.kind) == ["damaged", "unexpected"])
  }

  @Test func aQuickLookSaysThatItHasReadNothing() async throws {
    _ = try await fixture.run([try fixture.artifact("/kubelet", "kubelet")])
    try fixture.poison("outputs/files/kubelet")
    let nothing = VerifiedFiles(fixture.outputs.appending("../nothing.jsonl"))
    let result = try await VerifyRun.run(
      outputs: fixture.outputs, quickly: nothing, emit: fixture.keep)
    #expect(result.problems.isEmpty && !result.contentRead)
  }

  @Test func anUnfinishedBundleIsNone() async throws {
    let error = await #expect(throws: UnfinishedBundle.self) {
      try await VerifyRun.run(outputs: fixture.outputs, emit: fixture.keep)
    }
    #expect("\(try #require(error))".contains("there is no bundle, or it is not finished"))
  }
}
