import Bundle
import Cache
import Files
import Integrity
import Mirrors
import Settings
import Synchronization
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// A mirror whose solver decides what the test says, and whose index is a list of its files.
final class StubMirror: Mirror {
  let folder: BundlePath
  private let question: String
  /// The fingerprint of the key that its index is signed with.
  private let signer: String?
  private let decision: Mutex<MirrorResolution>
  /// How often the solver was asked, and the index made.
  let counts = Mutex<(resolved: Int, indexed: Int)>((0, 0))

  init(
    _ folder: String, inputs: String = "", files: [MirrorResolution.File], warnings: [String] = [],
    signer: String? = nil
  ) throws {
    self.signer = signer
    self.folder = try BundlePath(folder)
    question = inputs
    decision = Mutex(MirrorResolution(files: files, warnings: warnings))
  }

  func inputs() async throws -> String { question }

  func asked() -> [String] { [question] }

  func resolve(_ say: @escaping @Sendable (String) -> Void) async throws -> MirrorResolution {
    counts.withLock { $0.resolved += 1 }
    say("asking the solver")
    return decision.withLock { $0 }
  }

  func makeIndex(
    of resolution: MirrorResolution, in content: FilePath, to destination: FilePath
  ) async throws -> String? {
    counts.withLock { $0.indexed += 1 }
    var lines = ""
    for file in resolution.files {
      lines += "\(file.path) \(try Digest(ofFile: content.appending(file.path)).hex)\n"
    }
    try createDirectories(destination.appending("dists"))
    try writeAtomically(lines, to: destination.appending("dists/Packages"))
    return signer
  }

  var resolved: Int { counts.withLock { $0.resolved } }
  var indexed: Int { counts.withLock { $0.indexed } }
}

/// A mirror that cannot be resolved.
struct BrokenMirror: Mirror {
  let folder: BundlePath
  func inputs() async throws -> String { "" }
  func asked() -> [String] { [] }
  func resolve(_ say: @escaping @Sendable (String) -> Void) async throws -> MirrorResolution {
    throw Broken()
  }
  func makeIndex(of resolution: MirrorResolution, in content: FilePath, to destination: FilePath) async throws
    -> String?
  { nil }
}

