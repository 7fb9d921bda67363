import Bundle
import Files
import Foundation
import Integrity
import Mirrors
import Registry
import Settings
import SystemPackage
import TestRegistry
import TestServer
import Testing

@testable import DownloadAll

/// Things that are added to a bundle that is there.
@Suite(.timeLimit(.minutes(10))) struct AdditionTests {
  let fixture: RunFixture
  let registry: TestRegistry

  init() throws {
    fixture = try RunFixture()
    registry = try TestRegistry()
    for name in ["app", "extra"] {
      registry.put(
        TestImage(layers: [TestImage.Blob(Array(name.utf8), .ociLayerGzip)]), in: name, tag: "1")
    }
  }

  private var configuration: Configuration {
    var configuration = fixture.configuration
    configuration.images.from = fixture.root.appending("list.txt")
    configuration.images.plainHTTP = [registry.host]
    configuration.architecture = "amd64"
    return configuration
  }

  /// A run of the stage `images`, whose list has one image.
  private func run() async throws -> RunReport {
    try fixture.write("\(registry.host)/app:1\n", to: "list.txt")
    let job = Job(configuration, selection: [.images], projectRoot: fixture.root)
    return try await Pipeline(job, environment: [:], emit: fixture.keep).execute()
  }

  private func execute(_ request: AdditionRun.Request) async throws -> RunReport {
    try await AdditionRun(configuration, installation: nil, environment: [:], emit: fixture.keep).execute(
      request)
  }

  private var extra: String { "\(registry.host)/extra:1" }
  private var images: [String] {
    (fixture.files ?? []).compactMap { $0.image?.reference.description }.sorted()
  }

  @Test func anImageIsAddedNothingElseIsAskedForAndTheNextRunKeepsIt() async throws {
    #expect(try await run().bundle == .complete)
    let before = registry.server.requests.count
    let report = try await execute(.add(.image, name: extra, sha256: nil))
    #expect(report.failures.isEmpty && report.bundle == .complete)
    #expect(images == ["\(registry.host)/app:1", extra])
    #expect(registry.server.requests.dropFirst(before).allSatisfy { !$0.path.contains("/app/") })
    #expect(fixture.text("outputs/images/additional-images.list") == "\(extra)\n")
    #expect(try Additions(in: fixture.outputs).entries.map(\.name) == [extra])
    #expect(fixture.files?.contains { $0.path.description == Additions.fileName } == true)
    #expect(try await run().bundle == .complete)
    #expect(images == ["\(registry.host)/app:1", extra])
    #expect(try BundleVerifierResult.isIntact(fixture.outputs))
    // Once more changes nothing but the closing.
    let files = fixture.files
    #expect(try await execute(.add(.image, name: extra, sha256: nil)).bytes == 0)
    #expect(fixture.files == files)
  }

  @Test func whatIsTakenOutIsGoneAndWhatTheBundleHadStays() async throws {
    _ = try await run()
    let names = fixture.names
    for name in [extra, "\(registry.host)/app:1"] {
      _ = try await execute(.add(.image, name: name, sha256: nil))
    }
    for name in [extra, "\(registry.host)/app:1"] {
      #expect(try await execute(.remove(.image, name: name)).bundle == .complete)
    }
    #expect(fixture.names == names && images == ["\(registry.host)/app:1"])
    await #expect(throws: AdditionError.self) { try await execute(.remove(.image, name: extra)) }
  }

  @Test func aMistakeLeavesTheBundleAsItWas() async throws {
    await #expect(throws: AdditionError.noBundle(fixture.outputs)) {
      try await execute(.add(.image, name: extra, sha256: nil))
    }
    _ = try await run()
    let (names, manifest) = (fixture.names, fixture.text("outputs/bundle.json"))
    #expect(try await execute(.add(.image, name: "\(registry.host)/none:1", sha256: nil)).hasFailures)
    fixture.serve("/tool", "tool")
    let wrong = Digest(of: Array("other".utf8))
    #expect(try await execute(.add(.file, name: fixture.server.url("/tool"), sha256: wrong)).hasFailures)
    await #expect(throws: (any Error).self) { try await execute(.add(.package, name: "a b", sha256: nil)) }
    #expect(fixture.names == names && fixture.text("outputs/bundle.json") == manifest)
  }

  @Test func aFileLiesWhereItsURLSaysAndTwoForOnePlaceAreNamed() async throws {
    _ = try await run()
    for path in ["/a/tool", "/b/tool"] { fixture.serve(path, path) }
    let url = fixture.server.url("/a/tool")
    let digest = Digest(of: Array("/a/tool".utf8))
    #expect(try await execute(.add(.file, name: url, sha256: digest)).bundle == .complete)
    #expect(
      fixture.text("outputs/files/tool") == "/a/tool"
        && fixture.text("outputs/files/files.list") == "\(url)\n")
    let entry = try #require(fixture.files?.first { $0.path.description == "files/tool" })
    #expect(entry.sha256 == digest && entry.verification == .givenChecksum && entry.stage == .files)
    let other = fixture.server.url("/b/tool")
    await #expect(throws: AdditionError.collision(url: other, path: "files/tool", other: url)) {
      try await execute(.add(.file, name: other, sha256: nil))
    }
    #expect(try await execute(.remove(.file, name: url)).bundle == .complete)
    #expect(fixture.text("outputs/files/tool") == nil)
  }

  @Test func oneThatWasKilledGoesOn() async throws {
    _ = try await run()
    _ = try await execute(.add(.image, name: extra, sha256: nil))
    // Killed before the manifest was written: the last one has another name, and knows nothing of the image.
    _ = try await execute(.remove(.image, name: extra))
    let last = try #require(fixture.text("outputs/bundle.json"))
    _ = try await execute(.add(.image, name: extra, sha256: nil))
    try fixture.remove("outputs/bundle.json")
    try fixture.write(last, to: "outputs/\(Manifest.unfinishedFileName)")
    let before = registry.server.requests.count
    let report = try await execute(.add(.image, name: extra, sha256: nil))
    #expect(report.bundle == .complete)
    #expect(images == ["\(registry.host)/app:1", extra])
    // What had arrived is not fetched again.
    #expect(report.bytes == 0)
    let layer = TestImage.Blob(Array("extra".utf8), .ociLayerGzip).descriptor.digest
    #expect(!registry.server.requests.dropFirst(before).contains { $0.path.contains("/blobs/\(layer)") })
  }

  @Test func whatIsThereAlreadyIsSaid() async throws {
    _ = try await run()
    func said(_ name: String) async throws -> String {
      let before = fixture.messages.count
      _ = try await execute(.add(.image, name: name, sha256: nil))
      return fixture.messages.dropFirst(before).joined(separator: "\n")
    }
    #expect(try await said("\(registry.host)/app:1").contains("app:1 is in the bundle already"))
    #expect(try await !said(extra).contains("already"))
    #expect(try await said(extra).contains("extra:1 was added already"))
  }

  @Test func whatWasAskedForIsAskedForAgain() {
    let asked = AskedPackages(
      ["debs/local": ["debian-12 on amd64", "htop", "curl", "ipvsadm, if there is one"]], without: ["htop"])
    #expect(asked.wanted(in: "debs/local")?.map(\.name) == ["curl", "ipvsadm"])
    #expect(asked.wanted(in: "debs/local")?.contains { $0.isRequired } == false)
    #expect(asked.wanted(in: "rpms/rocky-9") == nil)
  }
}

private enum BundleVerifierResult {
  /// Whether each file that the manifest lists has its digest, and there is no other.
  static func isIntact(_ outputs: FilePath) throws -> Bool {
    let manifest = try #require(try Manifest.load(from: outputs))
    let listed = Set(manifest.files.map(\.path.description)).union([Manifest.fileName])
    return try Set(BundleTree.files(below: outputs)) == listed
      && manifest.files.allSatisfy { try Digest(ofFile: outputs.appending($0.path.description)) == $0.sha256 }
  }
}
