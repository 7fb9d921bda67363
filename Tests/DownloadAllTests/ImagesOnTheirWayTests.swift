import Bundle
import Files
import Integrity
import Registry
import Settings
import SystemPackage
import TestRegistry
import TestServer
import Testing

@testable import DownloadAll

/// Runs of the stage `images` that end early, and what those after them fetch.
@Suite(.timeLimit(.minutes(10))) struct ImagesOnTheirWayTests {
  let fixture: RunFixture
  let registry: TestRegistry
  let common = ImagesOnTheirWayTests.noise(300_000, 1)

  init() throws {
    fixture = try RunFixture()
    registry = try TestRegistry()
  }

  private static func noise(_ count: Int, _ seed: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 &+ seed) &* 2_654_435_761 >> 11) }
  }

  private func put(_ name: String, _ layers: [[UInt8]]) -> TestImage {
    let image = TestImage(layers: layers.map { TestImage.Blob($0, .ociLayerGzip) })
    registry.put(image, in: name, tag: "1")
    return image
  }

  private func job(_ names: [String]) throws -> Job {
    let list = fixture.root.appending("list.txt")
    try writeAtomically(names.map { "\(registry.host)/\($0):1\n" }.joined(), to: list)
    var configuration = fixture.configuration
    configuration.images.from = list
    configuration.images.plainHTTP = [registry.host]
    configuration.architecture = "amd64"
    return Job(configuration, selection: [.images], projectRoot: fixture.root)
  }

  private func run(_ names: [String]) async throws -> RunReport {
    try await Pipeline(try job(names), environment: [:], emit: fixture.keep).execute()
  }

  /// How much room an image will take, and how much of it comes over the network.
  private func needs(_ name: String) async throws -> (room: Int64, remote: Int64) {
    let reference = try ImageReference("\(registry.host)/\(name):1")
    let artifact = Artifact(
      path: try reference.archivePath(), source: .image(reference), stage: .images,
      verification: .registryPlainHTTP)
    let job = try job([name])
    let inquiry = await (try fixture.tools(job)).fetcher(job).inquire(about: [artifact], asksHosts: false)
    return (inquiry.room.byteSum(of: \.bytes), inquiry.remote)
  }

  private func archive(_ name: String) throws -> FilePath {
    fixture.outputs.appending(try ImageReference("\(registry.host)/\(name):1").archivePath().description)
  }

  /// The ranges that were asked of a blob; an empty text asks for the whole.
  private func requests(_ layer: [UInt8]) -> [String] {
    let digest = Digest(of: layer)
    return registry.server.requests.filter { $0.method == "GET" && $0.path.hasSuffix("\(digest)") }
      .map { $0[header: "Range"] ?? "" }
  }

  private func cut(_ name: String, _ layer: [UInt8], after bytes: Int64) {
    registry.fault(TestRegistry.blobPath(name, Digest(of: layer))) { _, usual in
      usual.truncated(after: bytes)
    }
  }
  private func repair(_ name: String, _ layer: [UInt8]) {
    registry.fault(TestRegistry.blobPath(name, Digest(of: layer))) { _, usual in usual }
  }

  /// What the archives are when nothing goes wrong.
  private func undisturbed(_ names: [String]) async throws -> [Digest] {
    #expect(try await run(names).failures.isEmpty)
    let digests = try names.map { try Digest(ofFile: try archive($0)) }
    for path in [fixture.outputs, fixture.cache] { try removeTree(path) }
    return digests
  }

  @Test func aServerThatCutsInTheMiddleCostsTheBytesInFlight() async throws {
    let layers = [Self.noise(2_000_000, 2), Self.noise(90_000, 3)]
    _ = put("app", layers)
    let expected = try await undisturbed(["app"])
    let before = layers.map { requests($0).count }
    cut("app", layers[0], after: 1_500_000)
    #expect(try await run(["app"]).failures.count == 1)
    #expect(FileInfo(regularFile: try archive("app")) == nil)
    repair("app", layers[0])
    let report = try await run(["app"])
    #expect(report.failures.isEmpty && report.bundle == .complete)
    #expect(try Digest(ofFile: try archive("app")) == expected[0])
    #expect(requests(layers[1]).count - before[1] == 1, "what was whole is not asked for again")
    let ranges = requests(layers[0]).dropFirst(before[0])
    #expect(ranges.first == "" && ranges.count == 2)
    #expect(ranges.last == "bytes=1500000-")
    #expect(report.bytes < 501_000)
  }

  @Test func roomIsNeededForTheArchiveAlone() async throws {
    let layer = Self.noise(800_000, 13)
    _ = put("app", [layer])
    let before = try await needs("app")
    cut("app", layer, after: 500_000)
    #expect(try await run(["app"]).failures.count == 1)
    let after = try await needs("app")
    #expect(before.room - after.room >= 500_000 && before.remote - after.remote == before.room - after.room)
    repair("app", layer)
    #expect(try await run(["app"]).failures.isEmpty)
    #expect(before.remote == Int64(layer.count))
    let archive = try archive("app")
    #expect(FileInfo(regularFile: archive)?.size == before.room)
  }

  @Test func anImageThatFailedHasWhatOthersNeed() async throws {
    let (own, bad) = (Self.noise(1000, 4), Self.noise(400_000, 5))
    _ = put("large", [common, bad])
    _ = put("small", [common, own])
    let expected = try await undisturbed(["large", "small"])
    let before = requests(common).count
    registry.fault(TestRegistry.blobPath("large", Digest(of: bad))) { _, _ in .text("none", status: 404) }
    let report = try await run(["large", "small"])
    #expect(report.failures.count == 1 && requests(common).count - before <= 2)
    if FileInfo(regularFile: try archive("small")) != nil {
      #expect(try Digest(ofFile: try archive("small")) == expected[1])
    }
    let second = requests(common).count
    repair("large", bad)
    #expect(try await run(["large", "small"]).failures.isEmpty)
    #expect(requests(common).count == second)
    #expect(try Digest(ofFile: try archive("large")) == expected[0])
    #expect(try Digest(ofFile: try archive("small")) == expected[1])
  }

  @Test func aLaterBundleTakesWhatLiesInTheArchivesThatAreThere() async throws {
    let (old, new) = (Self.noise(50_000, 6), Self.noise(60_000, 7))
    _ = put("one", [common, old])
    _ = put("two", [new, common])
    let expected = try await undisturbed(["one", "two"])
    #expect(try await run(["one"]).failures.isEmpty)
    let before = requests(common).count
    let report = try await run(["two"])
    #expect(report.failures.isEmpty && report.removed.count == 1)
    #expect(requests(common).count == before && report.bytes < 62_000)
    #expect(try Digest(ofFile: try archive("two")) == expected[1])
  }

  @Test func anImageOfARunThatWasKilledGivesToTheOthersToo() async throws {
    let bad = Self.noise(20_000, 8)
    _ = put("one", [common])
    _ = put("two", [common, bad])
    let expected = try await undisturbed(["one", "two"])
    registry.fault(TestRegistry.blobPath("two", Digest(of: bad))) { _, _ in .text("none", status: 404) }
    _ = try await run(["one"])
    // What a kill leaves: an archive, and nothing that tells of it.
    for name in [Manifest.fileName, Manifest.unfinishedFileName] {
      try? removeFile(fixture.outputs.appending(name))
    }
    repair("two", bad)
    let before = requests(common).count
    #expect(try await run(["one", "two"]).failures.isEmpty)
    #expect(requests(common).count == before)
    #expect(try Digest(ofFile: try archive("two")) == expected[1])
  }

  @Test func aCopyThatAKillHasCutOffIsMadeAgain() async throws {
    _ = put("one", [common])
    _ = put("two", [common, Self.noise(2000, 12)])
    #expect(try await run(["one", "two"]).failures.isEmpty)
    let image = try ImageArchiveReader.summary(of: try archive("two"))
    let expected = try Digest(ofFile: try archive("two"))
    for path in [fixture.outputs, fixture.cache] { try removeTree(path) }
    #expect(try await run(["one"]).failures.isEmpty)
    let partial = try PartialArchive(image, at: try archive("two"))
    let place = try partial.place(of: Digest(of: common))
    try common[..<100_000].withUnsafeBytes { try place.write($0, at: 0) }
    partial.rest()
    let before = requests(common).count
    #expect(try await run(["one", "two"]).failures.isEmpty)
    #expect(requests(common).count == before)
    #expect(try Digest(ofFile: try archive("two")) == expected)
  }

  @Test func aDamagedArchiveGivesNothing() async throws {
    _ = put("one", [common, Self.noise(50_000, 9)])
    _ = put("two", [common, Self.noise(60_000, 10)])
    let expected = try await undisturbed(["one", "two"])
    #expect(try await run(["one"]).failures.isEmpty)
    let before = requests(common).count
    let path = try archive("one")
    var bytes = try readBytes(path)
    for index in bytes.indices where index % 50_000 == 49_999 { bytes[index] ^= 1 }
    try writeAtomically(bytes, to: path)
    #expect(try await run(["two"]).failures.isEmpty)
    #expect(requests(common).count == before + 1)
    #expect(try Digest(ofFile: try archive("two")) == expected[1])
  }

  @Test func anotherStageLeavesThemForTheNextRun() async throws {
    let layer = Self.noise(900_000, 11)
    _ = put("app", [layer])
    cut("app", layer, after: 800_000)
    #expect(try await run(["app"]).failures.count == 1)
    let remains = { try BundleTree.files(below: fixture.outputs).filter(IncompleteName.matches) }
    #expect(try remains().count == 1)
    _ = try await fixture.run([try fixture.artifact("/kubelet", "kubelet")])
    #expect(try remains().count == 1)
    repair("app", layer)
    #expect(try await run(["app"]).failures.isEmpty)
    #expect(try remains().isEmpty)
  }
}
