import Files
import Integrity
import Synchronization
import SystemPackage
import TestServer
import Testing

@testable import Transfer

/// What ends up on the disk, and how many requests it took, against a server that misbehaves.
@Suite(.timeLimit(.minutes(10))) struct DownloadTests {
  let fixture: DownloadFixture
  let body = TestServer.Body.pattern(count: 3_000_000)
  let digest: Digest

  init() throws {
    fixture = try DownloadFixture()
    digest = Digest(of: body.bytes)
  }

  private func serveGood() {
    fixture.server.serve("/file", TestServer.Resource(body, entityTag: "\"v1\""))
  }

  @Test(arguments: [DigestAlgorithm.sha256, .sha512])
  func aGoodServerNeedsOneRequest(_ algorithm: DigestAlgorithm) async throws {
    serveGood()
    let expected = Digest(of: body.bytes, algorithm: algorithm)
    let receipt = try #require(
      try await fixture.run(fixture.download(digest: expected), on: fixture.engine()).receipt)
    #expect(fixture.content == body.bytes)
    #expect(fixture.names == ["file"])
    #expect(receipt.sha256 == digest)
    #expect(receipt.size == 3_000_000 && receipt.transferred == 3_000_000 && receipt.attempts == 1)
    #expect(fixture.server.requests.count == 1)
  }

  @Test func aSmallFileMakesNoOtherFileOnItsWay() async throws {
    let small = TestServer.Body.pattern(count: 200_000)
    let gate = TestServer.Gate()
    fixture.server.route("/file") { _ in TestServer.Response(body: small).pausing(after: 100_000, at: gate) }
    let engine = try fixture.engine()
    async let outcome = fixture.run(fixture.download(digest: Digest(of: small.bytes)), on: engine)
    await gate.reached()
    let names = fixture.names
    gate.open()
    _ = try await outcome
    #expect(names == [Download.partFile(of: fixture.folder.appending("file")).lastComponent?.string])
    #expect(fixture.names == ["file"] && fixture.content == small.bytes)
  }

  @Test func aSmallFileThatWasCutIsGoneOnByAnotherRun() async throws {
    let small = TestServer.Body.pattern(count: 200_000)
    let resource = TestServer.Resource(small, entityTag: "\"v1\"")
    fixture.server.route("/file") { request in
      switch request.attempt {
      case 1: resource.response(to: request).truncated(after: 100_000)
      case 2: .refusal(404)
      default: resource.response(to: request)
      }
    }
    let download = fixture.download(digest: Digest(of: small.bytes))
    await #expect(throws: TransferError.self) { try await fixture.run(download, on: fixture.engine()) }
    let kept = try #require(fixture.part).count
    #expect(kept > 0)
    let receipt = try await fixture.run(download, on: fixture.engine()).receipt
    #expect(receipt?.transferred == Int64(200_000 - kept))
    #expect(fixture.names == ["file"] && fixture.content == small.bytes)
  }

  @Test func anEmptyFileIsAFile() async throws {
    fixture.server.serve("/file", [])
    let receipt = try await fixture.run(fixture.download(), on: fixture.engine()).receipt
    #expect(receipt?.size == 0)
    #expect(fixture.content == [])
  }

  @Test(arguments: [503, 500, 502, 504, 429, 408])
  func transientStatusIsTriedAgain(_ status: Int) async throws {
    fixture.server.route("/file") { [body] request in
      request.attempt == 1 ? .refusal(status) : TestServer.Response(body: body)
    }
    _ = try await fixture.run(fixture.download(digest: digest), on: fixture.engine())
    #expect(fixture.content == body.bytes)
    #expect(fixture.server.requests.count == 2)
  }

  @Test(arguments: [404, 401, 403, 410, 400])
  func permanentStatusIsNotTriedAgain(_ status: Int) async throws {
    fixture.server.route("/file") { _ in .text("no", status: status) }
    let error = await #expect(throws: TransferError.self) {
      try await fixture.run(fixture.download(digest: digest), on: fixture.engine())
    }
    #expect(error?.kind == .status(status))
    #expect(error?.body == Array("no".utf8))
    #expect(fixture.server.requests.count == 1)
    #expect(fixture.names.isEmpty)
  }

  @Test func retriesAreBounded() async throws {
    fixture.server.route("/file") { _ in .refusal(503) }
    let error = await #expect(throws: TransferError.self) {
      try await fixture.run(fixture.download(), on: fixture.engine { $0.retries = 2 })
    }
    #expect(error?.attempts == 3)
    #expect("\(try #require(error))".contains("after 3 attempts"))
  }

  @Test(arguments: [1, 4])
  func retryAfterIsWaitedFor(_ seconds: Int) async throws {
    let times = Mutex<[ContinuousClock.Instant]>([])
    fixture.server.route("/file") { [body] request in
      times.withLock { $0.append(.now) }
      guard request.attempt == 1 else { return TestServer.Response(body: body) }
      let date = TestServer.Response.httpDate(secondsFromNow: seconds)
      return .refusal(429, retryAfter: seconds == 1 ? "1" : date)
    }
    _ = try await fixture.run(fixture.download(digest: digest), on: fixture.engine())
    let pauses = fixture.recordedEvents.compactMap {
      if case .retrying(_, let pause) = $0 { pause } else { nil }
    }
    #expect(pauses.count == 1)
    // However busy the machine is: not before that time. A date has whole seconds.
    let asked = times.withLock(\.self)
    #expect(asked.count == 2 && asked[1] - asked[0] >= .seconds(seconds == 1 ? 1 : 3))
  }

  @Test func anAbsurdRetryAfterFailsAtOnceAndSaysSo() async throws {
    fixture.server.route("/file") { _ in .refusal(429, retryAfter: "86400") }
    let error = await #expect(throws: TransferError.self) {
      try await fixture.run(fixture.download(), on: fixture.engine())
    }
    #expect(error?.kind == .waitTooLong)
    #expect("\(try #require(error))".contains("86400 seconds"))
  }

  @Test func aTruncatedAnswerIsGoneOnFromWhereItBroke() async throws {
    fixture.server.route("/file") { [body] request in
      let whole = TestServer.Resource(body, entityTag: "\"v1\"").response(to: request)
      return request.attempt == 1 ? whole.truncated(after: 1_000_000) : whole
    }
    _ = try await fixture.run(fixture.download(digest: digest), on: fixture.engine())
    #expect(fixture.content == body.bytes)
    let second = try #require(fixture.server.requests.last)
    #expect(second.range == "bytes=1000000-")
    #expect(second[header: "If-Range"] == "\"v1\"")
    #expect(fixture.server.bytesSent("/file") == 3_000_000)
  }

  @Test func aServerThatIgnoresRangeStartsAnew() async throws {
    fixture.server.route("/file") { [body] request in
      let whole = TestServer.Resource(body, entityTag: "\"v1\"", ranges: .ignored).response(to: request)
      return request.attempt == 1 ? whole.truncated(after: 1_000_000) : whole
    }
    _ = try await fixture.run(fixture.download(digest: digest), on: fixture.engine())
    #expect(fixture.content == body.bytes)
    #expect(fixture.server.bytesSent("/file") == 4_000_000)
  }

  @Test func aFileReplacedBetweenAttemptsIsNeverMixed() async throws {
    let newer = TestServer.Body.pattern(count: 2_000_000, seed: 9)
    fixture.server.route("/file") { [body] request in
      request.attempt == 1
        ? TestServer.Resource(body, entityTag: "\"v1\"").response(to: request).truncated(after: 1_000_000)
        : TestServer.Resource(newer, entityTag: "\"v2\"").response(to: request)
    }
    _ = try await fixture.run(fixture.download(), on: fixture.engine())
    #expect(fixture.content == newer.bytes)
  }

  @Test func aWrongContentRangeIsNotWritten() async throws {
    fixture.server.route("/file") { [body] request in
      var resource = TestServer.Resource(body, entityTag: "\"v1\"")
      if request.attempt == 1 { return resource.response(to: request).truncated(after: 1_000_000) }
      if request.attempt == 2 { resource.ranges = .misreported(by: 100) }
      return resource.response(to: request)
    }
    _ = try await fixture.run(fixture.download(digest: digest), on: fixture.engine())
    #expect(fixture.content == body.bytes)
    #expect(fixture.server.requests.map(\.range) == [nil, "bytes=1000000-", nil])
  }

  @Test func wrongBytesCostARetryAndNeverAppear() async throws {
    let wrong = TestServer.Body.pattern(count: 3_000_000, seed: 5)
    fixture.server.route("/file") { [body] request in
      TestServer.Response(body: request.attempt == 1 ? wrong : body)
    }
    _ = try await fixture.run(fixture.download(digest: digest), on: fixture.engine())
    #expect(fixture.content == body.bytes)
    #expect(fixture.server.requests.count == 2)
  }

  @Test func theSameWrongBytesTwiceAreAnError() async throws {
    let wrong = TestServer.Body.pattern(count: 1000, seed: 5)
    fixture.server.route("/file") { _ in TestServer.Response(body: wrong) }
    let error = await #expect(throws: TransferError.self) {
      try await fixture.run(fixture.download(digest: digest), on: fixture.engine())
    }
    #expect(error?.kind == .digestMismatch(expected: digest, actual: Digest(of: wrong.bytes)))
    #expect(fixture.server.requests.count == 2)
    #expect(fixture.names.isEmpty)
  }

  @Test(arguments: [Int64(2_000_000), 4_000_000])
  func aLengthThatLiesNeverEndsAsAFile(_ declared: Int64) async throws {
    fixture.server.route("/file") { [body] request in
      var response = TestServer.Response(body: body)
      guard request.attempt == 1 else { return response }
      response = response.declaring(length: declared)
      response.ending = .close
      return response
    }
    _ = try await fixture.run(fixture.download(digest: digest), on: fixture.engine())
    #expect(fixture.content == body.bytes)
  }

  @Test func chunkedWithoutLengthWorks() async throws {
    fixture.server.route("/file") { [body] _ in TestServer.Response(body: body).framed(.chunked) }
    let receipt = try await fixture.run(fixture.download(digest: digest), on: fixture.engine()).receipt
    #expect(receipt?.size == 3_000_000)
  }

  @Test func anUnchangedFileIsNotSentAgain() async throws {
    fixture.server.route("/file") { [body] request in
      request[header: "If-None-Match"] == "\"v1\""
        ? TestServer.Response.text("", status: 304) : .init(body: body)
    }
    var download = fixture.download()
    download.knownValidator = "\"v1\""
    guard case .notModified = try await fixture.run(download, on: fixture.engine()) else {
      Issue.record("expected 304 to be understood")
      return
    }
    #expect(fixture.names.isEmpty)
  }

  @Test func anotherRunGoesOnFromAPart() async throws {
    let gate = TestServer.Gate()
    fixture.server.route("/file") { [body] request in
      let whole = TestServer.Resource(body, entityTag: "\"v1\"").response(to: request)
      return request.attempt == 1 ? whole.pausing(after: 1_500_000, at: gate) : whole
    }
    let first = Task { [fixture, digest] in
      try await fixture.run(fixture.download(digest: digest), on: fixture.engine())
    }
    await gate.reached()
    // The server is ahead: what it has sent may not have arrived.
    while fixture.part?.isEmpty ?? true { await Task.yield() }
    first.cancel()
    await #expect(throws: TransferError.self) { try await first.value }
    #expect(fixture.names.count == 2 && fixture.names.allSatisfy(IncompleteName.matches))
    let kept = try #require(fixture.part).count
    #expect(kept > 0)

    let receipt = try await fixture.run(fixture.download(digest: digest), on: fixture.engine()).receipt
    #expect(fixture.content == body.bytes)
    #expect(receipt?.transferred == Int64(3_000_000 - kept))
    #expect(fixture.names == ["file"])
  }

  @Test func aDamagedPartCostsARetryAndNothingElse() async throws {
    serveGood()
    try fixture.leavePart([UInt8](repeating: 7, count: 5000), "\(digest)\n\"v1\"\n3000000\n")
    _ = try await fixture.run(fixture.download(digest: digest), on: fixture.engine())
    #expect(fixture.content == body.bytes)
  }

  @Test func aCompletePartNeedsNoRequest() async throws {
    try fixture.leavePart(body.bytes, "\(digest)\n\n\n")
    _ = try await fixture.run(fixture.download(digest: digest), on: fixture.engine())
    #expect(fixture.content == body.bytes)
    #expect(fixture.server.requests.isEmpty)
  }

  @Test func aStalledServerIsLeftAndAskedAgain() async throws {
    let gate = TestServer.Gate()
    fixture.server.route("/file") { [body] request in
      let whole = TestServer.Resource(body, entityTag: "\"v1\"").response(to: request)
      return request.attempt == 1 ? whole.pausing(after: 1_000_000, at: gate) : whole
    }
    _ = try await fixture.run(
      fixture.download(digest: digest),
      on: fixture.engine {
        $0.stallTimeout = .seconds(1)
        // Nobody else brings what it does not.
        $0.pieces.tail = .seconds(600)
      })
    #expect(fixture.content == body.bytes)
    #expect(fixture.server.requests.count == 2)
  }

  @Test func aFullDiskIsNotTheServersFault() async throws {
    serveGood()
    let download = Download(url: fixture.server.url("/file"), destination: "/dev/full/file", digest: digest)
    let engine = try fixture.engine()
    let error = await #expect(throws: TransferError.self) {
      try await fixture.run(download, on: engine)
    }
    #expect(error?.kind == .file)
    #expect(fixture.server.requests.isEmpty)
  }
}
