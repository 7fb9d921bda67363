import Files
import SystemPackage
import TestServer
import Testing

@testable import Transfer

/// Whom the engine tells what, and how many requests it makes at once.
@Suite(.timeLimit(.minutes(10))) struct RedirectAndLimitTests {
  let fixture: DownloadFixture
  let body = TestServer.Body.pattern(count: 10_000)

  init() throws {
    fixture = try DownloadFixture()
  }

  @Test func authorizationStaysWithItsOrigin() async throws {
    let other = try TestServer()
    other.serve("/moved", body.bytes)
    fixture.server.route("/file") { _ in .redirect(to: other.url("/moved")) }
    var download = fixture.download()
    download.fields["Authorization"] = "Bearer secret"
    _ = try await fixture.run(download, on: fixture.engine())
    #expect(fixture.content == body.bytes)
    #expect(fixture.server.requests.first?[header: "Authorization"] == "Bearer secret")
    #expect(other.requests.count == 1)
    #expect(other.requests.first?[header: "Authorization"] == nil)
  }

  @Test func authorizationFollowsWithinTheOrigin() async throws {
    fixture.server.serve("/moved", body.bytes)
    fixture.server.route("/file") { _ in .redirect(to: "/moved", status: 307) }
    var download = fixture.download()
    download.fields["Authorization"] = "Bearer secret"
    _ = try await fixture.run(download, on: fixture.engine())
    #expect(fixture.server.requests(for: "/moved").first?[header: "Authorization"] == "Bearer secret")
  }

  @Test(arguments: [false, true])
  func aLoginOfNetrcStaysWithItsPort(_ isOwnPort: Bool) async throws {
    let other = try TestServer()
    let target = isOwnPort ? fixture.server : other
    target.serve("/moved", body.bytes)
    fixture.server.route("/file") { _ in .redirect(to: target.url("/moved")) }
    let netrc = fixture.folder.appending("netrc")
    try writeAtomically("machine 127.0.0.1 login me password hunter2\n", to: netrc)
    _ = try await fixture.run(fixture.download(), on: fixture.engine { $0.netrcFile = netrc.string })
    #expect(fixture.content == body.bytes)
    #expect(fixture.server.requests.first?[header: "Authorization"]?.hasPrefix("Basic ") == true)
    #expect((target.requests(for: "/moved").first?[header: "Authorization"] != nil) == isOwnPort)
  }

  @Test(arguments: [
    ("http://h/", "https://h/", true), ("https://h/", "http://h/", false),
    ("http://h/", "https://h:8443/", false),
    ("http://h:8080/", "https://h/", false), ("http://h:8080/", "http://h:8080/x", true),
  ])
  func whichOriginsAreOneServer(_ first: String, _ second: String, _ expected: Bool) throws {
    #expect(try TransferURL(first).origin.isServedWith(try TransferURL(second).origin) == expected)
  }

  @Test func whatIsSentDoesNotLeaveItsOrigin() async throws {
    let other = try TestServer()
    fixture.server.route("/token") { _ in .redirect(to: other.url("/token"), status: 307) }
    var post = HTTPRequest("POST", url: fixture.server.url("/token"))
    post.body = Array("secret".utf8)
    let request = post
    let engine = try fixture.engine()
    let error = await #expect(throws: TransferError.self) { try await engine.response(to: request) }
    #expect(error?.kind == .redirect)
    #expect(other.requests.isEmpty)
  }

  @Test(arguments: [(1, true), (2, false)])
  func aRefusedAuthorizationIsRenewedOnce(_ refusals: Int, _ succeeds: Bool) async throws {
    fixture.server.route("/file") { [body] request in
      request.attempt <= refusals
        ? TestServer.Response(401).header("WWW-Authenticate", "Test \(request.attempt)") : .init(body: body)
    }
    var download = fixture.download()
    download.authorize = { rejection in ["Authorization": rejection?.fields["WWW-Authenticate"] ?? "first"] }
    let engine = try fixture.engine()
    do throws(TransferError) {
      _ = try await fixture.run(download, on: engine)
      #expect(succeeds)
    } catch {
      #expect(!succeeds)
      #expect(error.kind == .status(401))
    }
    #expect(fixture.server.requests.map { $0[header: "Authorization"] } == ["first", "Test 1"])
  }

  @Test func aCircleOfRedirectsEnds() async throws {
    fixture.server.route("/file") { _ in .redirect(to: "/file") }
    let error = await #expect(throws: TransferError.self) {
      try await fixture.run(fixture.download(), on: fixture.engine())
    }
    #expect(error?.kind == .redirect)
    #expect(fixture.server.requests.count == 11)
  }

  @Test func aResumedDownloadFollowsTheRedirectAgain() async throws {
    fixture.server.route("/file") { _ in .redirect(to: "/signed") }
    fixture.server.route("/signed") { [body] request in
      let whole = TestServer.Resource(body, entityTag: "\"v1\"").response(to: request)
      return request.attempt == 1 ? whole.truncated(after: 4000) : whole
    }
    _ = try await fixture.run(fixture.download(), on: fixture.engine())
    #expect(fixture.content == body.bytes)
    #expect(fixture.server.requests(for: "/file").count == 2)
    #expect(fixture.server.bytesSent("/signed") == 10_000)
  }

  @Test(arguments: [(8, 2, 2), (3, 8, 3)])
  func requestsAtOnceAreBounded(_ parallel: Int, _ perHost: Int, _ most: Int) async throws {
    let gate = TestServer.Gate()
    fixture.server.route("/slow") { _ in TestServer.Response.text("x").stalled(at: gate) }
    let engine = try fixture.engine {
      $0.parallel = parallel
      $0.perHost = perHost
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<12 {
        group.addTask { [url = fixture.server.url("/slow")] in
          _ = try await engine.response(to: HTTPRequest(url: url))
        }
      }
      await gate.reached()
      gate.open()
      try await group.waitForAll()
    }
    #expect(fixture.server.requests.count == 12)
    #expect(fixture.server.peakRequests <= most)
  }

  @Test func aQuestionDoesNotWaitBehindContent() async throws {
    let gate = TestServer.Gate()
    fixture.server.route("/large") { _ in TestServer.Response.text("x").stalled(at: gate) }
    fixture.server.serve("/file", body.bytes)
    let engine = try fixture.engine { $0.parallel = 4 }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        let download = Download(
          url: fixture.server.url("/large"), destination: fixture.folder.appending("large-\(number)"))
        group.addTask { _ = try await engine.download(download) }
      }
      await gate.reached()
      let answer = try await engine.response(to: HTTPRequest(url: fixture.server.url("/file")))
      #expect(answer.body == body.bytes)
      gate.open()
      try await group.waitForAll()
    }
  }

  @Test func aConnectionIsUsedAgain() async throws {
    fixture.server.serve("/file", body.bytes)
    let engine = try fixture.engine { $0.parallel = 1 }
    for _ in 0..<5 { _ = try await engine.response(to: HTTPRequest(url: fixture.server.url("/file"))) }
    #expect(fixture.server.connectionCount == 1)
  }

  @Test func anUnknownNameFailsAtOnce() async throws {
    let engine = try fixture.engine()
    let error = await #expect(throws: TransferError.self) {
      try await engine.response(to: HTTPRequest(url: "http://no-such-host.invalid/"))
    }
    #expect(error?.kind == .nameNotResolved)
    #expect(error?.attempts == 1)
  }

  @Test func credentialsInAURLAreNotInTheMessage() async throws {
    let engine = try fixture.engine()
    let url = "http://user:hunter2@127.0.0.1:\(fixture.server.port)/none"
    let error = await #expect(throws: TransferError.self) {
      try await engine.download(Download(url: url, destination: fixture.folder.appending("file")))
    }
    #expect(!"\(try #require(error))".contains("hunter2"))
  }

  @Test func aLargeAnswerIsRefusedInMemory() async throws {
    fixture.server.serve("/file", body.bytes)
    let engine = try fixture.engine()
    let error = await #expect(throws: TransferError.self) {
      try await engine.response(to: HTTPRequest(url: fixture.server.url("/file"), bodyLimit: 100))
    }
    #expect(error?.kind == .tooLarge)
  }

  @Test func aProbeTellsSizeAndClock() async throws {
    fixture.server.serve("/file", body.bytes)
    let remote = try await fixture.engine().probe(fixture.server.url("/file"))
    #expect(remote.size == 10_000)
    #expect(fixture.server.requests.map(\.method) == ["HEAD"])
  }

  @Test func aProbeFallsBackToOneByte() async throws {
    let resource = TestServer.Resource(body, entityTag: "\"v1\"")
    fixture.server.route("/file") { request in
      request.method == "HEAD" ? .text("", status: 403) : resource.response(to: request)
    }
    let remote = try await fixture.engine().probe(fixture.server.url("/file"))
    #expect(remote.size == 10_000)
    #expect(fixture.server.bytesSent("/file") == 1)
  }

  @Test func aStoppedEngineAnswersEverybody() async throws {
    let gate = TestServer.Gate()
    fixture.server.route("/file") { _ in TestServer.Response.text("x").stalled(at: gate) }
    var engine: TransferEngine? = try fixture.engine { $0.parallel = 1 }
    let loop = try ExchangeLoop(TransferConfiguration())
    let url = try TransferURL(fixture.server.url("/file"))
    async let result = loop.perform(ExchangeRequest(url: url), sink: MemorySink(url: "", limit: 10))
    await gate.reached()
    loop.stop()
    #expect(await result.failure?.kind == .cancelled)
    engine = nil
    #expect(engine == nil)
  }
}
