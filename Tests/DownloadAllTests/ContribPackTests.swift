import Archive
import Bundle
import Console
import Files
import Integrity
import Registry
import Settings
import SystemPackage
import TestRegistry
import TestServer
import Testing

@testable import DownloadAll

/// The archives of kubespray's contrib/offline, made of a bundle.
@Suite(.timeLimit(.minutes(10))) struct ContribPackTests {
  let fixture: RunFixture
  var folder: FilePath { fixture.root.appending("packed") }

  init() throws { fixture = try RunFixture() }

  private func bundle(images: [String] = []) async throws {
    let registry = try TestRegistry()
    for (number, name) in images.enumerated() {
      let image = TestImage(layers: [.init(Array("layer \(number)".utf8), .ociLayerGzip)])
      registry.put(image, in: name.split(separator: ":").first.map(String.init) ?? "", tag: "1")
    }
    let list = fixture.root.appending("list.txt")
    try writeAtomically(images.map { "\(registry.host)/\($0)\n" }.joined(), to: list)
    let artifacts = [
      try fixture.artifact("/kubernetes/v1/kubelet", "a program"), try fixture.artifact("/yq", "another one"),
    ]
    let own = Artifact(
      path: try BundlePath("files/files.list"), source: .generated([1]), stage: .files,
      verification: .generated)
    var configuration = fixture.configuration
    configuration.images.from = list
    configuration.images.plainHTTP = [registry.host]
    configuration.architecture = "amd64"
    let job = Job(configuration, selection: [.files, .images], projectRoot: fixture.root)
    let tools = try fixture.tools(job)
    let files = StageTable.Row(name: .files, needs: [], stage: StubStage { artifacts + [own] })
    let images = try StageTable.rows(job, tools, isPlanning: false).filter { $0.name == .images }
    let report = try await Pipeline(job, tools, [files] + images).execute()
    #expect(report.failures.isEmpty)
  }

  private func pack(to folder: FilePath? = nil) async throws -> [ContribPack.Packed] {
    try await ContribPack(fixture.configuration, to: folder ?? self.folder, emit: fixture.keep).run()
  }

  private func content(of name: String) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    try ArchiveReader.visit(folder.appending(name)) { entry, content in
      if entry.kind == .file { files[entry.path] = try content.bytes(limit: 1 << 20) }
      return .next
    }
    return files
  }

  @Test func theImagesAreThoseOfTheListUnderTheirNames() async throws {
    try await bundle(images: ["app/one:1", "app-one:1", "two:1"])
    let packed = try await pack()
    #expect(packed.map(\.items) == [3, 2])
    let files = try content(of: "container-images.tar.gz")
    let list = String(decoding: files["container-images/container-images.txt"] ?? [], as: UTF8.self)
    let lines = list.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines.count == 3 && Set(lines.map { $0[0] }).count == 3)
    for line in lines {
      let path = fixture.root.appending("one.tar")
      try writeAtomically(try #require(files["container-images/\(line[0])"]), to: path)
      let image = try ImageArchiveReader.verify(path)
      #expect(image.reference.pushName() == line[1])
    }
    #expect(fixture.messages.contains { $0.contains("register needs DESTINATION_REGISTRY") })
  }

  @Test func theFilesLieByHostAndPathWhateverTheLayout() async throws {
    try await bundle()
    _ = try await pack()
    let files = try content(of: "offline-files.tar.gz")
    let host = "offline-files/127.0.0.1:\(fixture.server.port)"
    let expected: [String: [UInt8]] = [
      "\(host)/kubernetes/v1/kubelet": Array("a program".utf8), "\(host)/yq": Array("another one".utf8),
    ]
    #expect(files == expected)
  }

  @Test(
    arguments: [
      ("https://dl.k8s.io/release/v1/bin/kubelet", "dl.k8s.io/release/v1/bin/kubelet"),
      ("https://user:pass@Example.com:443/a%2Bb", "example.com/a+b"),
      ("http://example.com:8080//a/./x", nil), ("https://example.com/a/%2e%2e/b", nil),
      ("https://example.com/a/", nil),
      ("http://example.com:8080//a?x=1", "example.com:8080/a?x=1"), ("example.com/a", nil),
    ] as [(String, String?)])
  func filesLieWhereWgetPutsThem(url: String, place: String?) {
    #expect(WgetPlace(url)?.description == place)
  }

  @Test func theSameBundleGivesTheSameBytesAndADamagedOneNone() async throws {
    try await bundle(images: ["one:1"])
    let first = try await pack().map(\.sha256)
    #expect(try await pack().map(\.sha256) == first)
    let victim = try #require(fixture.names.first { $0.hasSuffix("yq") })
    try fixture.poison("outputs/\(victim)")
    await #expect(throws: ArchiveError.self) { try await pack() }
    #expect(try Digest(ofFile: folder.appending("offline-files.tar.gz"), algorithm: .sha256) == first[1])
    #expect(try BundleTree.files(below: folder) == ["container-images.tar.gz", "offline-files.tar.gz"])
  }

  @Test func whatCannotBePackedIsToldBeforeAnythingIsWritten() async throws {
    await #expect(throws: UnfinishedBundle.self) { try await pack() }
    try await bundle()
    let error = await #expect(throws: PackError.self) {
      try await pack(to: fixture.outputs.appending("files"))
    }
    #expect(error.flatMap { Problem($0).advice }?.contains("--to DIR") == true)
    #expect((try? BundleTree.files(below: folder)) == nil)
  }

  @Test func namesAreThoseOfTheScriptAndUnique() throws {
    let digest = Digest(of: [1])
    let references = [
      "docker.io/library/nginx:1", "nginx:1@\(digest)", "nginx@\(digest)", "quay.io/a/b-c:1",
      "quay.io/a-b/c:1",
      "mcr.microsoft.com/x:2", "my.host:5000/y:3", "quay.io/z:4@\(digest)",
    ].compactMap { try? ImageReference($0) }
    var names = ContribNames(references, strippedRegistries: ImageReference.strippedRegistries)
    let found = try references.map {
      try names.names(of: ManifestImage(reference: $0, digest: digest, platforms: [], layers: 1))
    }
    let pinned = "digest-\(digest.hex.prefix(12))"
    let expected: [String] = [
      "library/nginx:1", "library/nginx:\(pinned)", "library/nginx:\(pinned)", "a/b-c:1", "a-b/c:1",
      "mcr.microsoft.com/x:2", "my.host-5000/y:3", "z:4",
    ]
    #expect(found.map(\.name) == expected)
    #expect(found[0].file == "docker.io-library-nginx-1.tar")
    #expect(found[1].file == "docker.io-library-nginx-1-2.tar")
    #expect(found[3].file == "quay.io-a-b-c-1.tar")
    #expect(found[4].file == "quay.io-a-b-c-1-2.tar")
    #expect(found[6].file == "my.host-5000-y-3.tar")
  }
}
