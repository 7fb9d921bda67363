import FoundationEssentials
import Integrity
import Registry
import Synchronization
import TestServer

/// A registry in this process: it serves what is put into it, asks for credentials if told so, and misbehaves
/// where a test wants it.
public final class TestRegistry: Sendable {
  /// Whom it serves.
  public enum Access: Sendable {
    /// Everybody.
    case open
    /// Who has this name and password.
    case basic(user: String, password: String)
    /// Who has a token of its token service, which gives one to everybody, or to who has a name and password.
    case bearer(user: String? = nil, password: String? = nil, expiresIn: Int? = 300)
  }

  /// Changes an answer.
  public typealias Fault = @Sendable (TestServer.Request, TestServer.Response) -> TestServer.Response

  struct State {
    var access = Access.open
    var tokens: Set<String> = []
    var tokenCount = 0
    var faults: [String: Fault] = [:]
    var storage: TestServer?
    var uploads = Uploads()
  }

  /// The server below it.
  public let server: TestServer
  let state = Mutex(State())

  /// Starts an empty registry.
  ///
  /// - Throws: ``SocketError``.
  public init(access: Access = .open) throws {
    server = try TestServer()
    state.withLock { $0.access = access }
    route("/v2/") { _ in TestServer.Response(200, body: .init("{}")) }
    server.route("/token") { [weak self] request in self?.token(request) ?? TestServer.Response(500) }
  }

  deinit { server.stop() }

  /// Its name in references.
  public var host: String { "127.0.0.1:\(server.port)" }

  /// Changes every answer for a path, also those of the token service (`/token`).
  public func fault(_ path: String, _ change: @escaping Fault) {
    state.withLock { $0.faults[path] = change }
  }

  /// From now on no token that was given is good.
  public func revokeTokens() { state.withLock { $0.tokens = [] } }

  /// From now on blobs are redirected to another server, which turns down what carries credentials.
  public func redirectBlobs(to storage: TestServer) { state.withLock { $0.storage = storage } }

  /// The path of a manifest.
  public static func manifestPath(_ repository: String, _ name: String) -> String {
    "/v2/\(repository)/manifests/\(name)"
  }

  /// The path of a blob.
  public static func blobPath(_ repository: String, _ digest: Digest) -> String {
    "/v2/\(repository)/blobs/\(digest)"
  }

  /// Puts an image into a repository, under its digest and under a tag.
  public func put(_ image: TestImage, in repository: String, tag: String? = nil) {
    for blob in [image.config] + image.layers { put(blob: blob, in: repository) }
    put(manifest: image.manifest, in: repository, tag: tag)
  }

  /// Puts a manifest or index into a repository, under its digest and under a tag.
  public func put(manifest: TestImage.Blob, in repository: String, tag: String? = nil) {
    let response = TestServer.Response(
      headers: [
        ("Content-Type", manifest.descriptor.mediaType.rawValue),
        ("Docker-Content-Digest", manifest.descriptor.digest.description),
      ], body: .init(manifest.bytes))
    for name in [manifest.descriptor.digest.description, tag].compactMap({ $0 }) {
      route(Self.manifestPath(repository, name)) { _ in response }
    }
  }

  /// Puts a blob into a repository.
  public func put(blob: TestImage.Blob, in repository: String) {
    let digest = blob.descriptor.digest
    let resource = TestServer.Resource(.init(blob.bytes), entityTag: "\"\(digest)\"")
    route(Self.blobPath(repository, digest)) { [weak self] request in
      guard let storage = self?.state.withLock({ $0.storage }) else { return resource.response(to: request) }
      storage.route("/storage/\(digest)") { request in
        request[header: "Authorization"] == nil ? resource.response(to: request) : TestServer.Response(400)
      }
      return .redirect(to: storage.url("/storage/\(digest)"), status: 307)
    }
  }

  /// What a registry says when it has no such thing.
  public static func refusal(_ status: Int, code: String, message: String = "") -> TestServer.Response {
    TestServer.Response(
      status, headers: [("Content-Type", "application/json")],
      body: .init("{\"errors\":[{\"code\":\"\(code)\",\"message\":\"\(message)\"}]}"))
  }

  func route(_ path: String, _ answer: @escaping TestServer.Handler) {
    server.route(path) { [weak self] request in
      guard let self else { return TestServer.Response(500) }
      let usual = refuse(request, path: path) ?? answer(request)
      return state.withLock { $0.faults[path] }?(request, usual) ?? usual
    }
  }

  /// The refusal of a request without sufficient credentials.
  private func refuse(_ request: TestServer.Request, path: String) -> TestServer.Response? {
    let authorization = request[header: "Authorization"]
    let (access, tokens) = state.withLock { ($0.access, $0.tokens) }
    let challenge: String
    switch access {
    case .open: return nil
    case .basic(let user, let password):
      if authorization == Self.basic(user, password) { return nil }
      challenge = "Basic realm=\"test\", charset=\"UTF-8\""
    case .bearer:
      if let authorization, authorization.hasPrefix("Bearer "),
        tokens.contains(String(authorization.dropFirst(7)))
      {
        return nil
      }
      let parts = path.split(separator: "/")
      let scope =
        parts.count > 3
        ? ",scope=\"repository:\(parts[1..<(parts.count - 2)].joined(separator: "/")):\(request.method == "GET" || request.method == "HEAD" ? "pull" : "pull,push")\""
        : ""
      challenge = "Bearer realm=\"\(server.url("/token"))\",service=\"test\"\(scope)"
    }
    return Self.refusal(401, code: "UNAUTHORIZED").header("WWW-Authenticate", challenge)
  }

  private func token(_ request: TestServer.Request) -> TestServer.Response {
    let usual = usualToken(request)
    return state.withLock { $0.faults["/token"] }?(request, usual) ?? usual
  }

  private func usualToken(_ request: TestServer.Request) -> TestServer.Response {
    guard case .bearer(let user, let password, let expiresIn) = state.withLock({ $0.access }) else {
      return TestServer.Response(404)
    }
    if let user, let password, request[header: "Authorization"] != Self.basic(user, password) {
      return Self.refusal(401, code: "UNAUTHORIZED", message: "incorrect username or password")
    }
    let token = state.withLock { state in
      state.tokenCount += 1
      let token = "token-\(state.tokenCount)"
      state.tokens.insert(token)
      return token
    }
    let life = expiresIn.map { ",\"expires_in\":\($0)" } ?? ""
    return TestServer.Response(body: .init("{\"token\":\"\(token)\"\(life)}"))
  }

  private static func basic(_ user: String, _ password: String) -> String {
    "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
  }
}
