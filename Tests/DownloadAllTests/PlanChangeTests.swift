import Bundle
import Settings
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// What becomes of the files of an earlier plan, of other people's files, and of the remains of interrupted runs.
@Suite(.timeLimit(.minutes(10))) struct PlanChangeTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  @Test func filesOfTheOldPlanAreRemovedAndTold() async throws {
    let old = try fixture.artifact("/v1/kubelet", "one")
    let stays = try fixture.artifact("/runc", "runc")
    _ = try await fixture.run([old, stays])
    let report = try await fixture.run([try fixture.artifact("/v2/kubelet", "two"), stays])
    #expect(report.removed == ["files/v1/kubelet"])
    #expect(fixture.names == ["SHA256SUMS", "bundle.json", "files/runc", "files/v2/kubelet"])
    #expect(fixture.text("outputs/files/v1") == nil)
    #expect(fixture.files?.map(\.path.description) == ["files/runc", "files/v2/kubelet"])
  }

  @Test func theyAreRemovedAlsoWhenTheRunThatBroughtThemNeverFinished() async throws {
    let missing = Artifact(
      path: try BundlePath("files/missing"), source: .url(fixture.server.url("/missing")), stage: .files,
      verification: .none)
    let unfinished = try await fixture.run([try fixture.artifact("/v1/kubelet", "one"), missing])
    #expect(unfinished.bundle == nil && fixture.manifest == nil)
    let report = try await fixture.run([try fixture.artifact("/v2/kubelet", "two")])
    #expect(report.removed == ["files/v1/kubelet"])
  }

  @Test func filesOfOtherPeopleAreLeftAndNamed() async throws {
    let artifacts = [try fixture.artifact("/kubelet", "kubelet")]
    _ = try await fixture.run(artifacts)
    let mine = ["outputs/notes.txt", "outputs/files/kubelet.tmp", "outputs/mine/deep/x.part"]
    for path in mine { try fixture.write("mine", to: path) }
    let report = try await fixture.run(artifacts)
    #expect(report.removed.isEmpty)
    for path in mine {
      #expect(fixture.text(path) == "mine")
      let name = path.dropFirst("outputs/".count)
      #expect(fixture.messages.contains { $0.hasPrefix(name) && $0.contains("not part of this bundle") })
    }
  }

  @Test func theRemainsOfInterruptedRunsGo() async throws {
    for name in [
      "files/.incomplete.aa.part", "files/.incomplete.aa.meta", "files/.incomplete.kubelet.tmp",
      ".incomplete.bundle.json.tmp",
    ] {
      try fixture.write("half", to: "outputs/" + name)
    }
    let report = try await fixture.run([try fixture.artifact("/kubelet", "kubelet")])
    #expect(report.removed.isEmpty)
    #expect(fixture.names == ["SHA256SUMS", "bundle.json", "files/kubelet"])
  }

  @Test func noNameOfAFileIsThatOfAnotherOnItsWay() async throws {
    let names = [
      "/x", "/x.part", "/x.part.meta", "/x.tmp", "/x.tmp.part", "/" + String(repeating: "x", count: 255),
    ]
    let report = try await fixture.run(
      try names.map {
        try fixture.artifact($0, String(repeating: $0, count: 50_000), isChecked: $0 != "/x.tmp")
      })
    #expect(report.failures.isEmpty && report.bundle == .complete)
    for name in names {
      #expect(fixture.text("outputs/files" + name) == String(repeating: name, count: 50_000))
    }
  }

  @Test func aManifestLeftAsideByAKillIsNotLeftForever() async throws {
    let artifacts = [try fixture.artifact("/kubelet", "kubelet")]
    _ = try await fixture.run(artifacts)
    try fixture.write(fixture.text("outputs/bundle.json") ?? "", to: "outputs/bundle.json.unfinished")
    _ = try await fixture.run(artifacts)
    #expect(fixture.names == ["SHA256SUMS", "bundle.json", "files/kubelet"])
  }

  @Test func aStageThatIsNotRunKeepsItsFiles() async throws {
    let tarball = try fixture.artifact("/kubespray.tar.gz", "tarball", stage: .py)
    let kubelet = try fixture.artifact("/kubelet", "kubelet")
    _ = try await fixture.run([TestStage(.py) { [tarball] }, TestStage(.files) { [kubelet] }])
    let report = try await fixture.run([try fixture.artifact("/kubelet", "new kubelet")])
    #expect(report.removed.isEmpty && report.bundle == .complete)
    #expect(fixture.names == ["SHA256SUMS", "bundle.json", "files/kubelet", "files/kubespray.tar.gz"])
    #expect(fixture.manifest?.stages == [.py, .files])
    #expect(fixture.files?.map(\.stage) == [.files, .py])
  }

  @Test func anotherArchitectureNeedsEveryStage() async throws {
    let tarball = try fixture.artifact("/kubespray.tar.gz", "tarball", stage: .py)
    let kubelet = try fixture.artifact("/kubelet", "kubelet")
    let both = [TestStage(.py) { [tarball] }, TestStage(.files) { [kubelet] }]
    _ = try await fixture.run(both) { $0.architecture = "amd64" }
    let report = try await fixture.run([both[0]]) { $0.architecture = "arm64" }
    #expect(report.bundle == .unfinished([.files]))
    #expect(fixture.manifest == nil && fixture.text("outputs/files/kubelet") == "kubelet")
    let complete = try await fixture.run(both) { $0.architecture = "arm64" }
    #expect(complete.bundle == .complete && fixture.manifest?.architecture == "arm64")
  }

  @Test func anotherSetOfPlatformsNeedsEveryStage() async throws {
    let tarball = try fixture.artifact("/kubespray.tar.gz", "tarball", stage: .py)
    let kubelet = try fixture.artifact("/kubelet", "kubelet")
    let both = [TestStage(.py) { [tarball] }, TestStage(.files) { [kubelet] }]
    _ = try await fixture.run(both) { $0.architecture = "amd64" }
    let platforms = ["linux/amd64", "linux/arm64"]
    #expect(try await fixture.run([both[0]]) { $0.platforms = platforms }.bundle == .unfinished([.files]))
    #expect(try await fixture.run(both) { $0.platforms = platforms }.bundle == .complete)
    #expect(fixture.manifest?.architecture == "amd64" && fixture.manifest?.platforms == platforms)
  }

  @Test func aRunThatBringsNothingMakesNoBundle() async throws {
    let report = try await fixture.run([TestStage](), precheck: true)
    #expect(report.bundle == .empty && fixture.names.isEmpty)
  }
}
