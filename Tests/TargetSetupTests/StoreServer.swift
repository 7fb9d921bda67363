import Integrity
import Synchronization
import SystemPackage
import TestServer
import TestSupport
import Transfer

@testable import TargetSetup

/// An HTTP store: Artifactory with its checksums, or a plain one that takes PUT.
final class StoreServer: Sendable {
  enum Kind {
    case artifactory
    /// As nginx: no checksum is told.
    case plain
    /// As Nexus: the SHA-1 is the entity tag. The server of the tests knows that of "abc" only.
    case nexus
  }

  static let sha1OfABC = "a9993e364706816aba3e25717850c26c9cd0d89d"

  let server: TestServer
  private let kind: Kind
  private let files = Mutex<[String: [UInt8]]>([:])
  /// Contents that Artifactory has somewhere else.
  private let known = Mutex<[Digest: [UInt8]]>([:])
  private let faults = Mutex<[String: [TestServer.Response]]>([:])
  private let authorization: String?
  /// What a store of another kind makes of an answer.
  private let change: @Sendable (TestServer.Request, TestServer.Response) -> TestServer.Response

  /// - Parameter paths: What may be asked for, below `/repo/`, as it is quoted.
  init(
    _ kind: Kind, _ paths: [String], authorization: String? = nil,
    changing change: @escaping @Sendable (TestServer.Request, TestServer.Response) -> TestServer.Response = {
      $1
    }
  ) throws {
    self.kind = kind
    self.authorization = authorization
    self.change = change
    server = try TestServer()
    for path in paths {
      server.route("/repo/\(path)") { [weak self] request in
        guard let self else { return .nothing() }
        return self.change(request, self.answer(request, path))
      }
    }
  }

  deinit { server.stop() }

  var address: String { server.url("/repo/") }
  func content(_ path: String) -> String? {
    files.withLock { $0[path].map { String(decoding: $0, as: UTF8.self) } }
  }
  func put(_ text: String, at path: String) { files.withLock { $0[path] = Array(text.utf8) } }
  func know(_ text: String) { known.withLock { $0[Digest(of: Array(text.utf8))] = Array(text.utf8) } }
  /// Answers the next requests that would write this path so instead.
  func fail(_ path: String, _ responses: TestServer.Response...) { faults.withLock { $0[path] = responses } }

  /// The methods of the requests for a path; `deploy` is a PUT by checksum.
  func methods(_ path: String) -> [String] {
    server.requests(for: "/repo/\(path)").map {
      $0[header: "X-Checksum-Deploy"] == nil ? $0.method : "deploy"
    }
  }

  private func answer(_ request: TestServer.Request, _ path: String) -> TestServer.Response {
    if let authorization, request[header: "Authorization"] != authorization {
      return named(.text("", status: 401))
    }
    switch request.method {
    case "HEAD", "GET":
      guard let bytes = files.withLock({ $0[path] }) else { return named(.text("", status: 404)) }
      return named(TestServer.Response(body: TestServer.Body(bytes)), bytes)
    case "PUT":
      if request[header: "X-Checksum-Deploy"] == "true", kind == .artifactory {
        let digest = try? Digest("sha256:\(request[header: "X-Checksum-Sha256"] ?? "")")
        guard let bytes = digest.flatMap({ digest in known.withLock { $0[digest] } }) else {
          return named(.text("{\"errors\": []}", status: 404))
        }
        return store(bytes, path)
      }
      let fault = faults.withLock { faults in
        faults[path]?.isEmpty == false ? faults[path]?.removeFirst() : nil
      }
      if let fault { return fault }
      if kind == .artifactory, let told = request[header: "X-Checksum-Sha256"],
        told != Digest(of: request.body).hex
      {
        return named(.text("{\"errors\": [{\"message\": \"Checksum error\"}]}", status: 409))
      }
      return store(request.body, path)
    default: return .text("", status: 405)
    }
  }

  private func store(_ bytes: [UInt8], _ path: String) -> TestServer.Response {
    files.withLock { $0[path] = bytes }
    guard kind == .artifactory else { return TestServer.Response(201) }
    return named(
      .text(
        "{\"size\": \"\(bytes.count)\", \"checksums\": {\"sha1\": \"x\", \"sha256\": \"\(Digest(of: bytes).hex)\"}}",
        status: 201))
  }

  private func named(_ response: TestServer.Response, _ bytes: [UInt8]? = nil) -> TestServer.Response {
    switch kind {
    case .artifactory:
      response.header("X-JFrog-Version", "Artifactory/7.90.1")
        .header("X-Checksum-Sha256", bytes.map { Digest(of: $0).hex })
    case .nexus:
      response.header(
        "ETag",
        bytes == Array("abc".utf8)
          ? "\"{SHA1{\(Self.sha1OfABC)}}\"" : "\"{SHA1{\(String(repeating: "0", count: 40))}}\"")
    case .plain: response.header("ETag", bytes.map { "\"65f1c2-\($0.count)\"" })
    }
  }
}
