import Bundle
import Files
import Integrity
import Kubespray
import Mirrors
import Settings
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// `--offline`: what is here is used, what is missing is named, and nobody is asked.
@Suite(.timeLimit(.minutes(10))) struct OfflineTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func run(_ artifacts: [Artifact], precheck: Bool = true) async throws -> RunReport {
    try await fixture.run([TestStage(.files) { artifacts }], precheck: precheck) {
      $0.transfer.offline = true
    }
  }

  private func stage(_ mirror: any Mirror) -> TestStage {
    TestStage(.repo) { job, tools in
      let found = StageMirrors(tools.resolutions, tools.events(.repo)) { [mirror] }
      let stage = MirrorStage(mirrors: found, remote: tools.remote)
      return [StageTable.Row(name: .repo, needs: [], stage: stage), StageTable.index(found, job, tools)]
    }
  }

  private func file(_ name: String, _ text: String) -> MirrorResolution.File {
    fixture.serve("/pool/" + name, text)
    return MirrorResolution.File(
      path: "pkgs/" + name, url: fixture.server.url("/pool/" + name), size: Int64(text.utf8.count),
      digest: Digest(of: Array(text.utf8)))
  }

  @Test func `A finished bundle is finished`() async throws {
    let artifacts = [try fixture.artifact("/kubelet", "the kubelet")]
    _ = try await fixture.run(artifacts)
    let asked = fixture.server.requests.count
    let report = try await run(artifacts)
    #expect(report.failures.isEmpty && report.bundle == .complete)
    #expect(fixture.server.requests.count == asked)
  }

  @Test func `Each file that is missing is named, and what is here stays`() async throws {
    let here = try fixture.artifact("/kubelet", "the kubelet")
    _ = try await fixture.run([here])
    let asked = fixture.server.requests.count
    let report = try await run([
      here, try fixture.artifact("/runc", "runc"), try fixture.artifact("/crictl", "crictl"),
    ])
    #expect(report.failures.count == 2)
    for name in ["runc", "crictl"] {
      let failure = try #require(report.failures.first { $0.contains("files/\(name):") })
      #expect(failure.contains("the network is not asked") && failure.contains("without --offline"))
    }
    #expect(fixture.server.requests.count == asked)
    #expect(fixture.text("outputs/files/kubelet") == "the kubelet")
  }

  @Test func `Nothing is left out that an earlier run could do without`() async throws {
    var artifact = try fixture.artifact("/driver", "driver")
    artifact.purpose = "a cloud's driver"
    let report = try await run([artifact])
    #expect(report.failures.count == 1)
    #expect(fixture.server.requests.isEmpty)
  }

  @Test func `What a package repository answered counts, however old it is`() async throws {
    let mirror = try StubMirror("debs/local", files: [file("a.deb", "aaa")])
    let first = try await fixture.run([stage(mirror)])
    #expect(first.failures.isEmpty)
    let again = try await fixture.run([stage(mirror)]) {
      $0.refreshAfter = .zero
      $0.transfer.offline = true
    }
    #expect(again.failures.isEmpty && again.bundle == .complete)
    #expect(mirror.resolved == 1)
  }

  @Test func `Packages that nobody was asked for are named`() async throws {
    let mirror = try StubMirror("debs/local", files: [file("a.deb", "aaa")])
    let report = try await fixture.run([stage(mirror)]) { $0.transfer.offline = true }
    let failure = try #require(report.failures.first)
    #expect(failure.contains("debs/local were not asked for before") && failure.contains("without --offline"))
    #expect(mirror.resolved == 0)
  }

  @Test func `The latest kubespray is the newest that is known`() async throws {
    var configuration = fixture.configuration
    configuration.kubespray.version = "latest"
    configuration.transfer.offline = true
    configuration.mirrors["api.github.com"] = fixture.server.baseURL
    let resolved = try await LatestRelease.resolved(configuration, environment: [:], emit: fixture.keep)
    #expect(resolved.kubespray.version == KubesprayReleases.newest)
    #expect(fixture.server.requests.isEmpty)
  }

  @Test func `A git repository is not asked where a branch leads`() async throws {
    let job = fixture.job([]) {
      $0.kubespray.source = "https://git.example.com/kubespray.git#main"
      $0.transfer.offline = true
    }
    let tools = try fixture.tools(job)
    await #expect(throws: NotAsked.self) { try await tools.kubespray.source() }
  }
}
