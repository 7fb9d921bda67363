import Bundle
import Integrity
import TestRegistry
import TestServer
import Testing

@testable import Registry

private let amd64 = Platform(architecture: "amd64")
private let arm64 = Platform(architecture: "arm64")

@Suite(.timeLimit(.minutes(10))) struct ImageResolverTests {
  private func resolve(
    _ fixture: RegistryFixture, _ platforms: [Platform] = [amd64]
  ) async throws -> ResolvedImage {
    try await ImageResolver(fixture.client()).resolve(try fixture.reference(), platforms: platforms)
  }

  private func failure(_ fixture: RegistryFixture, _ platforms: [Platform] = [amd64]) async throws
    -> RegistryError
  {
    try #require(await #expect(throws: RegistryError.self) { try await resolve(fixture, platforms) })
  }

  /// A registry with an index of these images under app:1.
  private func fixture(
    _ images: [TestImage], type: MediaType = .ociIndex, more: [Descriptor] = []
  ) throws -> RegistryFixture {
    let fixture = try RegistryFixture()
    for image in images { fixture.registry.put(image, in: "app") }
    let index = TestImage.index(images.map(\.manifest.descriptor) + more, type: type)
    fixture.registry.put(manifest: index, in: "app", tag: "1")
    return fixture
  }

  @Test(arguments: [MediaType.ociIndex, .dockerManifestList])
  func `Of an index the platform wanted is chosen, and attestations are not looked at`(type: MediaType)
    async throws
  {
    let images = [TestImage(platform: arm64), TestImage(platform: amd64)]
    var attestation = Descriptor(of: [1], mediaType: .ociManifest)
    attestation.platform = Platform(os: "unknown", architecture: "unknown")
    attestation.annotations = ["vnd.docker.reference.type": "attestation-manifest"]
    let fixture = try fixture(images, type: type, more: [attestation])
    let image = try await resolve(fixture)
    #expect(image.images.map(\.manifest.descriptor) == [images[1].manifest.descriptor])
    #expect(image.images.map(\.manifest.bytes) == [images[1].manifest.bytes])
    #expect(image.images[0].indexes == [image.root])
    #expect(image.blobs == [images[1].config.descriptor] + images[1].layers.map(\.descriptor))
    #expect(
      image.totalSize
        == Int64(
          images[1].manifest.bytes.count + images[1].config.bytes.count + images[1].layers[0].bytes.count))
    // The index and one manifest, and no more.
    #expect(fixture.server.requests.filter { $0.path.contains("/app/") }.count == 2)
  }

  @Test func `Several platforms, and blobs that they share`() async throws {
    let layer = TestImage.Blob([5, 5], .ociLayer)
    let images = [TestImage(platform: amd64, layers: [layer]), TestImage(platform: arm64, layers: [layer])]
    let image = try await resolve(try fixture(images), [arm64, amd64, arm64])
    #expect(image.images.map(\.platform) == [arm64, amd64])
    #expect(image.blobs.count == 3)
  }

  @Test func `Indexes in indexes, and entries without a platform`() async throws {
    var image = TestImage(platform: arm64, layers: [.init([4], .ociLayerZstd)])
    let fixture = try RegistryFixture()
    fixture.registry.put(image, in: "app")
    var descriptor = image.manifest.descriptor
    descriptor.platform = nil
    let inner = TestImage.index([descriptor])
    fixture.registry.put(manifest: inner, in: "app")
    fixture.registry.put(manifest: TestImage.index([inner.descriptor]), in: "app", tag: "1")
    let resolved = try await resolve(fixture, [arm64])
    #expect(resolved.images.map(\.manifest.bytes) == [image.manifest.bytes])
    #expect(resolved.images.first?.platform == arm64)
    #expect(resolved.images.first?.indexes.map(\.bytes) == [resolved.root.bytes, inner.bytes])
    image = TestImage(platform: amd64)
    #expect(try await failure(fixture).description.contains("there is: linux/arm64"))
  }

  @Test func `The platform of an image without an index is in its configuration`() async throws {
    let fixture = try RegistryFixture()
    let image = TestImage(platform: arm64, layers: [], type: .dockerManifest)
    fixture.registry.put(image, in: "app", tag: "1")
    let resolved = try await resolve(fixture, [arm64])
    #expect(resolved.root.bytes == image.manifest.bytes)
    #expect(resolved.images.map(\.platform) == [arm64])
    #expect(resolved.configurations == [image.config.descriptor.digest: image.config.bytes])
    let error = try await failure(fixture)
    #expect(error.kind == .platformMissing)
    #expect(error.description.contains("no image for linux/amd64; there is: linux/arm64"))
  }

  @Test func `A platform that is not there is answered with those that are`() async throws {
    let fixture = try fixture([
      TestImage(platform: arm64), TestImage(platform: Platform(os: "windows", architecture: "amd64")),
    ])
    let error = try await failure(fixture)
    #expect(error.kind == .platformMissing)
    #expect(error.description.contains("there is: linux/arm64, windows/amd64"))
  }

  @Test(arguments: [
    (MediaType.dockerForeignLayer, "foreign layer"),
    (MediaType(rawValue: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"), "foreign layer"),
    (MediaType(rawValue: "application/octet-stream"), "octet-stream"),
  ])
  func `Layers that cannot be carried`(type: MediaType, reason: String) async throws {
    let error = try await failure(try fixture([TestImage(layers: [.init([1], type)])]))
    #expect(error.kind == (reason == "foreign layer" ? .foreignLayer : .notAnImage))
    #expect(error.description.contains(reason), "\(error)")
  }

  @Test func `A chart is no image`() async throws {
    let type = MediaType(rawValue: "application/vnd.cncf.helm.config.v1+json")
    let error = try await failure(try fixture([TestImage(configType: type)]))
    #expect(error.kind == .notAnImage)
    #expect(error.description.contains("not a container image but an artifact of type \(type)"))
  }

  @Test(
    arguments: [
      "", "application/octet-stream", "application/json", "text/plain", "text/html",
      "application/vnd.docker.container.image.v1+json; charset=utf-8",
    ])
  func `Configurations of old images have a type that says nothing`(type: String) async throws {
    let image = TestImage(type: .dockerManifest, configType: MediaType(rawValue: type))
    let alone = try RegistryFixture()
    alone.registry.put(image, in: "app", tag: "1")
    for fixture in [alone, try fixture([image], type: .dockerManifestList)] {
      let resolved = try await resolve(fixture)
      #expect(resolved.images.map(\.manifest.bytes) == [image.manifest.bytes])
    }
  }

  @Test func `What stands beside the images of an index is passed over`() async throws {
    let image = TestImage(platform: arm64)
    let chart = TestImage(configType: MediaType(rawValue: "application/vnd.cncf.helm.config.v1+json"))
    let foreign = TestImage(layers: [.init([1], .dockerForeignLayer)])
    var beside = [chart.manifest.descriptor, foreign.manifest.descriptor]
    for index in beside.indices { beside[index].platform = nil }
    var lost = Descriptor(of: [1], mediaType: .ociManifest)
    lost.artifactType = "application/vnd.example.sbom"
    beside += [lost, Descriptor(of: [2], mediaType: MediaType(rawValue: "application/vnd.example"))]
    let fixture = try fixture([image], more: beside)
    for artifact in [chart, foreign] { fixture.registry.put(artifact, in: "app") }
    #expect(try await resolve(fixture, [arm64]).images.map(\.manifest.bytes) == [image.manifest.bytes])
    #expect(try await failure(fixture).description.contains("there is: linux/arm64"))
  }

  @Test func `Entries of an index whose type says nothing, or another one than they have`() async throws {
    let images = [TestImage(platform: arm64), TestImage(platform: amd64, type: .dockerManifest)]
    let fixture = try RegistryFixture()
    for image in images { fixture.registry.put(image, in: "app") }
    var entries = images.map(\.manifest.descriptor)
    entries[0].mediaType = MediaType(rawValue: "")
    entries[1].mediaType = .ociManifest
    fixture.registry.put(manifest: TestImage.index(entries), in: "app", tag: "1")
    let resolved = try await resolve(fixture, [arm64, amd64])
    #expect(resolved.images.map(\.manifest.bytes) == images.map(\.manifest.bytes))
    #expect(resolved.images.map(\.manifest.descriptor.mediaType) == [.ociManifest, .dockerManifest])
  }

  @Test func `A platform without names is none`() async throws {
    let image = TestImage(platform: arm64)
    let fixture = try RegistryFixture()
    fixture.registry.put(image, in: "app")
    let digest = image.manifest.descriptor.digest
    for platform in ["{}", "null", "{\"os\":\"\",\"architecture\":\"\"}", "{\"os\":\"linux\"}"] {
      let text =
        "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"\(MediaType.ociManifest)\",\"digest\":\"\(digest)\","
        + "\"size\":\(image.manifest.bytes.count),\"platform\":\(platform)}]}"
      fixture.registry.put(manifest: TestImage.Blob(Array(text.utf8), .ociIndex), in: "app", tag: "1")
      #expect(try await resolve(fixture, [arm64]).images.map(\.platform) == [arm64], "\(platform)")
    }
  }

  @Test func `An index of schema 1`() async throws {
    let old = Descriptor(of: [1], mediaType: .dockerSchema1Signed, platform: amd64)
    #expect(try await failure(try fixture([], more: [old])).description.contains("schema 1"))
  }
}
