import Bundle
import Console
import Settings
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// Which stages run, what a failed one means for the others, and what they may not do to each other.
@Suite(.timeLimit(.minutes(10))) struct StageTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private static let selections: [([StageName], [StageName])] = [
    ([], StageName.allCases),
    ([.files], [.pkgs, .py, .kubespray, .files]),
    ([.images], [.pkgs, .py, .kubespray, .images]),
    ([.py], [.pkgs, .py, .kubespray]),
    ([.kubespray], [.pkgs, .kubespray]),
    ([.pypi], [.pkgs, .kubespray, .pypi]),
    ([.repo], [.pkgs, .py, .kubespray, .repo]),
    ([.scripts], [.pkgs, .py, .kubespray, .scripts]),
    ([.precheck], [.precheck]),
    ([.kubespray, .precheck, .kubespray], [.precheck, .pkgs, .kubespray]),
  ]

  @Test(arguments: selections)
  func aSelectionIncludesWhatItNeeds(_ named: [StageName], _ expected: [StageName]) {
    #expect(StageTable.selection(named, Configuration()) == expected)
  }

  @Test func imagesOfAListNeedNoKubespray() {
    var configuration = Configuration()
    configuration.images.from = "list.txt"
    #expect(StageTable.selection([.images], configuration) == [.images])
  }

  @Test func theTableHasEveryStageInTheirOrder() throws {
    let job = Job(fixture.configuration, projectRoot: fixture.root)
    let rows = try StageTable.rows(job, try fixture.tools(job), isPlanning: false)
    let names = rows.map(\.name).reduce(into: [StageName]()) { if $0.last != $1 { $0.append($1) } }
    #expect(names == StageName.allCases.filter { $0 != .precheck && $0 != .prove })
  }

  @Test func aFailedStageBlocksThoseThatNeedItAndNoOthers() async throws {
    let report = try await fixture.run([
      TestStage(.py) { throw Broken() },
      TestStage(.files, needs: [.py]) { [fixture] in [try fixture.artifact("/kubelet", "kubelet")] },
      TestStage(.kubespray) { [fixture] in
        [try fixture.artifact("/kubespray.tar.gz", "tarball", stage: .kubespray)]
      },
    ])
    #expect(report.stages.map(\.outcome) == [.failed, .blocked, .done])
    #expect(report.failures == ["py: the test broke it"])
    #expect(report.stages[1].summary == "not started, because stage py failed")
    #expect(fixture.names == ["files/kubespray.tar.gz"])
  }

  @Test func theStageThatFailedFirstIsBlamed() async throws {
    let report = try await fixture.run([
      TestStage(.kubespray) { throw Broken() }, TestStage(.py, needs: [.kubespray]),
      TestStage(.files, needs: [.py]),
    ])
    #expect(report.stages.map(\.outcome) == [.failed, .blocked, .blocked])
    #expect(report.failures == ["kubespray: the test broke it"])
    #expect(report.stages.last?.summary == "not started, because stage kubespray failed")
  }

  @Test func aFailedPrecheckStopsEveryDownload() async throws {
    let kubelet = try fixture.artifact("/kubelet", "kubelet")
    let report = try await fixture.run([TestStage(.repo) { [kubelet] }], precheck: true) {
      $0.packages.targets = ["beos-5"]
    }
    #expect(report.stages.map(\.outcome) == [.failed, .blocked])
    #expect(fixture.downloads.isEmpty && fixture.names.isEmpty)
  }

  @Test(arguments: ["/tool", "/Tool"])
  func twoFilesForOnePlaceAreAnErrorThatNamesBoth(_ path: String) async throws {
    let first = try fixture.artifact("/tool", "one")
    var second = try fixture.artifact(path, "two")
    second.source = .url("http://user:secret@other.example/tool")
    let report = try await fixture.run([first, second])
    let failure = try #require(report.failures.first)
    #expect(failure.contains(fixture.server.url("/tool")) && failure.contains("other.example/tool"))
    #expect(!failure.contains("secret"))
    #expect(fixture.downloads.isEmpty)
  }

  @Test func aRunThatIsOverHoldsNothing() async throws {
    let artifact = try fixture.artifact("/tool", "one")
    weak var engine: AnyObject?
    do {
      let stages = [TestStage(.py), TestStage(.files, needs: [.py]) { [artifact] }]
      let job = fixture.job(stages)
      let tools = try fixture.tools(job)
      engine = tools.downloads.engine
      _ = try await Pipeline(job, tools, stages.flatMap { $0.rows(job, tools) }).execute()
    }
    #expect(engine == nil)
  }

  @Test func theSameFileTwiceIsOneFile() async throws {
    let artifact = try fixture.artifact("/tool", "one")
    let report = try await fixture.run([artifact, artifact])
    #expect(report.failures.isEmpty && report.stages.first?.items == 1)
  }

  @Test func twoStagesForOnePlaceAreAnErrorToo() async throws {
    let first = try fixture.artifact("/tool", "one", stage: .py)
    let second = try fixture.artifact("/tool", "one")
    let report = try await fixture.run([TestStage(.py) { [first] }, TestStage(.files) { [second] }])
    #expect(report.stages.filter { $0.outcome == .failed }.count == 1)
    #expect(report.failures.first?.contains("two files want one place") == true)
    #expect(fixture.manifest == nil)
  }

  @Test func theLimitOnConnectionsHolds() async throws {
    let artifacts = try (0..<12).map { try fixture.artifact("/file\($0)", "content \($0)") }
    let report = try await fixture.run(artifacts) {
      $0.transfer.parallel = 3
      $0.transfer.perHost = 2
    }
    #expect(report.failures.isEmpty && fixture.files?.count == 12)
    #expect(fixture.server.peakRequests <= 2)
  }

  @Test func aMirrorIsAskedAndTheOriginalAddressRecorded() async throws {
    fixture.serve("/nexus/github/release/tool", "tool")
    let url = "https://GitHub.example/release/tool"
    let report = try await fixture.run(
      [
        Artifact(
          path: try BundlePath("files/tool"), source: .url(url), stage: .files, verification: .tlsOnly)
      ]
    ) { [fixture] in $0.mirrors = ["github.example": fixture.server.url("/nexus/github")] }
    #expect(report.failures.isEmpty)
    #expect(fixture.text("outputs/files/tool") == "tool")
    #expect(fixture.files?.first?.url == url)
  }

  @Test func aMirrorWithoutTLSVouchesForNothing() throws {
    let tools = try fixture.tools(
      fixture.job([]) { $0.mirrors = ["a.example": "http://nexus", "b.example": "https://nexus"] })
    #expect(tools.remote.verification(of: "https://a.example/x") == .none)
    #expect(tools.remote.verification(of: "https://b.example/x") == .tlsOnly)
    #expect(tools.remote.verification(of: "https://c.example/x") == .tlsOnly)
  }

  @Test func credentialsOfAnAddressAreNotInTheBundleOrTheCache() async throws {
    var artifact = try fixture.artifact("/tool", "tool", isChecked: false)
    artifact.source = .url("http://someone:s3cr3t@127.0.0.1:\(fixture.server.port)/tool")
    #expect(try await fixture.run([artifact]).failures.isEmpty)
    #expect(fixture.files?.first?.url == "http://***@127.0.0.1:\(fixture.server.port)/tool")
    for path in ["outputs/bundle.json", "cache/verified-files.jsonl"] {
      #expect(try #require(fixture.text(path)).contains("s3cr3t") == false)
    }
    #expect(try await fixture.run([artifact]).skipped == 1)
    try fixture.remove("cache")
    #expect(try await fixture.run([artifact]).skipped == 1)
  }

  @Test func aPageInsteadOfTheKubesprayTarballIsFetchedAgain() async throws {
    fixture.serve("/kubespray.tar.gz", "<html>please log in</html>")
    for attempt in 1...2 {
      let tools = try fixture.tools(
        fixture.job([]) { [fixture] in $0.kubespray.source = fixture.server.url("/kubespray.tar.gz") })
      await #expect(throws: (any Error).self) { try await tools.kubespray.source() }
      #expect(fixture.downloads.count == attempt)
    }
  }
}

