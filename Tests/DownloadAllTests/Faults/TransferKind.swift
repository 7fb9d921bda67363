import Archive
import Bundle
import Console
import Files
import Integrity
import Kubespray
import Mirrors
import Registry
import Settings
import SystemPackage
import TestRegistry
import TestServer

@testable import DownloadAll

/// What is at the final name of a transfer.
enum FoundContent: Equatable, Sendable {
  case nothing, right, wrong
}

/// One transfer in a world of its own, in which an answer can be changed.
struct FaultyTransfer: Sendable {
  /// Changes an answer.
  typealias Change = @Sendable (TestServer.Request, TestServer.Response) -> TestServer.Response

  let server: TestServer
  /// Which answers are changed.
  let path: String
  /// How many bytes the right answer has.
  let size: Int64
  /// What a message must name.
  let name: String
  let inject: @Sendable (@escaping Change) -> Void
  /// Runs it; what failed.
  let run: @Sendable (_ change: (inout Configuration) -> Void) async throws -> [Problem]
  let found: @Sendable () -> FoundContent
}

/// What is transferred.
enum TransferKind: String, CaseIterable, Sendable {
  case file = "file with a digest"
  case bareFile = "file without"
  case package = "package"
  case imageManifest = "image manifest"
  case layer = "image layer"
  case token = "registry token"
  case chartIndex = "chart index"
  case chart = "chart"

  /// Whether bytes at hand are kept, and the rest is asked for.
  var isResumed: Bool { [.file, .bareFile, .package, .layer, .chart].contains(self) }

  /// Whether the fault can happen to it, and can be noticed by anybody.
  func canHave(_ fault: TransferFault) -> Bool {
    if fault.isAboutRest { return isResumed }
    return (self, fault) != (.bareFile, .altered)
  }

  /// - Parameter environment: The variables that its run finds.
  func transfer(_ environment: [String: String]) throws -> FaultyTransfer {
    let fixture = try RunFixture(environment: environment)
    return switch self {
    case .file, .bareFile: try plainFile(fixture, hasDigest: self == .file)
    case .package: try package(fixture)
    case .imageManifest, .layer, .token: try image(fixture)
    case .chartIndex, .chart: try chart(fixture)
    }
  }

  private static let content = TestServer.Body(TestServer.Body.pattern(count: 200_000).bytes)

  private static func content(_ place: FilePath, is expected: [UInt8]) -> FoundContent {
    guard let bytes = try? readBytes(place) else { return .nothing }
    return bytes == expected ? .right : .wrong
  }

  /// Serves bytes at a path, with answers that can be changed.
  private static func serve(
    _ bytes: TestServer.Body, _ path: String, _ server: TestServer
  ) -> @Sendable (@escaping FaultyTransfer.Change) -> Void {
    let resource = TestServer.Resource(bytes, entityTag: "\"v1\"")
    server.serve(path, resource)
    return { change in server.route(path) { change($0, resource.response(to: $0)) } }
  }

  private func plainFile(_ fixture: RunFixture, hasDigest: Bool) throws -> FaultyTransfer {
    let inject = Self.serve(Self.content, "/tool", fixture.server)
    let artifact = Artifact(
      path: try BundlePath("files/tool"), source: .url(fixture.server.url("/tool")), stage: .files,
      digest: hasDigest ? Digest(of: Self.content.bytes) : nil, verification: .none)
    return FaultyTransfer(
      server: fixture.server, path: "/tool", size: Self.content.count, name: "files/tool", inject: inject
    ) { change in
      try await fixture.run([artifact], change: change).stages.flatMap(\.failures)
    } found: {
      Self.content(fixture.outputs.appending("files/tool"), is: Self.content.bytes)
    }
  }

  private func package(_ fixture: RunFixture) throws -> FaultyTransfer {
    let inject = Self.serve(Self.content, "/pool/a.deb", fixture.server)
    let file = MirrorResolution.File(
      path: "pkgs/a.deb", url: fixture.server.url("/pool/a.deb"), size: Self.content.count,
      digest: Digest(of: Self.content.bytes))
    let stage = TestStage(.repo) { job, tools in
      let found = StageMirrors(tools.resolutions, tools.events(.repo)) {
        [try StubMirror("debs/local", files: [file])]
      }
      return [
        StageTable.Row(name: .repo, needs: [], stage: MirrorStage(mirrors: found, remote: tools.remote)),
        StageTable.index(found, job, tools),
      ]
    }
    return FaultyTransfer(
      server: fixture.server, path: "/pool/a.deb", size: Self.content.count, name: "debs/local/pkgs/a.deb",
      inject: inject
    ) { change in
      try await fixture.run([stage], change: change).stages.flatMap(\.failures)
    } found: {
      Self.content(fixture.outputs.appending("debs/local/pkgs/a.deb"), is: Self.content.bytes)
    }
  }

