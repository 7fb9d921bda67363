import Bundle
import Console
import Files
import Settings
import SystemPackage
import Testing

@testable import DownloadAll

/// Several kubespray releases by one command: a bundle each, and what they share on the disk once.
@Suite(.timeLimit(.minutes(10))) struct ReleaseChainTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func chain(
    _ version: String, change: (inout Configuration) -> Void = { _ in }
  ) throws -> ReleaseChain {
    var configuration = fixture.configuration
    configuration.kubespray.version = version
    change(&configuration)
    return try ReleaseChain(configuration)
  }

  @Test func oneReleaseIsAsItWas() throws {
    let chain = try chain("2.30.0")
    #expect(!chain.hasSeveral && chain.gap == nil)
    #expect(chain.configurations.map(\.outputs) == [fixture.outputs])
    #expect(chain.configurations.map(\.lock) == [fixture.configuration.lock])
    #expect(try chain.only(for: "pack").outputs == fixture.outputs)
  }

  @Test func theOldestComesFirstAndEachHasItsOwnFolderLockAndSource() throws {
    let chain = try chain("2.31.0,master,2.9.0,2.30.0") {
      $0.kubespray.source = "/srv/kubespray-{version}.tar.gz"
    }
    #expect(chain.configurations.map(\.kubespray.version) == ["2.9.0", "2.30.0", "2.31.0", "master"])
    #expect(chain.configurations[1].outputs == fixture.outputs.appending("2.30.0"))
    #expect(chain.configurations[1].lock == fixture.root.appending("bundle-2.30.0.lock"))
    #expect(chain.configurations[1].kubespray.source == "/srv/kubespray-2.30.0.tar.gz")
  }

  @Test(arguments: [
    ("2.29.1,2.30.0,2.31.0", nil), ("2.30.0,2.30.1", nil), ("2.31.0,2.29.1", "none of 2.30"),
    ("2.28.0,2.31.0,master", "none of 2.29, 2.30"), ("2.31.0,3.0.0", nil),
  ])
  func aSkippedMinorReleaseIsTold(version: String, words: String?) throws {
    let gap = try chain(version).gap
    #expect(words.map { gap?.hasSuffix($0) == true } ?? (gap == nil))
  }

  @Test func whatCannotBeIsRefusedWithTheWayOut() throws {
    func problem(_ version: String, change: (inout Configuration) -> Void = { _ in }) -> String {
      do {
        _ = try chain(version, change: change).only(for: "pack")
        return ""
      } catch { return "\(Problem(error))" }
    }
    #expect(problem("2.30.0,2.30.0").contains("names 2.30.0 twice"))
    #expect(
      problem("2.30.0,2.31.0") { $0.kubespray.source = fixture.root.string }.contains("Put {version} where"))
    #expect(
      problem("2.30.0,2.31.0").contains("--kubespray-version 2.30.0 --outputs \(fixture.outputs)/2.30.0, or ")
    )
    try createDirectories(fixture.outputs)
    try writeAtomically("{}", to: fixture.outputs.appending("bundle.json"))
    #expect(problem("2.30.0,2.31.0").contains("--outputs bundles"))
  }

  @Test func aNewBundleBeginsWithTheFilesOfItsNeighbour() async throws {
    let chain = try chain("2.30.0,2.31.0")
    let (older, newer) = (chain.configurations[0], chain.configurations[1])
    let common = try fixture.artifact("/runc", "runc", isChecked: false)
    _ = try await run(older, [common, try fixture.artifact("/old", "the old one")])
    #expect(try chain.share(with: older) == nil)

    let shared = try #require(try chain.share(with: newer))
    #expect(shared.from == older.outputs)
    #expect(shared.paths == ["SHA256SUMS", "files/old", "files/runc"])
    let before = fixture.downloads.count
    let report = try await run(newer, [common, try fixture.artifact("/new", "the new one")])
    #expect(report.bundle == .complete && report.skipped == 1)
    #expect(fixture.downloads.count == before + 1)
    #expect(fixture.text("outputs/2.31.0/files/new") == "the new one")
    #expect(!fileExists(newer.outputs.appending("files/old")))
    #expect(fixture.text("outputs/2.30.0/files/old") == "the old one")
    for outputs in [older.outputs, newer.outputs] {
      #expect(try await VerifyRun.run(outputs: outputs, emit: { _ in }).problems.isEmpty)
    }
    #expect(try chain.share(with: newer) == nil)
  }

  @Test func nothingIsTakenOverThatTheNeighbourHasAnotherContentOf() async throws {
    let chain = try chain("2.30.0,2.31.0")
    let (older, newer) = (chain.configurations[0], chain.configurations[1])
    let artifact = try fixture.artifact("/kubelet", "the kubelet")
    _ = try await run(older, [artifact])
    try fixture.poison("outputs/2.30.0/files/kubelet")
    try fixture.remove("cache")
    _ = try chain.share(with: newer)
    let report = try await run(newer, [artifact])
    #expect(report.bundle == .complete && report.skipped == 0)
    #expect(fixture.text("outputs/2.31.0/files/kubelet") == "the kubelet")
    // The other bundle is as it was: nobody writes through a name that both have.
    #expect(fixture.text("outputs/2.30.0/files/kubelet") == "!!!!!!!!!!!")
  }

  private func run(_ configuration: Configuration, _ artifacts: [Artifact]) async throws -> RunReport {
    try await fixture.run(artifacts) { $0 = configuration }
  }
}
