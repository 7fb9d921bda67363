import Bundle
import Files
import Integrity
import Synchronization
import SystemPackage
import TestRegistry
import TestServer
import Testing
import Transfer

@testable import Registry

@Suite(.timeLimit(.minutes(10))) struct AuthenticationTests {
  private let image = TestImage()

  @Test func `One token serves all requests for a repository`() async throws {
    let fixture = try RegistryFixture(.bearer())
    fixture.registry.put(image, in: "team/app", tag: "1")
    let client = try fixture.client()
    let reference = try fixture.reference("team/app:1")
    let manifest = try await client.manifest(reference)
    #expect(manifest.bytes == image.manifest.bytes)
    #expect(try await client.blob(image.config.descriptor, of: reference) == image.config.bytes)
    let tokens = fixture.server.requests(for: "/token")
    #expect(tokens.map(\.query) == ["service=test&scope=repository%3Ateam%2Fapp%3Apull"])
    #expect(tokens.first?[header: "Authorization"] == nil)
    // Nothing was asked in vain.
    let path = TestRegistry.manifestPath("team/app", "1")
    #expect(fixture.server.requests(for: path).map { $0[header: "Authorization"] } == ["Bearer token-1"])
  }

  @Test func `A token is used until shortly before its end`() async throws {
    let fixture = try RegistryFixture(.bearer(expiresIn: 60))
    fixture.registry.put(image, in: "app", tag: "1")
    let elapsed = Mutex(Duration.zero)
    let start = ContinuousClock.now
    let client = try fixture.client(now: { start + elapsed.withLock { $0 } })
    for (time, count) in [(0, 1), (49, 1), (51, 2), (99, 2)] {
      elapsed.withLock { $0 = .seconds(time) }
      _ = try await client.manifest(try fixture.reference())
      #expect(fixture.server.requests(for: "/token").count == count, "after \(time) s")
    }
  }

  @Test func `A token that the registry no longer takes is renewed once`() async throws {
    let fixture = try RegistryFixture(.bearer())
    fixture.registry.put(image, in: "app", tag: "1")
    let client = try fixture.client()
    _ = try await client.manifest(try fixture.reference())
    fixture.registry.revokeTokens()
    _ = try await client.manifest(try fixture.reference())
    #expect(fixture.server.requests(for: "/token").count == 2)
    fixture.registry.fault("/token") { _, _ in .init(body: .init("{\"access_token\":\"never-good\"}")) }
    fixture.registry.revokeTokens()
    let error = await #expect(throws: RegistryError.self) {
      try await client.manifest(try fixture.reference())
    }
    #expect(error?.kind == .unauthorized)
    #expect(fixture.server.requests(for: "/token").count == 3)
  }

  @Test func `A token that runs out during a download is renewed, and the download goes on`() async throws {
    let fixture = try RegistryFixture(.bearer())
    let body = TestServer.Body.pattern(count: 100_000).bytes
    let layer = TestImage.Blob(body, .ociLayerGzip)
    fixture.registry.put(blob: layer, in: "app")
    let path = TestRegistry.blobPath("app", layer.descriptor.digest)
    fixture.registry.fault(path) { [weak fixture] request, usual in
      guard request.attempt == 1 else { return usual }
      fixture?.registry.revokeTokens()
      return usual.truncated(after: 40_000)
    }
    let client = try fixture.client()
    try await client.download(layer.descriptor, of: try fixture.reference(), to: fixture.blobFile)
    #expect(fixture.blobContent == body)
    let requests = fixture.server.requests(for: path)
    #expect(
      requests.map { $0[header: "Authorization"] } == ["Bearer token-1", "Bearer token-1", "Bearer token-2"])
    #expect(requests.last?.range == "bytes=40000-")
  }

  @Test func `Name and password go to the token service alone`() async throws {
    let fixture = try RegistryFixture(.bearer(user: "ann", password: "p:w"))
    fixture.registry.put(image, in: "app", tag: "1")
    let client = try fixture.client(credentials: fixture.variables(user: "ann", password: "p:w"))
    _ = try await client.manifest(try fixture.reference())
    let withPassword = fixture.server.requests.filter {
      $0[header: "Authorization"]?.hasPrefix("Basic") == true
    }
    #expect(withPassword.map(\.path) == ["/token"])
  }

  @Test(
    arguments: [
      (TestRegistry.Access.basic(user: "ann", password: "right"), nil, "wants a user's name"),
      (.basic(user: "ann", password: "right"), "wrong", "refuses the credentials"),
      (.bearer(user: "ann", password: "right"), nil, "wants a login"),
      (.bearer(user: "ann", password: "right"), "wrong", "token service refuses the credentials"),
    ] as [(TestRegistry.Access, String?, String)])
  func `Without the right credentials the message says how to log in, and shows none`(
    access: TestRegistry.Access, password: String?, expected: String
  ) async throws {
    let fixture = try RegistryFixture(access)
    fixture.registry.put(image, in: "app", tag: "1")
    let client = try fixture.client(
      credentials: password.map { fixture.variables(user: "ann", password: $0) } ?? [:])
    let reference = try fixture.reference()
    let error = try #require(
      await #expect(throws: RegistryError.self) { try await client.manifest(reference) })
    #expect(error.kind == (password == nil ? .unauthorized : .credentialsRefused))
    #expect(error.description.hasPrefix("\(reference): "))
    #expect(error.description.contains(expected))
    #expect(error.registry == fixture.registry.host)
    #expect(!error.description.contains("wrong"))
  }

  @Test func `Basic`() async throws {
    let fixture = try RegistryFixture(.basic(user: "ann", password: "right"))
    fixture.registry.put(image, in: "app", tag: "1")
    let client = try fixture.client(credentials: fixture.variables(user: "ann", password: "right"))
    #expect(try await client.manifest(try fixture.reference()).bytes == image.manifest.bytes)
  }

  @Test func `Object storage gets no credentials`() async throws {
    let fixture = try RegistryFixture(.bearer())
    let layer = TestImage.Blob(TestServer.Body.pattern(count: 50_000).bytes, .ociLayerGzip)
    let storage = try TestServer()
    defer { storage.stop() }
    fixture.registry.redirectBlobs(to: storage)
    fixture.registry.put(blob: layer, in: "app")
    let client = try fixture.client()
    try await client.download(layer.descriptor, of: try fixture.reference(), to: fixture.blobFile)
    #expect(fixture.blobContent == layer.bytes)
    #expect(storage.requests.map { $0[header: "Authorization"] } == [nil])
  }

  @Test func `A refusal by object storage does not decide who gets credentials`() async throws {
    let fixture = try RegistryFixture(.bearer(user: "ann", password: "right"))
    let layer = TestImage.Blob([1, 2, 3], .ociLayerGzip)
    let storage = try TestServer()
    defer { storage.stop() }
    let challenge = "Bearer realm=\"\(storage.url("/steal"))\",service=\"x\""
    storage.route("/else") { _ in TestServer.Response(401).header("WWW-Authenticate", challenge) }
    storage.route("/steal") { _ in TestServer.Response(body: .init("{\"token\":\"x\"}")) }
    fixture.registry.put(blob: layer, in: "app")
    fixture.registry.fault(TestRegistry.blobPath("app", layer.descriptor.digest)) { _, usual in
      usual.status == 401 ? usual : .redirect(to: storage.url("/else"))
    }
    let client = try fixture.client(credentials: fixture.variables(user: "ann", password: "right"))
    await #expect(throws: RegistryError.self) {
      try await client.download(layer.descriptor, of: try fixture.reference(), to: fixture.blobFile)
    }
    await #expect(throws: RegistryError.self) {
      try await client.blob(layer.descriptor, of: try fixture.reference())
    }
    #expect(storage.requests(for: "/steal").isEmpty)
  }

  @Test func `What the target of a redirect wants is not what the registry wants`() async throws {
    let fixture = try RegistryFixture()
    fixture.registry.put(image, in: "app", tag: "1")
    let other = try TestServer()
    defer { other.stop() }
    let challenge = "Bearer realm=\"\(other.url("/token"))\",service=\"x\""
    other.route("/v2/") { _ in TestServer.Response(401).header("WWW-Authenticate", challenge) }
    fixture.registry.fault("/v2/") { _, _ in .redirect(to: other.url("/v2/"), status: 307) }
    let client = try fixture.client(credentials: fixture.variables(user: "ann", password: "right"))
    #expect(try await client.manifest(try fixture.reference()).bytes == image.manifest.bytes)
    #expect(other.requests.map(\.path) == ["/v2/"])
  }

  @Test func `Images that wait for one token get it with one request`() async throws {
    let fixture = try RegistryFixture(.bearer(expiresIn: nil))
    let gate = TestServer.Gate()
    fixture.registry.put(image, in: "app", tag: "1")
    fixture.registry.fault("/token") { _, usual in usual.stalled(at: gate) }
    let client = try fixture.client()
    let reference = try fixture.reference()
    try await withThrowingTaskGroup { group in
      for _ in 0..<5 { group.addTask { try await client.manifest(reference) } }
      await gate.reached()
      gate.open()
      for try await manifest in group { #expect(manifest.bytes == image.manifest.bytes) }
    }
    #expect(fixture.server.requests(for: "/token").count == 1)
  }

  @Test func `An interrupted image takes no other one with it`() async throws {
    let fixture = try RegistryFixture(.bearer())
    let gate = TestServer.Gate()
    fixture.registry.put(image, in: "app", tag: "1")
    fixture.registry.fault("/token") { request, usual in
      request.attempt == 1 ? usual.stalled(at: gate) : usual
    }
    let client = try fixture.client()
    let reference = try fixture.reference()
    let first = Task { try await client.manifest(reference) }
    await gate.reached()
    let second = Task { try await client.manifest(reference) }
    first.cancel()
    await #expect(throws: RegistryError.self) { try await first.value }
    #expect(try await second.value.bytes == image.manifest.bytes)
    gate.open()
  }

  @Test func `An identity token is changed for an access token`() async throws {
    let fixture = try RegistryFixture(.bearer())
    fixture.registry.put(image, in: "app", tag: "1")
    try writeAtomically(
      "{\"auths\":{\"\(fixture.registry.host)\":{\"auth\":\"\",\"identitytoken\":\"id+1\"}}}",
      to: fixture.folder.appending("auth.json"))
    let client = try fixture.client(
      credentials: ["REGISTRY_AUTH_FILE": fixture.folder.appending("auth.json").string])
    _ = try await client.manifest(try fixture.reference())
    let request = try #require(fixture.server.requests(for: "/token").first)
    #expect(request.method == "POST")
    let form = String(decoding: request.body, as: UTF8.self)
    #expect(form.contains("grant_type=refresh_token") && form.contains("refresh_token=id%2B1"))
  }

  @Test(arguments: [
    "{\"token\":\"T\",\"expires_in\":\"300\"}", "{\"token\":\"T\",\"expires_in\":0}",
    "{\"token\":\"\",\"access_token\":\"T\",\"expires_in\":3e2}",
    "{\"access_token\":\"T\",\"expires_in\":null}",
    "{\"token\":null,\"access_token\":\"T\",\"expires_in\":-1}", "{\"token\":\"T\",\"expires_in\":\"soon\"}",
    "{\"token\":\"T\",\"expires_in\":1e300,\"issued_at\":\"x\"}",
  ])
  func `A token is taken whatever is said of its life`(body: String) throws {
    let token = try #require(TokenRequest.token(of: Array(body.utf8)))
    #expect(token.text == "T")
    #expect(token.lifetime >= .seconds(60) && token.lifetime <= .seconds(86_400 * 365))
  }

  @Test func `A web page in place of a token is told`() async throws {
    let fixture = try RegistryFixture(.bearer())
    fixture.registry.put(image, in: "app", tag: "1")
    fixture.registry.fault("/token") { _, _ in .init(body: .init("<html>log in</html>")) }
    let error = await #expect(throws: RegistryError.self) {
      try await fixture.client().manifest(try fixture.reference())
    }
    #expect(error?.description.contains("/token) gave a web page and no token") == true)
  }

  @Test(arguments: [nil, "right"] as [String?])
  func `A registry behind a redirect has wishes of its own, and gets what belongs to its own name`(
    password: String?
  ) async throws {
    let front = try RegistryFixture()
    let access = TestRegistry.Access.bearer(user: password == nil ? nil : "ann", password: password)
    let behind = try RegistryFixture(access)
    let layer = TestImage.Blob(TestServer.Body.pattern(count: 50_000).bytes, .ociLayerGzip)
    behind.registry.put(image, in: "deep/app", tag: "1")
    behind.registry.put(blob: layer, in: "deep/app")
    for path in [
      TestRegistry.manifestPath("app", "1"), TestRegistry.blobPath("app", layer.descriptor.digest),
      TestRegistry.blobPath("app", image.config.descriptor.digest),
    ] {
      let target = behind.server.url("/v2/deep/" + path.dropFirst("/v2/".count))
      front.server.route(path) { _ in .redirect(to: target, status: 307) }
    }
    var variables = front.variables(user: "front", password: "secret")
    if let password { variables.merge(behind.variables(user: "ann", password: password)) { $1 } }
    let client = try front.client(credentials: variables)
    let reference = try front.reference()
    #expect(try await client.manifest(reference).bytes == image.manifest.bytes)
    #expect(try await client.blob(image.config.descriptor, of: reference) == image.config.bytes)
    try await client.download(layer.descriptor, of: reference, to: front.blobFile)
    #expect(front.blobContent == layer.bytes)
    let sent = Set(behind.server.requests.compactMap { $0[header: "Authorization"] })
    #expect(sent.allSatisfy { $0.hasPrefix("Bearer ") || $0 == "Basic YW5uOnJpZ2h0" }, "\(sent)")
    #expect(front.server.requests.allSatisfy { $0[header: "Authorization"] == nil })
  }

  @Test func `A token service without TLS is named, and gets no credentials`() async throws {
    let reference = try ImageReference("registry.example/app:1")
    let secure = RegistryEndpoint(registry: "registry.example", configuration: RegistryConfiguration())
    func request(_ realm: String) throws -> TokenRequest {
      try TokenRequest(
        AuthenticationChallenge(scheme: "bearer", parameters: ["realm": realm]), scope: nil, image: reference,
        endpoint: secure)
    }
    #expect(try request("http://auth.example/token").isWithoutTLS)
    #expect(try request("http://user:secret@auth.example/token").shownRealm == "http://auth.example/token")
    // A proxy that ends TLS hides it from the registry.
    #expect(try request("http://registry.example/token").realm == "https://registry.example/token")
    #expect(try !request("https://auth.example/token").isWithoutTLS)
  }

  @Test func `A registry without TLS has a token service without TLS`() throws {
    let reference = try ImageReference("registry.example/app:1")
    let challenge = AuthenticationChallenge(
      scheme: "bearer", parameters: ["realm": "http://auth.example/token"])
    var plain = RegistryConfiguration()
    plain.plainHTTP = ["registry.example"]
    let request = try TokenRequest(
      challenge, scope: nil, image: reference,
      endpoint: RegistryEndpoint(registry: "registry.example", configuration: plain))
    #expect(request.scope == "repository:app:pull")
  }

  @Test(
    arguments: [
      (["Basic realm=\"a\""], ["basic realm=a"]),
      (
        ["Bearer realm=\"https://a/t\",service=\"s, \\\"x\\\"\" , scope = \"b:c:pull,push\""],
        ["bearer realm=https://a/t scope=b:c:pull,push service=s, \"x\""]
      ),
      (
        ["Negotiate, Basic realm=a, Bearer realm=https://b"],
        ["negotiate", "basic realm=a", "bearer realm=https://b"]
      ),
      (["Basic realm=\"a\"", "Bearer realm=\"b\""], ["basic realm=a", "bearer realm=b"]),
      (
        ["Bearer realm=https://a/t?x=1,service=s"], ["bearer realm=https://a/t?x=1 service=s"]
      ),
      (["bearer realm='https://a/t' ; service='s'"], ["bearer realm=https://a/t service=s"]),
      (["BEARER  realm = \"https://a/t\"  ,  Service=\"s\""], ["bearer realm=https://a/t service=s"]),
      (["Negotiate YWJj==, Bearer realm=\"b\""], ["negotiate ywjj==", "bearer realm=b"]),
      (["Bearer realm=\"open"], ["bearer"]), (["=,\"", ""], []), (["realm=\"x\""], []),
    ] as [([String], [String])])
  func `Challenges`(fields: [String], expected: [String]) {
    let found = AuthenticationChallenge.parse(fields).map { challenge in
      ([challenge.scheme] + challenge.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
        .joined(separator: " ")
    }
    #expect(found == expected)
  }
}