  private func image(_ fixture: RunFixture) throws -> FaultyTransfer {
    let registry = try TestRegistry(access: self == .token ? .bearer() : .open)
    let image = TestImage(layers: [TestImage.Blob(Self.content.bytes, .ociLayerGzip)])
    registry.put(image, in: "app", tag: "1")
    let reference = try ImageReference("\(registry.host)/app:1")
    let archive = fixture.outputs.appending(try reference.archivePath().description)
    let list = fixture.root.appending("list.txt")
    try writeAtomically("\(reference)\n", to: list)
    let (path, size): (String, Int64) =
      switch self {
      case .imageManifest: (TestRegistry.manifestPath("app", "1"), image.manifest.descriptor.size)
      case .layer: (TestRegistry.blobPath("app", image.layers[0].descriptor.digest), Self.content.count)
      default: ("/token", Int64("{\"token\":\"token-1\",\"expires_in\":300}".utf8.count))
      }
    let inject: @Sendable (@escaping FaultyTransfer.Change) -> Void = { registry.fault(path, $0) }
    return FaultyTransfer(
      server: registry.server, path: path, size: size, name: "\(reference)",
      inject: inject
    ) { change in
      var configuration = fixture.configuration
      configuration.images.from = list
      configuration.images.plainHTTP = [registry.host]
      configuration.architecture = "amd64"
      change(&configuration)
      let job = Job(configuration, selection: [.images], projectRoot: fixture.root)
      let pipeline = try Pipeline(job, environment: fixture.environment, emit: fixture.keep)
      return try await pipeline.execute().stages.flatMap(\.failures)
    } found: {
      guard FileInfo(regularFile: archive) != nil else { return .nothing }
      let content = try? ImageArchiveReader.verify(archive)
      return content?.descriptor.digest == image.manifest.descriptor.digest ? .right : .wrong
    }
  }

  private func chart(_ fixture: RunFixture) throws -> FaultyTransfer {
    let file = fixture.root.appending("app-1.0.0.tgz")
    let writer = try ArchiveWriter(file, compression: .gzip(level: 6))
    try writer.add(bytes: Array("apiVersion: v2\nname: app\nversion: 1.0.0\n".utf8), as: "app/Chart.yaml")
    try writer.add(bytes: Self.content[0..<50_000].bytes, as: "app/files/data")
    _ = try writer.finish()
    let bytes = try readBytes(file)
    var index = "apiVersion: v1\nentries:\n  app:\n  - name: app\n    version: 1.0.0\n"
    index += "    digest: \(Digest(of: bytes).hex)\n    urls: [app-1.0.0.tgz]\n"
    let injectIndex = Self.serve(TestServer.Body(index), "/charts/index.yaml", fixture.server)
    let injectChart = Self.serve(TestServer.Body(bytes), "/charts/app-1.0.0.tgz", fixture.server)
    let isIndex = self == .chartIndex
    let chart = CatalogChart(
      name: "app", version: "1.0.0", repository: fixture.server.url("/charts"), release: "app",
      hasOwnImages: true, isEnabled: true, origin: "a test")
    return FaultyTransfer(
      server: fixture.server, path: isIndex ? "/charts/index.yaml" : "/charts/app-1.0.0.tgz",
      size: Int64(isIndex ? index.utf8.count : bytes.count), name: "app 1.0.0",
      inject: isIndex ? injectIndex : injectChart
    ) { change in
      let tools = try fixture.tools(fixture.job([], change: change))
      do {
        _ = try await tools.charts.chart(chart)
        return []
      } catch {
        return [Problem(error, about: chart.name)]
      }
    } found: {
      let names = (try? BundleTree.files(below: fixture.cache)) ?? []
      guard let name = names.first(where: { $0.hasSuffix("/chart.tgz") }) else { return .nothing }
      return Self.content(fixture.cache.appending(name), is: bytes)
    }
  }
}
