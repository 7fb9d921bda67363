import Files
import Integrity
import SystemPackage
import TestServer
import Testing

@testable import Transfer

/// Answers that are not what was asked for: they cost attempts, and nothing of them appears under the final name.
@Suite(.timeLimit(.minutes(10))) struct AnswerTests {
  /// What is wrong with an answer.
  enum Fault: String, CaseIterable, Sendable {
    case shortRange, otherTotal, unknownTotal, otherTag, noTag, otherDate, lengthUnlikeRange
    case unaskedPart, encoded, encodedTwice, impossibleLength, negativeLength, cutWithoutLength, otherSize

    /// Whether it is in the answer to a request for the rest.
    var isAboutRest: Bool {
      switch self {
      case .shortRange, .otherTotal, .unknownTotal, .otherTag, .noTag, .otherDate, .lengthUnlikeRange: true
      default: false
      }
    }
  }

  let fixture: DownloadFixture
  // Made once: a pattern takes a while.
  private static let bytes = TestServer.Body.pattern(count: 300_000).bytes
  let body = TestServer.Body(Self.bytes)
  let other = TestServer.Body(Self.bytes.map { ~$0 })

  init() throws { fixture = try DownloadFixture() }

  private func good(_ request: TestServer.Request, _ fault: Fault) -> TestServer.Response {
    let date = fault == .otherDate ? TestServer.Response.httpDate(0) : nil
    return TestServer.Resource(body, entityTag: date == nil ? "\"v1\"" : nil, lastModified: date)
      .response(to: request)
  }

  private func rest(_ bytes: TestServer.Body, _ range: String) -> TestServer.Response {
    TestServer.Response(206, headers: [("ETag", "\"v1\""), ("Content-Range", "bytes \(range)")], body: bytes)
  }

  private func wrong(_ fault: Fault) -> TestServer.Response {
    let rest = self.rest(body[100_000..<300_000], "100000-299999/300000")
    return switch fault {
    case .shortRange: self.rest(body[100_000..<150_000], "100000-149999/300000")
    case .otherTotal: self.rest(body[100_000..<200_000], "100000-199999/200000")
    case .unknownTotal: self.rest(body[100_000..<150_000], "100000-149999/*")
    case .otherTag: self.rest(other[100_000..<300_000], "100000-299999/300000").header("ETag", "\"v2\"")
    case .noTag: rest.header("ETag", nil)
    case .otherDate: rest.header("ETag", nil).header("Last-Modified", TestServer.Response.httpDate(99))
    case .lengthUnlikeRange: self.rest(body[100_000..<200_000], "100000-299999/300000")
    case .unaskedPart: self.rest(body[0..<100_000], "0-99999/300000")
    case .encoded: TestServer.Response(headers: [("Content-Encoding", "gzip")], body: other)
    case .encodedTwice: TestServer.Response(headers: [("Content-Encoding", "identity, br")], body: other)
    case .impossibleLength: TestServer.Response(body: other).declaring(length: .max)
    case .negativeLength: TestServer.Response(body: other).declaring(length: -1)
    case .cutWithoutLength: TestServer.Response(body: body).framed(.untilClose).truncated(after: 100_000)
    case .otherSize: TestServer.Response(body: body[0..<200_000])
    }
  }

  private func download(hasDigest: Bool) -> Download {
    var download = fixture.download(digest: hasDigest ? Digest(of: body.bytes) : nil)
    download.announcedSize = 300_000
    return download
  }

  @Test(arguments: Fault.allCases, [false, true])
  func aWrongAnswerIsDroppedAndTheFileComesFromItsFirstByte(_ fault: Fault, _ hasDigest: Bool) async throws {
    fixture.server.route("/file") { [self] request in
      let isWrong = request.attempt == (fault.isAboutRest ? 2 : 1)
      if isWrong { return wrong(fault) }
      return fault.isAboutRest && request.attempt == 1
        ? good(request, fault).truncated(after: 100_000) : good(request, fault)
    }
    _ = try await fixture.run(download(hasDigest: hasDigest), on: fixture.engine())
    #expect(fixture.content == body.bytes)
    #expect(fixture.names == ["file"])
    #expect(
      fixture.server.requests.map(\.range)
        == (fault.isAboutRest ? [nil, "bytes=100000-", nil] : [nil, nil]))
  }

  @Test(arguments: Fault.allCases, [false, true])
  func aServerThatStaysWrongPutsNothingUnderTheName(_ fault: Fault, _ hasDigest: Bool) async throws {
    fixture.server.route("/file") { [self] request in
      fault.isAboutRest && request.range == nil
        ? good(request, fault).truncated(after: 100_000) : wrong(fault)
    }
    let error = await #expect(throws: TransferError.self) {
      try await fixture.run(download(hasDigest: hasDigest), on: fixture.engine())
    }
    #expect(error?.attempts ?? 0 > 1)
    #expect(fixture.content == nil)
  }

  @Test func whatTheDigestProvesNeedsNoSizeThatWasTold() async throws {
    fixture.server.route("/file") { [body] _ in TestServer.Response(body: body) }
    var download = download(hasDigest: true)
    download.announcedSize = 5
    _ = try await fixture.run(download, on: fixture.engine())
    #expect(fixture.content == body.bytes)
  }

  @Test(arguments: [(true, true), (false, false)])
  func anEncodingOfTheNameIsForTheDigestToDecide(_ hasDigest: Bool, _ isTaken: Bool) async throws {
    fixture.server.route("/file.tgz") { [body] _ in
      TestServer.Response(headers: [("Content-Encoding", "x-gzip")], body: body)
    }
    var download = fixture.download("/file.tgz", digest: hasDigest ? Digest(of: body.bytes) : nil)
    download.announcedSize = 300_000
    _ = try? await fixture.run(download, on: fixture.engine())
    #expect(fixture.content == (isTaken ? body.bytes : nil))
  }

  @Test(arguments: [Fault.unaskedPart, .encoded, .impossibleLength])
  func whatFitsInMemoryIsHeldToTheSameRules(_ fault: Fault) async throws {
    fixture.server.route("/file") { [self] _ in wrong(fault) }
    let engine = try fixture.engine()
    let error = await #expect(throws: TransferError.self) {
      try await engine.response(to: HTTPRequest(url: fixture.server.url("/file")))
    }
    #expect(error?.attempts == 4)
  }

  @Test func encodingsAreNotAskedFor() async throws {
    fixture.server.serve("/file", body.bytes)
    _ = try await fixture.run(fixture.download(), on: fixture.engine())
    #expect(fixture.server.requests.first?[header: "Accept-Encoding"] == "identity")
  }

  @Test(arguments: ["9223372036854775807", "-1", "1e300", "18446744073709551616", "", "0x10", "+5"])
  func aSizeThatCannotBeIsNoSize(_ length: String) async throws {
    fixture.server.route("/file") { _ in
      TestServer.Response().framed(.untilClose).header("Content-Length", length)
    }
    // libcurl refuses some of them itself.
    let remote = try? await fixture.engine().probe(fixture.server.url("/file"))
    #expect(remote?.size == nil)
  }

  @Test func aLinkInPlaceOfThePartIsNotFollowed() async throws {
    fixture.server.serve("/file", body.bytes)
    let download = fixture.download()
    try createLink(Download.partFile(of: download.destination), to: fixture.folder.appending("victim").string)
    let engine = try fixture.engine()
    let error = await #expect(throws: TransferError.self) { try await fixture.run(download, on: engine) }
    #expect(error?.kind == .file)
    #expect(fixture.read("victim") == nil)
  }
}
