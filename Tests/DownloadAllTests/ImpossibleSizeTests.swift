import Bundle
import Files
import Integrity
import Mirrors
import Registry
import Settings
import SystemPackage
import TestRegistry
import TestServer
import Testing

@testable import DownloadAll

/// Numbers of others that no file has, where they come in: each ends in a sentence, not in the end of the process.
@Suite(.timeLimit(.minutes(10))) struct ImpossibleSizeTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func files(_ length: String, count: Int) throws -> [Artifact] {
    try (0..<count).map { number in
      fixture.server.route("/\(number)") { _ in
        TestServer.Response().framed(.untilClose).header("Content-Length", length)
      }
      return Artifact(
        path: try BundlePath("files/\(number)"), source: .url(fixture.server.url("/\(number)")),
        stage: .files,
        verification: .none)
    }
  }

  @Test(arguments: [
    ("9223372036854775807", 1), ("4800000000000000000", 2), ("1152921504606846976", 9), ("-1", 1),
    ("1e300", 1),
    ("18446744073709551617", 1),
  ])
  func ofAServer(_ length: String, _ count: Int) async throws {
    let artifacts = try files(length, count: count)
    let report = try await fixture.run(artifacts, precheck: true)
    #expect(report.hasFailures && fixture.manifest == nil)
    #expect(fixture.names.filter { !IncompleteName.matches($0) }.isEmpty)
    let plan = try await fixture.plan([TestStage(.files) { artifacts }])
    #expect(plan.totalSize >= 0 && plan.missingSize >= 0 && plan.fileRows.count == count)
  }

  @Test(
    arguments: [
      ([Int64.max], "impossibly large"),
      ([4_800_000_000_000_000_000, 4_800_000_000_000_000_001], "impossibly large"),
      ([-1], "negative"), ((1...9).map { (1 << 60) - $0 }, "not enough space"),
    ] as [([Int64], String)])
  func ofAnImage(_ sizes: [Int64], _ reason: String) async throws {
    let registry = try TestRegistry()
    let layers = sizes.map { size in
      var blob = TestImage.Blob(Array("\(size)".utf8), .ociLayerGzip)
      blob.descriptor.size = size
      return blob
    }
    registry.put(TestImage(layers: layers), in: "app", tag: "1")
    let list = fixture.root.appending("list.txt")
    try writeAtomically("\(registry.host)/app:1\n", to: list)
    var configuration = fixture.configuration
    configuration.images.from = list
    configuration.images.plainHTTP = [registry.host]
    configuration.architecture = "amd64"
    let job = Job(configuration, selection: [.precheck, .images], projectRoot: fixture.root)
    let report = try await Pipeline(job, environment: [:], emit: fixture.keep).execute()
    #expect(report.failures.contains { $0.contains(reason) }, "\(report.failures)")
    #expect(fixture.manifest == nil)
  }

  @Test(arguments: ["9223372036854775807", "4800000000000000000", "-1", "1e300"])
  func ofAManifest(_ size: String) async throws {
    _ = try await fixture.run([try fixture.artifact("/a", "abcdef"), try fixture.artifact("/b", "abcdef")])
    let text = try #require(fixture.text("outputs/bundle.json"))
    #expect(text.contains("\"size\" : 6"))
    try fixture.write(text.replacing("\"size\" : 6", with: "\"size\" : \(size)"), to: "outputs/bundle.json")
    do {
      let result = try await VerifyRun.run(outputs: fixture.outputs, emit: fixture.keep)
      #expect(result.problems.map(\.kind) == ["damaged", "damaged"])
    } catch let error as ManifestError {
      #expect("\(error)".contains("bundle.json"))
    }
    // A run over it looks at the files, and goes on.
    _ = try? await fixture.run([try fixture.artifact("/a", "abcdef")])
  }

  @Test(arguments: [Int64.max, 4_800_000_000_000_000_000, -1])
  func ofAPackage(_ size: Int64) async throws {
    let package = try fixture.artifact("/a.deb", "package")
    let stages = (0..<2).map { number in
      TestStage(.repo) { job, tools in
        let found = StageMirrors(tools.resolutions, tools.events(.repo)) {
          [
            try StubMirror(
              "debs/local",
              files: ["a", "b"].map {
                .init(path: "\($0).deb", url: package.url ?? "", size: size, digest: package.digest)
              })
          ]
        }
        return [
          StageTable.Row(name: .repo, needs: [], stage: MirrorStage(mirrors: found, remote: tools.remote))
        ]
      }
    }
    let report = try await fixture.run([stages[0]], precheck: true)
    #expect(report.failures.isEmpty && fixture.names.contains("debs/local/b.deb"))
    #expect(try await fixture.plan([stages[1]]).totalSize == 14)
  }
}
