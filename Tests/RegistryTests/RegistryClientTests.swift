import Bundle
import Integrity
import TestRegistry
import TestServer
import Testing
import Transfer

@testable import Registry

@Suite(.timeLimit(.minutes(10))) struct RegistryClientTests {
  private let image = TestImage()
  private let path = TestRegistry.manifestPath("app", "1")

  private func failure(_ fixture: RegistryFixture, _ name: String = "app:1") async throws -> RegistryError {
    let client = try fixture.client()
    let reference = try fixture.reference(name)
    return try #require(
      await #expect(throws: RegistryError.self) { try await client.manifest(reference) })
  }

  @Test(arguments: [MediaType.ociManifest, .dockerManifest])
  func `A manifest arrives as it is, by tag and by digest`(type: MediaType) async throws {
    let fixture = try RegistryFixture()
    let image = TestImage(type: type)
    fixture.registry.put(image, in: "app", tag: "1")
    let client = try fixture.client()
    for name in [
      "app:1", "app@\(image.manifest.descriptor.digest)", "app:9@\(image.manifest.descriptor.digest)",
    ] {
      let manifest = try await client.manifest(try fixture.reference(name))
      #expect(manifest.bytes == image.manifest.bytes)
      #expect(manifest.descriptor.mediaType == type)
      #expect(manifest.descriptor.digest == image.manifest.descriptor.digest)
    }
    let accept = try #require(fixture.server.requests(for: path).first?[header: "Accept"])
    #expect(accept.contains("vnd.oci.image.index.v1+json") && accept.contains("manifest.list.v2+json"))
  }

  @Test func `What does not exist is said in the registry's words`() async throws {
    let fixture = try RegistryFixture()
    fixture.server.route(path) { _ in
      TestRegistry.refusal(404, code: "MANIFEST_UNKNOWN", message: "manifest unknown")
    }
    let error = try await failure(fixture)
    let reference = try fixture.reference()
    #expect(
      error.description
        == "\(reference): not found in the registry (404 MANIFEST_UNKNOWN)")
  }

  @Test func `A manifest other than announced is refused`() async throws {
    let fixture = try RegistryFixture()
    fixture.registry.put(image, in: "app", tag: "1")
    let digest = image.manifest.descriptor.digest
    fixture.registry.fault(path) { _, usual in
      usual.header("Docker-Content-Digest", Digest(of: [7]).description)
    }
    #expect(try await failure(fixture).kind == .digestMismatch)
    fixture.registry.fault(path) { _, usual in usual.header("Docker-Content-Digest", "sha256:12") }
    #expect(try await failure(fixture).kind == .badAnswer)
    let altered = TestImage(layers: [])
    fixture.registry.fault(TestRegistry.manifestPath("app", "\(digest)")) { _, usual in
      var response = usual.header("Docker-Content-Digest", nil)
      response.body = .init(altered.manifest.bytes)
      return response
    }
    #expect(try await failure(fixture, "app@\(digest)").kind == .digestMismatch)
    let client = try fixture.client()
    await #expect(throws: RegistryError.self) {
      try await client.manifest(image.manifest.descriptor, of: try fixture.reference())
    }
  }

  @Test func `A type that is announced as plain JSON is read from the manifest`() async throws {
    let fixture = try RegistryFixture()
    fixture.registry.put(image, in: "app", tag: "1")
    fixture.registry.fault(path) { _, usual in
      usual.header("Content-Type", "application/json; charset=utf-8").header("Docker-Content-Digest", nil)
    }
    let manifest = try await fixture.client().manifest(try fixture.reference())
    #expect(manifest.descriptor == TestImage.Blob(image.manifest.bytes, .ociManifest).descriptor)
  }

  /// What stands in front of a registry renames types, or leaves them out.
  @Test(
    arguments: [
      (nil, MediaType.ociManifest, true), ("text/plain; charset=utf-8", .dockerManifest, true),
      ("application/json", .ociManifest, false), ("", .dockerManifest, false),
      ("application/vnd.oci.image.manifest.v1+json", .dockerManifest, true),
      ("application/vnd.oci.image.index.v1+json", .ociManifest, false),
      ("Application/Vnd.OCI.Image.Manifest.v1+JSON ; charset=UTF-8", .ociManifest, false),
    ] as [(String?, MediaType, Bool)])
  func `The document says what it is, whatever is announced`(
    header: String?, type: MediaType, namesItsType: Bool
  ) async throws {
    let fixture = try RegistryFixture()
    let image = TestImage(type: type, namesItsType: namesItsType)
    fixture.registry.put(image, in: "app", tag: "1")
    for name in ["1", "\(image.manifest.descriptor.digest)"] {
      fixture.registry.fault(TestRegistry.manifestPath("app", name)) { _, usual in
        usual.header("Content-Type", header).header("Docker-Content-Digest", "")
      }
    }
    let client = try fixture.client()
    let manifest = try await client.manifest(try fixture.reference())
    #expect(manifest.descriptor == TestImage.Blob(image.manifest.bytes, type).descriptor)
    var listed = image.manifest.descriptor
    listed.mediaType = .ociManifest
    let entry = try await client.manifest(listed, of: try fixture.reference())
    #expect(entry.descriptor.mediaType == type)
  }

  @Test(arguments: [MediaType.ociIndex, .dockerManifestList])
  func `An index whose type is left out is one all the same`(type: MediaType) async throws {
    let fixture = try RegistryFixture()
    fixture.registry.put(
      manifest: TestImage.index([image.manifest.descriptor], type: type), in: "app", tag: "1")
    fixture.registry.fault(path) { _, usual in usual.header("Content-Type", nil) }
    #expect(try await fixture.client().manifest(try fixture.reference()).descriptor.mediaType == type)
  }

  @Test(arguments: [
    ("application/vnd.docker.distribution.manifest.v1+prettyjws", "{\"schemaVersion\":1}", "schema 1"),
    ("text/html", "<html>login</html>", "a web page"),
    ("application/json", "\u{feff} <!DOCTYPE html>", "a web page"),
    ("application/json", "{}", "application/json"), ("text/html", "no", "text/html"),
    ("application/json", "{\"schemaVersion\":1,\"fsLayers\":[]}", "schema 1"),
  ])
  func `What is no manifest is refused by its type`(type: String, body: String, reason: String) async throws {
    let fixture = try RegistryFixture()
    fixture.server.route(path) { _ in
      TestServer.Response(headers: [("Content-Type", type)], body: .init(body))
        .header("Docker-Content-Digest", type.hasSuffix("jws") ? Digest(of: [7]).description : nil)
    }
    let error = try await failure(fixture)
    let expected: RegistryError.Kind =
      reason == "schema 1" ? .unsupported : reason == "a web page" ? .badAnswer : .notAnImage
    #expect(error.kind == expected)
    #expect(error.description.contains(reason), "\(error)")
  }

  @Test func `A manifest without end is not taken`() async throws {
    let fixture = try RegistryFixture()
    fixture.server.route(path) { _ in TestServer.Response(body: .pattern(count: 5 << 20)) }
    #expect(try await failure(fixture).description.contains("larger than 4 MiB"))
  }

  @Test func `A truncated blob goes on where it stopped`() async throws {
    let fixture = try RegistryFixture()
    let layer = TestImage.Blob(TestServer.Body.pattern(count: 90_000).bytes, .ociLayerZstd)
    fixture.registry.put(blob: layer, in: "app")
    let path = TestRegistry.blobPath("app", layer.descriptor.digest)
    fixture.registry.fault(path) { request, usual in
      request.attempt == 1 ? usual.truncated(after: 30_000) : usual
    }
    try await fixture.client().download(
      layer.descriptor, of: try fixture.reference(), to: fixture.blobFile)
    #expect(fixture.blobContent == layer.bytes)
    #expect(fixture.server.requests(for: path).map(\.range) == [nil, "bytes=30000-"])
  }

  @Test func `An altered blob is not kept`() async throws {
    let fixture = try RegistryFixture()
    let layer = TestImage.Blob([1, 2, 3], .ociLayerGzip)
    fixture.registry.put(blob: layer, in: "app")
    fixture.registry.fault(TestRegistry.blobPath("app", layer.descriptor.digest)) { _, usual in
      var response = usual
      response.body = .init([1, 2, 4])
      return response
    }
    let client = try fixture.client()
    let reference = try fixture.reference()
    let error = try #require(
      await #expect(throws: RegistryError.self) {
        try await client.download(layer.descriptor, of: reference, to: fixture.blobFile)
      })
    #expect(error.kind == .digestMismatch)
    #expect(error.description.hasPrefix("\(reference): "))
    #expect(fixture.blobContent == nil)
    await #expect(throws: RegistryError.self) { try await client.blob(layer.descriptor, of: reference) }
  }

  @Test func `A blob that is missing is named`() async throws {
    let fixture = try RegistryFixture()
    let layer = TestImage.Blob([1, 2, 3], .ociLayerGzip)
    fixture.server.route(TestRegistry.blobPath("app", layer.descriptor.digest)) { _ in
      TestRegistry.refusal(404, code: "BLOB_UNKNOWN")
    }
    let client = try fixture.client()
    let error = await #expect(throws: RegistryError.self) {
      try await client.download(layer.descriptor, of: try fixture.reference(), to: fixture.blobFile)
    }
    #expect(error?.kind == .notFound)
    #expect(error?.description.contains("blob \(layer.descriptor.digest) not found") == true)
  }

  @Test(arguments: [
    ("", "/v2/library/nginx/manifests/1"), ("/", "/v2/library/nginx/manifests/1"),
    ("/repository/hub", "/repository/hub/v2/library/nginx/manifests/1"),
    ("/v2/hub-remote", "/v2/hub-remote/library/nginx/manifests/1"),
  ])
  func `A mirror is asked instead, and gets its own credentials`(base: String, expected: String) async throws
  {
    let fixture = try RegistryFixture()
    fixture.registry.put(image, in: "library/nginx", tag: "1")
    let response = TestServer.Response(
      headers: [("Content-Type", MediaType.ociManifest.rawValue)], body: .init(image.manifest.bytes))
    fixture.server.route(expected) { request in
      request[header: "Authorization"] == "Basic bTpw"
        ? response : TestServer.Response(401).header("WWW-Authenticate", "Basic realm=\"m\"")
    }
    var variables = fixture.variables(user: "m", password: "p")
    variables["REGISTRY_USER_DOCKER_IO"] = "hub"
    variables["REGISTRY_PASSWORD_DOCKER_IO"] = "hub"
    let client = try fixture.client(credentials: variables) {
      $0.mirrors = ["docker.io": "http://\(fixture.registry.host)\(base)"]
    }
    #expect(try await client.manifest(try ImageReference("nginx:1")).bytes == image.manifest.bytes)
    let secrets = Set(fixture.server.requests.compactMap { $0[header: "Authorization"] })
    #expect(secrets == ["Basic bTpw"])
  }
}

