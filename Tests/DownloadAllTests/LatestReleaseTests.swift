import Bundle
import Files
import Kubespray
import Settings
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// `kubespray.version: latest`.
@Suite struct LatestReleaseTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func resolved(_ change: (inout Configuration) -> Void = { _ in }) async throws -> String {
    var configuration = fixture.configuration
    configuration.kubespray.version = "latest"
    configuration.mirrors["api.github.com"] = fixture.server.baseURL
    change(&configuration)
    return try await LatestRelease.resolved(configuration, environment: [:], emit: fixture.keep).kubespray
      .version
  }

  private func publish(_ releases: [(tag: String, isPrerelease: Bool)]) {
    let entries = releases.map {
      "{\"tag_name\": \"\($0.tag)\", \"draft\": false, \"prerelease\": \($0.isPrerelease), \"body\": \"notes\"}"
    }
    fixture.server.serve(
      "/repos/kubernetes-sigs/kubespray/releases", Array("[\(entries.joined(separator: ", "))]".utf8))
  }

  @Test func `It is the newest release that was published, whatever was published last`() async throws {
    publish([
      ("v98.1.9", false), ("v99.2.0-rc1", true), ("v99.10.0", false), ("v99.9.1", false), ("nightly", false),
    ])
    #expect(try await resolved() == "99.10.0")
    #expect(fixture.messages.contains("the latest kubespray is 99.10.0"))
  }

  @Test func `A draft, and what is before a release, do not count`() async throws {
    publish([("v99.0.0", true), ("v98.0.0", false), ("v98.1.0-rc2", false)])
    #expect(try await resolved() == "98.0.0")
  }

  @Test func `Where nobody tells, it is the newest that is known, and that is said`() async throws {
    #expect(
      try await resolved { $0.mirrors["api.github.com"] = "http://127.0.0.1:9" } == KubesprayReleases.newest)
    #expect(fixture.messages.contains { $0.contains("not known which kubespray is the latest") })
    #expect(try await resolved() == KubesprayReleases.newest)
  }

  @Test func `It never goes back behind the bundle that is there`() async throws {
    try createDirectories(fixture.outputs)
    let manifest = Manifest(
      tool: "test", created: "2026-01-01T00:00:00Z", kubespray: "97.0.0", architecture: "amd64", stages: [],
      files: [])
    try manifest.save(to: fixture.outputs)
    #expect(try await resolved { $0.mirrors["api.github.com"] = "http://127.0.0.1:9" } == "97.0.0")
  }

  @Test func `Any other version is asked of nobody`() async throws {
    #expect(try await resolved { $0.kubespray.version = "2.29.1" } == "2.29.1")
    #expect(fixture.server.requests.isEmpty)
  }

  @Test func `A source of one's own has a version of its own`() async throws {
    await #expect(throws: ConfigurationError.self) {
      try await resolved { $0.kubespray.source = "https://git.example.com/kubespray" }
    }
  }
}
