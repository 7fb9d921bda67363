import Synchronization
import TestServer
import Testing

@testable import Transfer

/// Bytes that are handed out in pieces, and cannot be read from some byte on.
private final class TestUpload: UploadBody {
  struct Broken: Error {}

  private let content: TestServer.Body
  private let breaksAt: Int64
  private let state = Mutex((position: Int64(0), rewinds: 0))

  init(_ content: TestServer.Body, breaksAt: Int64 = .max) {
    self.content = content
    self.breaksAt = breaksAt
  }

  var size: Int64 { content.count }
  var rewinds: Int { state.withLock { $0.rewinds } }

  func rewind() {
    state.withLock { $0 = (0, $0.rewinds + 1) }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    try state.withLock { state in
      guard state.position < breaksAt else { throw Broken() }
      let count = Int(min(Int64(buffer.count), content.count - state.position))
      content.read(state.position, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
      state.position += Int64(count)
      return count
    }
  }
}

@Suite(.timeLimit(.minutes(10))) struct UploadTests {
  private let server: TestServer
  private let engine: TransferEngine
  private let content = TestServer.Body.pattern(count: 2_500_000)

  init() throws {
    server = try TestServer()
    var configuration = TransferConfiguration()
    configuration.initialBackoff = .milliseconds(1)
    configuration.maximumBackoff = .milliseconds(5)
    configuration.noProxy = "*"
    engine = try TransferEngine(configuration)
  }

  private func request(_ method: String, _ body: TestUpload) -> HTTPRequest {
    var request = HTTPRequest(method, url: server.url("/up"))
    request.upload = body
    return request
  }

  @Test("A body arrives as it is", arguments: ["PUT", "PATCH", "POST"])
  func arrives(method: String) async throws {
    server.route("/up") { _ in TestServer.Response(201) }
    let body = TestUpload(content)
    #expect(try await engine.response(to: request(method, body)).head.status == 201)
    #expect(server.requests.map(\.method) == [method])
    #expect(server.requests.first?.body == content.bytes)
    #expect(body.rewinds == 1)
  }

  @Test func `A body without bytes arrives too`() async throws {
    server.route("/up") { _ in TestServer.Response(201) }
    _ = try await engine.response(to: request("PUT", TestUpload(.pattern(count: 0))))
    #expect(server.requests.first?[header: "Content-Length"] == "0")
  }

  @Test(
    "A failed attempt is repeated from the first byte",
    arguments: [TestServer.Response.refusal(503), .nothing(ending: .reset)])
  func repeated(_ answer: TestServer.Response) async throws {
    server.route("/up") { request in request.attempt < 3 ? answer : TestServer.Response(201) }
    let body = TestUpload(content)
    _ = try await engine.response(to: request("PUT", body))
    #expect(server.requests.map(\.body.count) == [2_500_000, 2_500_000, 2_500_000])
    #expect(server.requests.last?.body == content.bytes)
  }

  @Test func `A redirect within the server gets the body, too`() async throws {
    server.route("/up") { _ in .redirect(to: "/there", status: 307) }
    server.route("/there") { _ in TestServer.Response(201) }
    _ = try await engine.response(to: request("PUT", TestUpload(content)))
    #expect(server.requests(for: "/there").first?.body == content.bytes)
  }

  @Test func `A body that cannot be read fails the request, and the server never has all of it`() async throws
  {
    server.route("/up") { _ in TestServer.Response(201) }
    let error = await #expect(throws: TransferError.self) {
      try await engine.response(to: request("PUT", TestUpload(content, breaksAt: 1_000_000)))
    }
    #expect(error?.kind == .source)
    #expect(server.requests.isEmpty)
  }
}