@Suite(.timeLimit(.minutes(10))) struct RequestLimitTests {
  private let image = TestImage()
  private let path = TestRegistry.manifestPath("app", "1")

  private func limited(
    _ answer: @escaping @Sendable (TestServer.Request) -> TestServer.Response?
  ) throws -> RegistryFixture {
    let fixture = try RegistryFixture()
    fixture.registry.put(image, in: "app", tag: "1")
    fixture.registry.fault(path) { request, usual in answer(request) ?? usual }
    return fixture
  }

  @Test(arguments: ["0", nil, "Sun, 06 Nov 1994 08:49:37 GMT", "0.0", "1000000001"])
  func `A limit is waited out, and told`(retryAfter: String?) async throws {
    let fixture = try limited { request in
      request.attempt < 3 ? .refusal(429, retryAfter: retryAfter) : nil
    }
    _ = try await fixture.client().manifest(try fixture.reference())
    #expect(fixture.server.requests(for: path).count == 3)
    let host = fixture.registry.host
    let pauses: [Duration] = retryAfter == nil ? [.milliseconds(1), .milliseconds(2)] : [.zero, .zero]
    #expect(fixture.recordedEvents.map { $0 } == pauses.map { .waiting(registry: host, $0) })
  }

  @Test(
    arguments: [
      (nil, nil, 3, "asked 3 times"), ("99999", nil, 1, "wait 99999 seconds"),
      (nil, "0;w=21600", 1, "0 of 100 pulls in 6 hours are left"),
    ] as [(String?, String?, Int, String)])
  func `A limit that outlasts patience says how to get a higher one`(
    retryAfter: String?, remaining: String?, requests: Int, reason: String
  ) async throws {
    let fixture = try limited { _ in
      TestRegistry.refusal(429, code: "TOOMANYREQUESTS", message: "You have reached your pull rate limit.")
        .header("Retry-After", retryAfter).header("ratelimit-limit", "100;w=21600")
        .header("ratelimit-remaining", remaining)
    }
    let client = try fixture.client()
    let error = try #require(
      await #expect(throws: RegistryError.self) { try await client.manifest(try fixture.reference()) })
    #expect(error.kind == .rateLimited)
    #expect(error.description.contains(reason), "\(error)")
    #expect(error.description.contains("You have reached your pull rate limit"))
    #expect(error.registry == fixture.registry.host)
    #expect(fixture.server.requests(for: path).count == requests)
  }

  @Test func `What is left of a limit is told when it becomes little`() async throws {
    let fixture = try limited { _ in nil }
    let left = [76, 75, 26, 25, 24, 5, 4, 100]
    fixture.registry.fault(path) { request, usual in
      usual.header("ratelimit-limit", "100;w=21600")
        .header("ratelimit-remaining", "\(left[request.attempt - 1]);w=21600")
    }
    let client = try fixture.client()
    for _ in left { _ = try await client.manifest(try fixture.reference()) }
    #expect(client.rateLimit(of: fixture.registry.host)?.remaining == 100)
    #expect(
      fixture.recordedEvents.map(\.description)
        == [76, 25, 5, 100].map { "\(fixture.registry.host): \($0) of 100 pulls in 6 hours are left." })
  }
}
