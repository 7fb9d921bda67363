import Glibc
import TestServer
import Testing

@testable import Transfer

/// The process may end at any moment: the engine's threads are out of libcurl before its TLS library cleans up.
@Suite(.timeLimit(.minutes(10))) struct ProcessExitTests {
  @Test func whileATransferIsUnderWay() async {
    await #expect(processExitsWith: .exitCode(7)) {
      let fixture = try DownloadFixture()
      let gate = TestServer.Gate()
      fixture.server.route("/file") { _ in
        .init(body: .pattern(count: 10_000)).pausing(after: 5_000, at: gate)
      }
      let engine = try fixture.engine()
      let download = fixture.download()
      Task { try await fixture.run(download, on: engine) }
      await gate.reached()
      exit(7)
    }
  }

  @Test func rightAfterTheEngineHasGone() async {
    await #expect(processExitsWith: .exitCode(7)) {
      let fixture = try DownloadFixture()
      fixture.server.serve("/file", TestServer.Body.pattern(count: 10_000).bytes)
      for _ in 0..<20 { _ = try await fixture.run(fixture.download(), on: fixture.engine()) }
      exit(7)
    }
  }
}