/// Room on the disk, as far as it is promised.
@Suite struct SpaceTests {
  private func files(_ sizes: [Int64]) throws -> [(path: BundlePath, bytes: Int64)] {
    try sizes.enumerated().map { (try BundlePath("file\($0)"), $1) }
  }

  @Test func whatDoesNotFitIsRefusedAndPromisedToNobody() throws {
    let space = SpaceReservations(folder: "/tmp/no/such/folder/yet")
    let error = #expect(throws: NotEnoughSpace.self) { try space.take(try files([1 << 60])) }
    #expect(
      Problem(try #require(error)).description.hasPrefix("/tmp/no/such/folder/yet: not enough space: "))
    #expect(space.reservedBytes == 0)
  }

  @Test func whatIsWrittenIsNoLongerPromised() throws {
    let space = SpaceReservations(folder: "/tmp")
    let reservation = try space.take(try files([1000, 200]))
    #expect(space.reservedBytes == 1200)
    reservation.release(try BundlePath("file0"))
    reservation.release(try BundlePath("file0"))
    #expect(space.reservedBytes == 200)
    reservation.release()
    #expect(space.reservedBytes == 0)
  }

  @Test func nothingAlwaysFits() throws {
    try SpaceReservations(folder: "/proc").take([]).release()
  }
}
