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

/// Two builds: the second held to the lock of the first, after upstream has moved.
@Suite(.timeLimit(.minutes(10))) struct LockTests {
  let fixture: RunFixture
  let registry: TestRegistry

  init() throws {
    fixture = try RunFixture()
    registry = try TestRegistry()
    registry.put(image("one"), in: "app", tag: "1")
    fixture.serve("/tool", "the tool")
    fixture.serve("/pool/a.deb", "aaa")
    fixture.serve("/wheels/w.whl", "a wheel")
  }

  private func image(_ text: String) -> TestImage {
    TestImage(layers: [TestImage.Blob(Array(text.utf8), .ociLayerGzip)])
  }

  private func package(_ path: String, _ url: String, _ text: String) -> MirrorResolution.File {
    MirrorResolution.File(
      path: path, url: fixture.server.url(url), size: Int64(text.utf8.count),
      digest: Digest(of: Array(text.utf8)))
  }

  private func take(away path: String) {
    fixture.server.route(path) { _ in TestServer.Response.text("gone", status: 404) }
  }

  /// The stages of a bundle, as upstream's solvers see them at the time.
  private struct World {
    var packages: StubMirror
    var wheels: StubMirror
    var images = ["app:1"]
    var files = ["/tool"]
  }

  private func world(_ packages: [MirrorResolution.File]? = nil, asked: String = "a") throws -> World {
    World(
      packages: try StubMirror(
        "debs/local", inputs: asked, files: packages ?? [package("pkgs/a.deb", "/pool/a.deb", "aaa")],
        signer: String(repeating: "A1", count: 20)),
      wheels: try StubMirror("pypi", files: [package("files/w.whl", "/wheels/w.whl", "a wheel")]))
  }

  private func mirrorStage(_ name: StageName, _ mirror: StubMirror) -> TestStage {
    TestStage(name) { job, tools in
      let found = StageMirrors(tools.resolutions, tools.events(name)) { [mirror] }
      return [
        StageTable.Row(name: name, needs: [], stage: MirrorStage(mirrors: found, remote: tools.remote)),
        StageTable.index(found, job, tools),
      ]
    }
  }

  private func build(
    _ world: World, in folder: String = "first", locked: Bool = false,
    change: (inout Configuration) -> Void = { _ in },
    assembling assembly: @escaping @Sendable (Job, RunTools) -> [StageTable.Row] = { _, _ in [] }
  ) async throws -> RunReport {
    let images = try world.images.map { name in
      let reference = try ImageReference("\(registry.host)/\(name)")
      return Artifact(
        path: try reference.archivePath(), source: .image(reference), stage: .images,
        verification: .registryPlainHTTP)
    }
    let files = try world.files.map { path in
      Artifact(
        path: try BundlePath("files" + path), source: .url(fixture.server.url(path)), stage: .files,
        verification: .none)
    }
    let stages = [
      TestStage(.py),
      TestStage(.kubespray) { _, tools in
        [
          StageTable.Row(
            name: .kubespray, needs: [],
            stage: KubesprayStage(kubespray: tools.kubespray, remote: tools.remote))
        ]
      },
      mirrorStage(.pypi, world.wheels), TestStage(.files) { files },
      TestStage(.images) { job, tools in
        [StageTable.Row(name: .images, needs: [], stage: StubStage { images })] + assembly(job, tools)
      },
      mirrorStage(.repo, world.packages),
    ]
    let tree = FilePath(#filePath).removingLastComponent().removingLastComponent().appending(
      "Fixtures/kubespray-mini")
    return try await fixture.run(stages) { configuration in
      configuration.outputs = fixture.root.appending(folder)
      // Nothing of another build may help.
      configuration.cache = fixture.root.appending("\(folder)-cache")
      configuration.kubespray.source = tree.string
      configuration.images.plainHTTP = [registry.host]
      configuration.architecture = "amd64"
      configuration.packages.host = "debian-12"
      configuration.locked = locked
      change(&configuration)
    }
  }

  private func manifest(_ folder: String) throws -> Manifest {
    try #require(try Manifest.load(from: fixture.root.appending(folder)))
  }

  @Test func whenATagAndASolverHaveMovedALockedRunMakesTheSameBundle() async throws {
    let first = try await build(try world())
    #expect(first.failures.isEmpty && first.bundle == .complete)
    let lock = try #require(fixture.text("bundle.lock"))
    #expect(lock.contains("\(image("one").manifest.descriptor.digest)") && lock.contains("/pool/a.deb"))

    registry.put(image("two"), in: "app", tag: "1")
    fixture.serve("/pool/b.deb", "bb")
    let moved = try world([package("pkgs/b.deb", "/pool/b.deb", "bb")])
    let second = try await build(moved, in: "second", locked: true)
    #expect(second.failures.isEmpty && second.bundle == .complete)
    let comparison = BundleComparison(try manifest("first"), try manifest("second"))
    #expect(comparison.isEqual, "\(comparison.differences)")
    #expect(moved.packages.resolved == 0 && moved.wheels.resolved == 0)
    #expect(fixture.text("bundle.lock") == lock)

    // Without the lock upstream decides, and the lock is another one.
    let third = try await build(
      try world([package("pkgs/b.deb", "/pool/b.deb", "bb")]), in: "third")
    #expect(third.bundle == .complete)
    #expect(try !BundleComparison(manifest("first"), manifest("third")).isEqual)
    #expect(fixture.text("bundle.lock") != lock)
  }

  @Test func aRerunWritesTheSameLockAndALockedOneFetchesNothing() async throws {
    _ = try await build(try world())
    let lock = try #require(fixture.text("bundle.lock"))
    let requests = fixture.server.requests.count + registry.server.requests.count
    let again = try await build(try world())
    #expect(again.bytes == 0 && fixture.text("bundle.lock") == lock)
    let locked = try await build(try world(), locked: true)
    #expect(locked.failures.isEmpty && locked.bytes == 0)
    #expect(fixture.server.requests.count + registry.server.requests.count == requests)
  }

  @Test func whatUpstreamNoLongerHasOrHasOtherwiseIsNamed() async throws {
    _ = try await build(try world())
    take(away: "/pool/a.deb")
    fixture.serve("/tool", "another tool")
    let digest = image("one").manifest.descriptor.digest
    registry.fault(TestRegistry.manifestPath("app", "\(digest)")) { _, _ in
      TestServer.Response.text("gone", status: 404)
    }
    let report = try await build(try world(), in: "second", locked: true)
    for name in ["/pool/a.deb", "/tool", "app:1"] {
      #expect(report.failures.contains { $0.contains(name) }, "\(name): \(report.failures)")
    }
    #expect(report.failures.count == 3)
    #expect(try Manifest.load(from: fixture.root.appending("second")) == nil)
  }

  @Test func aDifferenceIsToldInTheWordsThatAPersonNeeds() async throws {
    _ = try await build(try world())
    let lock = try BundleLock.load(fixture.root.appending("bundle.lock"))
    let other = Digest(of: [7])
    func differences(_ change: (inout BundleLock) -> Void) -> [String] {
      var found = lock
      change(&found)
      return lock.differences(from: found)
    }
    #expect(differences { _ in }.isEmpty)
    let tool = try #require(lock.files.first { $0.path.description == "files/tool" })
    #expect(
      differences { $0.files[$0.files.firstIndex(of: tool)!].sha256 = other } == [
        "files/tool: the lock has sha256:\(tool.sha256.hex.prefix(12))..., and now \(tool.url) is "
          + "sha256:\(other.hex.prefix(12))..."
      ])
    #expect(
      differences { $0.files[$0.files.firstIndex(of: tool)!].url = "https://b/tool" } == [
        "files/tool: the lock has \(tool.url), and now the same comes from https://b/tool"
      ])
    let asked = (1...40).map { "package-\($0)" }
    let lines = differences {
      $0.mirrors["debs/local"]?.asked = asked
      $0.images[0].attached = (0..<30).map {
        ManifestAttached(digest: Digest(of: [$0]), type: nil, tag: nil, isSignature: true)
      }
    }
    #expect(lines.count == 2)
    #expect(lines.allSatisfy { $0.count < 200 && $0.contains("7 more") }, "\(lines)")
    #expect(
      lines.contains(
        "what is asked for debs/local: new is package-1, package-2, package-3 and 37 more; no longer there is a"
      ))
  }

  @Test func settingsThatAskForSomethingElseAreNamed() async throws {
    _ = try await build(try world())
    func failure(_ world: World, _ change: (inout Configuration) -> Void = { _ in }) async throws -> String {
      do {
        let report = try await build(world, in: "second", locked: true, change: change)
        return report.failures.joined(separator: "\n")
      } catch {
        return "\(error)"
      }
    }
    #expect(try await failure(world(asked: "b")).contains("\"b\" is asked for, and not in the lock"))
    var other = try world()
    other.images = ["app:2"]
    let images = try await failure(other)
    #expect(images.contains("app:2 is wanted, and not in the lock"))
    #expect(images.contains("app:1 is in the lock, and not wanted"))
    other = try world()
    other.files = []
    #expect(try await failure(other).contains("files/tool is in the lock, and not wanted"))
    #expect(
      try await failure(world()) { $0.architecture = "arm64" }.contains(
        "platforms are linux/arm64, those of the lock linux/amd64"))
    #expect(
      try await failure(world()) { $0.packages.targets = ["debian-13"] }.contains(
        "packages.targets wants debs/debian-13, which is not in the lock"))
    #expect(
      try await failure(world()) { $0.kubespray.source = nil }.contains(
        "kubespray.version is 2.30.0, that of the lock 0.9.1"))
    #expect(try await failure(world()) { $0.lock = "/nonexistent/lock" }.contains("there is no such file"))
  }

  @Test func onlyACompleteRunOfAllStagesWritesALock() async throws {
    take(away: "/pool/a.deb")
    _ = try await build(try world())
    #expect(fixture.text("bundle.lock") == nil)
    _ = try await fixture.run([try fixture.artifact("/other", "one")])
    #expect(fixture.text("bundle.lock") == nil)
  }

  /// Assembles an image of its base alone, which is all that the lock knows of the base by.
  private struct OneLayerStage: Stage {
    let job: Job
    let tools: RunTools
    let name: ImageReference
    let base: ImageReference

    func artifacts() async throws -> [Artifact] {
      let fetch = BaseFetch(
        client: tools.images.client, progress: tools.downloads.progress, architecture: job.architecture,
        parallel: 2, cache: tools.cache)
      let (found, digest, blobs) = try await fetch.fetch(base, at: try tools.lock.base(base, of: name))
      tools.lock.note(BundleLock.Base(reference: base, digest: digest), of: name)
      let image = try AssembledImage(
        name, on: found, adding: [], environment: [:], labels: [:], command: ["/bin/sh"])
      let configuration = job.configuration.outputs.appending("../configuration")
      try writeAtomically(image.configuration, to: configuration)
      let archive = job.configuration.outputs.appending("../image.tar.gz")
      _ = try ImageArchiveWriter.write(
        image.image,
        blobs: { $0 == image.configurationDigest ? configuration : blobs.appending($0.hex) }, to: archive)
      return [
        Artifact(
          path: try name.archivePath(), source: .assembledImage(archive, name), stage: .images,
          verification: .generated)
      ]
    }
  }

  @Test func anAssembledImageIsMadeOnTheBaseOfTheLock() async throws {
    let name = try ImageReference("localhost/kubespray-offline/ansible:1")
    let base = try ImageReference("\(registry.host)/app:1")
    func build(_ folder: String, locked: Bool = false, on base: ImageReference) async throws -> RunReport {
      try await self.build(
        try world(), in: folder, locked: locked,
        assembling: { job, tools in
          [
            StageTable.Row(
              name: .images, needs: [],
              stage: OneLayerStage(job: job, tools: tools, name: name, base: base), product: "the image")
          ]
        })
    }
    #expect(try await build("first", on: base).bundle == .complete)
    let lock = try #require(fixture.text("bundle.lock"))
    #expect(lock.contains("\(image("one").manifest.descriptor.digest)"))

    registry.put(image("two"), in: "app", tag: "1")
    let second = try await build("second", locked: true, on: base)
    #expect(second.bundle == .complete, "\(second.failures)")
    #expect(try BundleComparison(manifest("first"), manifest("second")).isEqual)

    let other = try await build("third", locked: true, on: try ImageReference("\(registry.host)/app:2"))
    #expect(
      other.failures.joined().contains("python.ansible_base is \(registry.host)/app:2, that of the lock"))

    // The lock of an earlier version says nothing of it: then the image must come out as it was.
    try fixture.write(
      lock.replacing(/"base" : \{[^}]*\},/.dotMatchesNewlines(), with: ""), to: "bundle.lock")
    let moved = try await #require(throws: LockContradicted.self) {
      try await build("fourth", locked: true, on: base)
    }
    #expect("\(moved)".contains("image \(name): the lock has"))
    registry.put(image("one"), in: "app", tag: "1")
    #expect(try await build("fifth", locked: true, on: base).bundle == .complete)
  }

  @Test func aLockHasNoCredentials() async throws {
    var packages = package("pkgs/a.deb", "/pool/a.deb", "aaa")
    packages.url = packages.url.replacing("http://", with: "http://user:secret@")
    _ = try await build(try world([packages]))
    let lock = try #require(fixture.text("bundle.lock"))
    #expect(lock.contains("/pool/a.deb") && !lock.contains("secret"))
  }
}
