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

/// Runs of the stage `images` against a registry in this process.
@Suite(.timeLimit(.minutes(10))) struct ImagesRunTests {
  let fixture: RunFixture
  let registry: TestRegistry
  let base = Array("the layer that all have in common".utf8)

  init() throws {
    fixture = try RunFixture()
    registry = try TestRegistry()
  }

  private func image(_ text: String) -> TestImage {
    TestImage(layers: [base, Array(text.utf8)].map { TestImage.Blob($0, .ociLayerGzip) })
  }

  private func run(
    _ names: [String], change: (inout Configuration) -> Void = { _ in }
  ) async throws -> RunReport {
    let list = fixture.root.appending("list.txt")
    try writeAtomically(names.map { "\(registry.host)/\($0)\n" }.joined(), to: list)
    var configuration = fixture.configuration
    configuration.images.from = list
    configuration.images.plainHTTP = [registry.host]
    configuration.architecture = "amd64"
    change(&configuration)
    let job = Job(configuration, selection: [.images], projectRoot: fixture.root)
    return try await Pipeline(job, environment: [:], emit: fixture.keep).execute()
  }

  private func archive(_ name: String) throws -> FilePath {
    fixture.outputs.appending(try ImageReference("\(registry.host)/\(name)").archivePath().description)
  }

  private func blobRequests(_ digest: Digest) -> Int {
    registry.server.requests.filter { $0.method == "GET" && $0.path.hasSuffix("\(digest)") }.count
  }

  @Test func aCommonLayerIsFetchedOnceAndTheDigestIsTheRegistrys() async throws {
    let images = ["app/one": image("one"), "app/two": image("two"), "three": image("three")]
    for (name, image) in images { registry.put(image, in: name, tag: "1") }
    let report = try await run(images.keys.sorted().map { "\($0):1" })
    #expect(report.failures.isEmpty && report.bundle == .complete)
    for (name, image) in images {
      let content = try ImageArchiveReader.verify(try archive("\(name):1"))
      #expect(content.descriptor.digest == image.manifest.descriptor.digest)
      #expect(content.reference.description == "\(registry.host)/\(name):1")
    }
    #expect(blobRequests(Digest(of: base)) == 1)
    let listed = try #require(fixture.files?.first { $0.image != nil })
    #expect(listed.verification == .registryPlainHTTP && listed.image?.layers == 2)
    let left = try BundleTree.files(below: fixture.outputs).filter(IncompleteName.matches)
    #expect(left.isEmpty)
  }

  /// Whoever answers in the registry's place can choose what a tag means, but not what a digest means.
  @Test func aDigestInTheReferenceProvesAlsoWithoutTLS() async throws {
    let image = image("one")
    registry.put(image, in: "app", tag: "1")
    _ = try await run(["app@\(image.manifest.descriptor.digest)"])
    let listed = try #require(fixture.files?.first { $0.image != nil })
    #expect(listed.verification == .registryDigest)
  }

  @Test func aRerunAsksNobody() async throws {
    registry.put(image("one"), in: "app", tag: "1")
    _ = try await run(["app:1"])
    let before = registry.server.requests.count
    let report = try await run(["app:1"])
    #expect(report.bytes == 0 && report.skipped == 3)
    #expect(registry.server.requests.count == before)
  }

  @Test func oneBadImageDoesNotKeepTheOthersOut() async throws {
    registry.put(image("one"), in: "good", tag: "1")
    let damaged = image("two")
    registry.put(damaged, in: "damaged", tag: "1")
    let layer = damaged.layers[1].descriptor.digest
    registry.fault(TestRegistry.blobPath("damaged", layer)) { _, _ in TestServer.Response.text("other bytes")
    }
    let report = try await run(["good:1", "none:1", "damaged:1"])
    #expect(report.failures.count == 2)
    let missing = try #require(report.failures.first { $0.contains("/none:1") })
    #expect(missing.contains("404") && missing.contains("list.txt line 2"))
    #expect(report.failures.contains { $0.contains("/damaged:1") && $0.contains("list.txt line 3") })
    #expect(FileInfo(regularFile: try archive("good:1")) != nil)
    #expect(FileInfo(regularFile: try archive("damaged:1")) == nil)
    #expect(fixture.manifest == nil)
  }

  @Test func anImageThatFailedIsNotAskedForAnyMore() async throws {
    let layers = (0..<300).map { TestImage.Blob(Array("layer \($0)".utf8), .ociLayerGzip) }
    registry.put(TestImage(layers: layers), in: "many", tag: "1")
    for layer in layers {
      registry.fault(TestRegistry.blobPath("many", layer.descriptor.digest)) { _, _ in
        TestServer.Response.text("none", status: 404)
      }
    }
    let report = try await run(["many:1"]) { $0.transfer.parallel = 2 }
    #expect(report.failures.count == 1)
    let asked = layers.filter { blobRequests($0.descriptor.digest) > 0 }.count
    #expect(asked > 0 && asked <= 4)
  }

  @Test func anImageThatIsNoLongerWantedIsRemoved() async throws {
    for name in ["one", "two"] { registry.put(image(name), in: name, tag: "1") }
    _ = try await run(["one:1", "two:1"])
    let report = try await run(["two:1"])
    #expect(report.removed == ["images/" + (try ImageReference("\(registry.host)/one:1").archiveName)])
    #expect(report.skipped == 1 + 1)
  }

  @Test func anotherPlatformIsAnotherArchive() async throws {
    let amd64 = TestImage(platform: Platform(architecture: "amd64"), layers: [.init(base, .ociLayerGzip)])
    let arm64 = TestImage(platform: Platform(architecture: "arm64"), layers: [.init(base, .ociLayerGzip)])
    for image in [amd64, arm64] { registry.put(image, in: "app") }
    registry.put(
      manifest: TestImage.index([amd64.manifest.descriptor, arm64.manifest.descriptor]), in: "app", tag: "1")
    _ = try await run(["app:1"])
    #expect(
      try ImageArchiveReader.summary(of: try archive("app:1")).descriptor.digest
        == amd64.manifest.descriptor.digest)
    let report = try await run(["app:1"]) { $0.images.platforms = ["linux/amd64", "linux/arm64"] }
    #expect(report.failures.isEmpty)
    let content = try ImageArchiveReader.verify(try archive("app:1"))
    #expect(content.manifests.map(\.descriptor.digest) == [amd64, arm64].map(\.manifest.descriptor.digest))
  }

  @Test func anImageForOneOfTwoArchitecturesIsCarriedAndTold() async throws {
    let arm64 = TestImage(platform: Platform(architecture: "arm64"), layers: [.init(base, .ociLayerGzip)])
    registry.put(image("amd64"), in: "one", tag: "1")
    for image in [image("both"), arm64] { registry.put(image, in: "two") }
    registry.put(
      manifest: TestImage.index([image("both"), arm64].map(\.manifest.descriptor)), in: "two", tag: "1")
    let both = { (configuration: inout Configuration) in
      configuration.platforms = ["linux/amd64", "linux/arm64"]
    }
    let report = try await run(["one:1", "two:1"], change: both)
    #expect(report.failures.isEmpty && report.bundle == .complete)
    let told = "\(registry.host)/one:1 is not published for linux/arm64: such nodes cannot run it"
    #expect(fixture.messages.filter { $0.contains("not published") } == [told])
    let images = fixture.files?.compactMap(\.image) ?? []
    #expect(images.map(\.platforms) == [["linux/amd64"], ["linux/amd64", "linux/arm64"]])
    #expect(images.map(\.lacking) == [["linux/arm64"], nil])
    #expect(fixture.manifest?.platforms == ["linux/amd64", "linux/arm64"])

    let requests = registry.server.requests.count
    #expect(try await run(["one:1", "two:1"], change: both).failures.isEmpty)
    #expect(registry.server.requests.count == requests, "a rerun asks for what the registry lacked")
    let strict = try await run(["one:1"]) {
      both(&$0)
      $0.images.platforms = $0.platforms
    }
    #expect(strict.failures.count == 1, "platforms named for the images themselves are meant strictly")
    let arm = try await run(["one:1"]) { $0.architecture = "arm64" }
    #expect(arm.failures.count == 1)
  }

  @Test func skippedImagesLeaveNothing() async throws {
    let report = try await run(["app:1"]) { $0.images.skip = true }
    #expect(report.failures.isEmpty && fixture.names.isEmpty)
    #expect(registry.server.requests.isEmpty)
  }
}