/// Stages of package mirrors: resolved, fetched, indexed, and quick the next time.
@Suite(.timeLimit(.minutes(10))) struct MirrorStageTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func stage(_ mirrors: any Mirror...) -> TestStage {
    TestStage(.repo) { job, tools in
      let found = StageMirrors(tools.resolutions, tools.events(.repo)) { mirrors }
      let stage = MirrorStage(mirrors: found, remote: tools.remote)
      return [
        StageTable.Row(name: .repo, needs: [], stage: stage), StageTable.index(found, job, tools),
      ]
    }
  }

  /// A package that the server has.
  private func file(_ name: String, _ text: String, isChecked: Bool = true) -> MirrorResolution.File {
    fixture.serve("/pool/" + name, text)
    return MirrorResolution.File(
      path: "pkgs/" + name, url: fixture.server.url("/pool/" + name), size: Int64(text.utf8.count),
      digest: isChecked ? Digest(of: Array(text.utf8)) : nil)
  }

  @Test func packagesAreFetchedAndThenIndexed() async throws {
    let mirror = try StubMirror("debs/local", files: [file("a.deb", "aaa"), file("b.deb", "bb")])
    let report = try await fixture.run([stage(mirror)])
    #expect(report.failures.isEmpty && report.bundle == .complete)
    #expect(
      fixture.names == [
        "SHA256SUMS", "bundle.json", "debs/local/dists/Packages", "debs/local/pkgs/a.deb",
        "debs/local/pkgs/b.deb",
      ])
    let digest = Digest(of: Array("aaa".utf8)).hex
    #expect(fixture.text("outputs/debs/local/dists/Packages")?.hasPrefix("pkgs/a.deb \(digest)") == true)
    let verified = try #require(fixture.files).map(\.verification)
    #expect(verified == [.generated, .repositoryMetadata, .repositoryMetadata])
    #expect(report.stages.first?.items == 3 && report.bytes == 5)
  }

  @Test func aRerunAsksNobodyReadsNothingAndMakesNothing() async throws {
    let files = [file("a.deb", "aaa")]
    _ = try await fixture.run([stage(try StubMirror("debs/local", files: files))])
    let requests = fixture.server.requests.count
    let manifest = fixture.text("outputs/bundle.json")
    for name in ["pkgs/a.deb", "dists/Packages"] { try fixture.poison("outputs/debs/local/" + name) }
    let again = try StubMirror("debs/local", files: files)
    let report = try await fixture.run([stage(again)])
    #expect(report.failures.isEmpty && report.skipped == 2 && report.bytes == 0)
    #expect(again.resolved == 0 && again.indexed == 0)
    #expect(fixture.server.requests.count == requests)
    #expect(fixture.text("outputs/debs/local/pkgs/a.deb") == "!!!")
    #expect(fixture.text("outputs/bundle.json") == manifest)
    #expect(fixture.messages.contains { $0.contains("--refresh asks again") })
  }

  @Test func sizesInTheMetadataAreNotAskedOfTheServer() async throws {
    let mirror = try StubMirror("debs/local", files: (0..<20).map { file("\($0).deb", "package \($0)") })
    let report = try await fixture.run([stage(mirror)], precheck: true)
    #expect(report.failures.isEmpty)
    // One question to see that the host answers.
    #expect(fixture.server.requests.filter { $0.method == "HEAD" }.count == 1)
  }

  @Test func whatNobodyNeedsAndTheServerNoLongerHasIsLeftOut() async throws {
    let gone = MirrorResolution.File(
      path: "pkgs/gone.deb", url: fixture.server.url("/pool/gone.deb"), size: 4,
      digest: Digest(of: Array("gone".utf8)), isOptional: true)
    let files = [file("a.deb", "aaa"), gone]
    let report = try await fixture.run([stage(try StubMirror("debs/local", files: files))])
    #expect(report.failures.isEmpty && report.bundle == .complete)
    #expect(fixture.messages.contains { $0.contains("left out") && $0.contains("/pool/gone.deb") })
    #expect(fixture.text("outputs/debs/local/dists/Packages")?.contains("gone.deb") == false)
    // It is there again: so is it in the index.
    fixture.serve("/pool/gone.deb", "gone")
    let next = try await fixture.run([stage(try StubMirror("debs/local", files: files))])
    #expect(next.failures.isEmpty)
    #expect(fixture.text("outputs/debs/local/dists/Packages")?.contains("gone.deb") == true)
  }

  @Test func otherInputsAreAnotherQuestion() async throws {
    _ = try await fixture.run([
      stage(try StubMirror("debs/local", inputs: "1", files: [file("a.deb", "aaa")]))
    ])
    let other = try StubMirror("debs/local", inputs: "2", files: [file("b.deb", "bb")])
    let report = try await fixture.run([stage(other)])
    #expect(other.resolved == 1 && other.indexed == 1)
    #expect(report.removed == ["debs/local/pkgs/a.deb"])
    #expect(fixture.text("outputs/debs/local/dists/Packages")?.hasPrefix("pkgs/b.deb") == true)
    #expect(fixture.names.contains("debs/local/pkgs/b.deb"))
  }

  @Test func refreshAsksAgain() async throws {
    let first = [file("a.deb", "aaa")]
    _ = try await fixture.run([stage(try StubMirror("debs/local", files: first))])
    let mirror = try StubMirror("debs/local", files: [file("a.deb", "AAAA")])
    let report = try await fixture.run([stage(mirror)]) { $0.refreshAfter = .zero }
    #expect(report.failures.isEmpty && mirror.resolved == 1 && mirror.indexed == 1)
    #expect(fixture.text("outputs/debs/local/pkgs/a.deb") == "AAAA")
  }

  @Test func anotherSigningKeyIsAnotherIndex() async throws {
    let mirror = try StubMirror("debs/local", files: [file("a.deb", "aaa")])
    _ = try await fixture.run([stage(mirror)])
    try fixture.write("secret", to: "key.asc")
    for key in ["ABCD1234", fixture.root.appending("key.asc").string] {
      _ = try await fixture.run([stage(mirror)]) { $0.packages.signingKey = key }
    }
    #expect(mirror.resolved == 1 && mirror.indexed == 3)
  }

  @Test func aRerunMakesNoOtherKey() async throws {
    let files = [file("a.deb", "aaa")]
    let (first, second) = (String(repeating: "A1", count: 20), String(repeating: "B2", count: 20))
    _ = try await fixture.run([stage(try StubMirror("debs/local", files: files, signer: first))])
    let manifest = try #require(fixture.text("outputs/bundle.json"))
    #expect(manifest.contains("\"debs/local\" : \"\(first)\""))
    let again = try StubMirror("debs/local", files: files, signer: second)
    #expect(try await fixture.run([stage(again)]).failures.isEmpty)
    #expect(again.indexed == 0 && fixture.text("outputs/bundle.json") == manifest)
  }

  @Test func aPackageThatIsGoneMakesTheNextRunAskAgain() async throws {
    let gone = MirrorResolution.File(
      path: "pkgs/gone.deb", url: fixture.server.url("/pool/gone.deb"), size: 3, digest: Digest(of: [1]))
    let report = try await fixture.run([
      stage(try StubMirror("debs/local", files: [gone, file("a.deb", "aaa")]))
    ])
    #expect(report.failures.count == 1)
    #expect(report.failures.first?.contains("404") == true)
    #expect(report.failures.first?.contains("the same command asks it again") == true)
    #expect(fixture.names.contains("debs/local/pkgs/a.deb"))
    #expect(!fixture.names.contains { $0.contains("Packages") || $0 == "bundle.json" })
    let next = try StubMirror("debs/local", files: [file("a.deb", "aaa"), file("new.deb", "new")])
    #expect(try await fixture.run([stage(next)]).failures.isEmpty)
    #expect(next.resolved == 1)
  }

  @Test func anIndexThatCannotBeMadeLeavesNone() async throws {
    final class Unindexable: Mirror {
      let inner: StubMirror
      init(_ inner: StubMirror) { self.inner = inner }
      var folder: BundlePath { inner.folder }
      func inputs() async throws -> String { "" }
      func asked() -> [String] { [] }
      func resolve(_ say: @escaping @Sendable (String) -> Void) async throws -> MirrorResolution {
        try await inner.resolve(say)
      }
      func makeIndex(of resolution: MirrorResolution, in content: FilePath, to destination: FilePath)
        async throws -> String?
      {
        try writeAtomically("half", to: destination.appending("Packages"))
        throw Broken()
      }
    }
    let mirror = try StubMirror("debs/local", files: [file("a.deb", "aaa")])
    let report = try await fixture.run([stage(Unindexable(mirror))])
    #expect(report.failures == ["repo: the test broke it"])
    #expect(fixture.names == ["debs/local/pkgs/a.deb"])
    #expect(try await fixture.run([stage(mirror)]).bundle == .complete)
    #expect(fixture.text("outputs/debs/local/Packages") == nil)
  }

  @Test func everyTargetThatCannotBeResolvedIsTold() async throws {
    let good = try StubMirror("debs/local", files: [file("a.deb", "aaa")])
    let report = try await fixture.run([
      stage(
        BrokenMirror(folder: try BundlePath("debs/x")), good, BrokenMirror(folder: try BundlePath("rpms/y")))
    ])
    #expect(report.failures == ["repo: debs/x: the test broke it", "repo: rpms/y: the test broke it"])
    #expect(good.resolved == 1)
  }

  @Test func packagesOfThisMachineAreCopiedAndChecked() async throws {
    try fixture.write("local", to: "pool/my package.deb")
    let url = "file://\(fixture.root)/pool/my%20package.deb"
    var file = MirrorResolution.File(
      path: "pkgs/l.deb", url: url, size: 5, digest: Digest(of: Array("local".utf8)))
    #expect(try await fixture.run([stage(try StubMirror("debs/local", files: [file]))]).failures.isEmpty)
    #expect(fixture.files?.last?.verification == .repositoryMetadata)
    file.digest = Digest(of: [0])
    file.path = "pkgs/other.deb"
    let report = try await fixture.run([stage(try StubMirror("debs/local", inputs: "2", files: [file]))])
    #expect(report.failures.first?.contains("was expected") == true)
  }

  @Test func warningsAreToldEachTime() async throws {
    for _ in 1...2 {
      _ = try await fixture.run([
        stage(try StubMirror("debs/local", files: [file("a.deb", "a")], warnings: ["not signed"]))
      ])
    }
    #expect(fixture.messages.filter { $0 == "debs/local: not signed" }.count == 2)
  }

  @Test func aPlanShowsPackagesAndNoIndex() async throws {
    let mirror = try StubMirror(
      "debs/local", files: [file("a.deb", "aaa"), file("b.deb", "bb", isChecked: false)])
    let report = try await fixture.plan([stage(mirror)])
    #expect(report.artifacts.map(\.path) == ["debs/local/pkgs/a.deb", "debs/local/pkgs/b.deb"])
    #expect(report.totalSize == 5 && fixture.names.isEmpty && mirror.indexed == 0)
    let group = try #require(report.groups.first)
    #expect(report.groups.count == 1 && group.kind == "packages" && group.name == "debs/local")
    #expect(group.count == 2 && group.size == 5 && group.changes == "2 new")
    #expect(group.origin == "127.0.0.1:\(fixture.server.port)")
    #expect(report.fileRows.count == 2)
  }

  @Test func aPlanGoesAsFarAsItCan() async throws {
    let artifact = try fixture.artifact("/tool", "one")
    let stages = [
      TestStage(.py) { throw Broken() }, TestStage(.images, needs: [.py]),
      TestStage(.files) { [artifact] },
    ]
    let report = try await fixture.plan(stages)
    #expect(report.artifacts.map(\.path) == ["files/tool"])
    #expect(report.unplanned.map(\.stage) == [.py, .images])
    #expect(report.unplanned.map(\.isConsequence) == [false, true])
  }
}

/// How long an answer of a solver is good for.
@Suite struct ResolutionMemoryTests {
  @Test(arguments: [(0, true), (99, true), (100, false), (-1, false)])
  func anAnswerIsUsedUntilItIsOld(_ later: Int64, _ isUsed: Bool) async throws {
    let fixture = try RunFixture()
    let mirror = try StubMirror("debs/local", files: [])
    func resolve(at time: Int64) async throws -> ResolutionMemory.Resolved {
      try await ResolutionMemory(cache: Cache(fixture.cache), maximumAge: .seconds(100)) { time }.resolved(
        mirror
      ) {
        _ in
      }
    }
    #expect(try await resolve(at: 1000).isRemembered == false)
    #expect(try await resolve(at: 1000 + later).isRemembered == isUsed)
  }
}
