import Files
import Integrity
import Synchronization
import SystemPackage
import TestServer
import Testing

@testable import Transfer

/// Large files over several connections: what ends up on the disk, and what the server is asked.
@Suite(.timeLimit(.minutes(10))) struct PieceTests {
  private static let size: Int64 = 12_000_000
  /// Of a slow connection, in bytes a second.
  private static let rate: Int64 = 4_000_000

  let fixture: DownloadFixture
  let body = TestServer.Body(TestServer.Body.pattern(count: Self.size).bytes)
  let digest: Digest

  init() throws {
    fixture = try DownloadFixture()
    digest = Digest(of: body.bytes)
  }

  private var good: TestServer.Resource { TestServer.Resource(body, entityTag: "\"v1\"") }
  private var requests: [TestServer.Request] { fixture.server.requests(for: "/file") }
  private var ranges: [String] { requests.compactMap(\.range) }

  /// An engine that tries another connection after two measurements, whatever they say, and keeps it.
  private func engine(_ change: (inout TransferConfiguration) -> Void = { _ in }) throws -> TransferEngine {
    try fixture.engine {
      $0.pieces = PiecePolicy(
        interval: .milliseconds(20), minimumLeft: 1_000_000, sizes: 500_000...1_000_000,
        patience: .milliseconds(200), steadiness: 1000, slowest: 0, gain: -1, sample: 0)
      change(&$0)
    }
  }

  /// Serves the file; answers to requests for pieces are changed. The first connection stands still after a megabyte until
  /// so many pieces have been asked for.
  private func serve(
    heldFor pieces: Int = 2,
    _ change: @escaping @Sendable (TestServer.Request, TestServer.Response) -> TestServer.Response = { $1 }
  ) {
    let gate = TestServer.Gate()
    let count = RequestCount()
    fixture.server.route("/file") { [good] request in
      let usual = good.response(to: request)
      guard request.range != nil else { return usual.pausing(after: 1_000_000, at: gate) }
      if count.next() >= pieces { gate.open() }
      return change(request, usual)
    }
  }

  private func expectWhole(_ receipt: DownloadReceipt?) {
    #expect(fixture.content == body.bytes)
    #expect(receipt?.sha256 == digest && receipt?.size == Self.size)
    #expect(fixture.names == ["file"])
  }

  private var discarded: Int64 {
    fixture.recordedEvents.reduce(0) { if case .discarded(let count) = $1 { $0 + count } else { $0 } }
  }

  @Test func severalConnectionsBringOneFile() async throws {
    serve()
    expectWhole(try await fixture.run(fixture.download(digest: digest), on: engine()).receipt)
    #expect(ranges.count >= 2 && Set(requests.map(\.connection)).count > 1)
    #expect(requests.filter { $0.range == nil }.count == 1)
    #expect(ranges.allSatisfy { !$0.hasSuffix("-") } && discarded == 0)
    let received = fixture.recordedEvents.reduce(Int64(0)) {
      if case .received(let count) = $1 { $0 + count } else { $0 }
    }
    #expect(received == Self.size)
  }

  /// Only the last bytes are shared out, and those are all of the file.
  private static let onlyTail = PiecePolicy(
    interval: .milliseconds(20), minimumLeft: .max, patience: .milliseconds(200), slowest: 0,
    tail: .milliseconds(1),
    tailWindow: .milliseconds(40), split: .milliseconds(1), tailLeast: 50_000)

  @Test func theRestOfAFileThatCrawlsComesOverFreeConnections() async throws {
    serve()
    expectWhole(
      try await fixture.run(fixture.download(digest: digest), on: engine { $0.pieces = Self.onlyTail })
        .receipt)
    #expect(ranges.count >= 2 && Set(requests.map(\.connection)).count > 1 && discarded == 0)
    #expect(requests.filter { $0.range == nil }.count == 1)
  }

  @Test func aPieceThatCrawlsIsSharedOutAgain() async throws {
    // The first piece stands still until a connection is asked for the last bytes of it.
    let gate = TestServer.Gate()
    let piece = Mutex<Range<Int64>?>(nil)
    serve { request, usual in
      guard let range = ByteRanges(request.range.map { String($0.dropFirst(6)) } ?? "")?.first else {
        return usual
      }
      let first = piece.withLock { piece in
        defer { piece = piece ?? range }
        return piece
      }
      guard let first else { return usual.pausing(after: 50_000, at: gate) }
      if first.contains(range.lowerBound) { gate.open() }
      return usual
    }
    let engine = try engine {
      $0.pieces = Self.onlyTail
      $0.pieces.patience = .seconds(600)
    }
    expectWhole(try await fixture.run(fixture.download(digest: digest), on: engine).receipt)
    #expect(discarded == 0)
  }

  @Test(arguments: 0..<5) func aFileInManySharesIsWholeHoweverFastEachIs(_ run: Int) async throws {
    fixture.server.route("/file") { [good] in
      good.response(to: $0).paced(Int64.random(in: 1_000_000...8_000_000))
    }
    let receipt = try await fixture.run(
      fixture.download(digest: digest), on: engine { $0.pieces = Self.onlyTail }
    ).receipt
    expectWhole(receipt)
    #expect(discarded == 0)
  }

  @Test func anotherAlgorithmIsProvedToo() async throws {
    serve()
    let download = fixture.download(digest: Digest(of: body.bytes, algorithm: .sha512))
    expectWhole(try await fixture.run(download, on: engine()).receipt)
    #expect(ranges.count >= 2)
  }

  @Test func theLimitOfTheHostHolds() async throws {
    serve()
    expectWhole(
      try await fixture.run(fixture.download(digest: digest), on: engine { $0.perHost = 2 }).receipt)
    #expect(!ranges.isEmpty && fixture.server.peakRequests == 2)
  }

  @Test func withOneConnectionThereAreNoPieces() async throws {
    fixture.server.route("/file") { [good] in good.response(to: $0).paced(Self.rate) }
    expectWhole(
      try await fixture.run(fixture.download(digest: digest), on: engine { $0.perHost = 1 }).receipt)
    #expect(requests.count == 1)
  }

  @Test func aFileThatNothingProvesComesOverOneConnection() async throws {
    fixture.server.route("/file") { [good] in good.response(to: $0).paced(Self.rate) }
    _ = try await fixture.run(fixture.download(), on: engine())
    #expect(fixture.content == body.bytes && requests.count == 1)
  }

  @Test func aFileWithoutValidatorComesOverOneConnection() async throws {
    fixture.server.route("/file") { [body] _ in TestServer.Response(body: body).paced(Self.rate) }
    expectWhole(try await fixture.run(fixture.download(digest: digest), on: engine()).receipt)
    #expect(requests.count == 1)
  }

  @Test(arguments: [TestServer.Resource.RangeSupport.ignored, .misreported(by: 1)])
  func aServerThatAnswersRangesWronglyIsNotAskedAgain(_ support: TestServer.Resource.RangeSupport)
    async throws
  {
    var resource = good
    resource.ranges = support
    serve(heldFor: 1) { [resource] request, _ in resource.response(to: request) }
    expectWhole(try await fixture.run(fixture.download(digest: digest), on: engine()).receipt)
    #expect(requests.count == 2 && discarded == 0)
  }

  @Test func aFileThatChangesMeanwhileIsTheOneThatIsExpected() async throws {
    let other = TestServer.Resource(.pattern(count: Self.size, seed: 2), entityTag: "\"v2\"")
    serve(heldFor: 1) { request, _ in other.response(to: request) }
    expectWhole(try await fixture.run(fixture.download(digest: digest), on: engine()).receipt)
    #expect(requests.count == 2 && discarded == 0)
  }

  @Test func aFileThatChangesAfterTheFirstPiecesIsFetchedAgain() async throws {
    let other = TestServer.Body.pattern(count: Self.size, seed: 2)
    let changed = TestServer.Resource(other, entityTag: "\"v2\"")
    let gate = TestServer.Gate()
    fixture.server.route("/file") { [good] request in
      if request.attempt > 3 { gate.open() }
      return (request.attempt > 3 ? changed : good).response(to: request)
        .pausing(after: request.range == nil ? 1_000_000 : .max, at: gate)
    }
    let download = fixture.download(digest: Digest(of: other.bytes))
    _ = try await fixture.run(download, on: engine())
    #expect(fixture.content == other.bytes)
    #expect(requests.last?.range == nil && requests.filter { $0.range == nil }.count >= 2)
  }

  @Test func wrongBytesUnderTheRightHeadAreFoundAndFetchedOverOneConnection() async throws {
    let wrong = TestServer.Body([UInt8](repeating: 7, count: Int(Self.size)))
    serve { _, usual in
      var response = usual
      response.body = wrong[0..<usual.body.count]
      return response
    }
    let receipt = try await fixture.run(fixture.download(digest: digest), on: engine()).receipt
    expectWhole(receipt)
    #expect(requests.last?.range == nil && requests.filter { $0.range == nil }.count == 2)
  }

  @Test(arguments: ["reset", "cut", "refused", "silent"])
  func aPieceThatFailsIsBroughtByAnother(_ fault: String) async throws {
    serve { request, usual in
      guard request.attempt == 3 else { return usual }
      return switch fault {
      case "reset": usual.truncated(after: 100_000, ending: .reset)
      case "cut": usual.truncated(after: 100_000)
      case "refused": .refusal(503)
      default: .nothing()
      }
    }
    let receipt = try await fixture.run(fixture.download(digest: digest), on: engine()).receipt
    expectWhole(receipt)
    #expect(ranges.count > 2 && discarded == 0)
    // What had arrived of a piece is not asked for again; a connection that is cut may have brought some more.
    #expect(receipt?.transferred ?? .max < Self.size + Self.size / 4)
  }

  @Test func aPieceThatStandsStillIsBroughtByAnother() async throws {
    let gate = TestServer.Gate()
    defer { gate.open() }
    serve { request, usual in request.attempt == 3 ? usual.pausing(after: 50_000, at: gate) : usual }
    let engine = try engine { $0.stallTimeout = .seconds(2) }
    expectWhole(try await fixture.run(fixture.download(digest: digest), on: engine).receipt)
    #expect(discarded == 0)
  }

  @Test func whatCameInPiecesIsGoneOnFromAfterAnInterruption() async throws {
    let gate = TestServer.Gate()
    defer { gate.open() }
    serve(heldFor: .max) { request, usual in
      request.attempt > 3 ? usual.pausing(after: 1000, at: gate) : usual
    }
    let engine = try engine()
    let task = Task { [fixture, digest] in
      try await fixture.run(fixture.download(digest: digest), on: engine)
    }
    await gate.reached()
    task.cancel()
    _ = await task.result
    let note = try readText(Download.metaFile(of: fixture.folder.appending("file")))
    let kept = ByteRanges(String(note.split(separator: "\n", omittingEmptySubsequences: false)[4]))
    let count = try #require(kept).count
    #expect(count > 0 && fixture.content == nil)
    let before = fixture.server.bytesSent("/file")
    fixture.server.serve("/file", good)
    let receipt = try await fixture.run(fixture.download(digest: digest), on: fixture.engine()).receipt
    expectWhole(receipt)
    #expect(fixture.server.bytesSent("/file") - before == Self.size - count)
    #expect(requests.allSatisfy { $0.range != nil || $0.attempt == 1 })
  }

  @Test func whatAKilledRunNotedIsNotAskedForAgain() async throws {
    fixture.server.serve("/file", good)
    var bytes = [UInt8](repeating: 0, count: 9_000_000)
    for range in [0..<1_000_000, 3_000_000..<5_000_000, 8_000_000..<9_000_000] {
      bytes.replaceSubrange(range, with: body.bytes[range])
    }
    try fixture.leavePart(
      bytes, "\(digest)\n\"v1\"\n\(Self.size)\n0-1000000,3000000-5000000,8000000-9000000\n")
    let receipt = try await fixture.run(fixture.download(digest: digest), on: fixture.engine()).receipt
    expectWhole(receipt)
    #expect(receipt?.transferred == 8_000_000)
    #expect(ranges == ["bytes=1000000-2999999", "bytes=5000000-7999999", "bytes=9000000-11999999"])
  }

  @Test(arguments: ["0-1000000,3000000-99000000", "nonsense", "5-3"])
  func aNoteThatCannotBeIsNotBelieved(_ ranges: String) async throws {
    fixture.server.serve("/file", good)
    try fixture.leavePart(Array(body.bytes[..<4_000_000]), "\(digest)\n\"v1\"\n\(Self.size)\n\(ranges)\n")
    expectWhole(try await fixture.run(fixture.download(digest: digest), on: fixture.engine()).receipt)
    #expect(requests.map(\.range) == [nil])
  }

  @Test func nothingIsTriedWhileOthersWaitForTheConnections() async throws {
    for path in ["/a", "/b", "/c"] {
      fixture.server.route(path) { [good] in good.response(to: $0).paced(Self.rate * 4) }
    }
    let engine = try engine { $0.perHost = 2 }
    await withTaskGroup { group in
      for path in ["/a", "/b", "/c"] {
        group.addTask { [fixture, digest] in
          var download = fixture.download(path, digest: digest)
          download.destination = fixture.folder.appending(String(path.dropFirst()))
          _ = try? await engine.download(download)
        }
      }
    }
    #expect(fixture.names == ["a", "b", "c"])
    let requests = fixture.server.requests
    let lastWhole = try #require(requests.lastIndex { $0.range == nil })
    #expect(requests[..<lastWhole].allSatisfy { $0.range == nil })
  }
}
