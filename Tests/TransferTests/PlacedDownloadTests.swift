import Integrity
import Synchronization
import SystemPackage
import TestServer
import Testing

@testable import Transfer

/// Downloads whose bytes go to a place in something larger.
@Suite(.timeLimit(.minutes(10))) struct PlacedDownloadTests {
  let fixture: DownloadFixture
  let body = TestServer.Body.pattern(count: 1_000_000)

  init() throws { fixture = try DownloadFixture() }

  private func run(to place: MemoryPlace) async throws -> DownloadReceipt? {
    var download = fixture.download(digest: Digest(of: body.bytes))
    download.place = place
    download.size = body.count
    return try await fixture.run(download, on: fixture.engine { $0.retries = 1 }).receipt
  }

  private var ranges: [String?] { fixture.server.requests(for: "/file").map { $0[header: "Range"] } }

  @Test func theBytesGoThereAndNoFileIsMade() async throws {
    fixture.server.serve("/file", body.bytes)
    let place = MemoryPlace()
    let receipt = try await run(to: place)
    #expect(place.bytes == body.bytes && place.isComplete && receipt?.transferred == body.count)
    #expect(fixture.names.isEmpty)
  }

  @Test func whatAnEarlierRunLeftIsGoneOnFrom() async throws {
    fixture.server.serve("/file", body.bytes)
    let place = MemoryPlace(Array(body.bytes[..<400_000]))
    let receipt = try await run(to: place)
    #expect(place.bytes == body.bytes && place.isComplete && receipt?.transferred == 600_000)
    #expect(ranges == ["bytes=400000-"])
  }

  @Test func theRestOfWhatCrawlsComesOverFreeConnections() async throws {
    let gate = TestServer.Gate()
    let resource = TestServer.Resource(body, entityTag: "\"v1\"")
    fixture.server.route("/file") { request in
      if request.range != nil { gate.open() }
      return resource.response(to: request).pausing(after: request.range == nil ? 300_000 : .max, at: gate)
    }
    let place = MemoryPlace()
    var download = fixture.download(digest: Digest(of: body.bytes))
    download.place = place
    let engine = try fixture.engine {
      $0.pieces = PiecePolicy(
        interval: .milliseconds(20), slowest: 0, tail: .milliseconds(1), tailWindow: .milliseconds(40))
    }
    let receipt = try await fixture.run(download, on: engine).receipt
    #expect(place.bytes == body.bytes && place.isComplete && receipt?.size == body.count)
    #expect(ranges.count >= 2 && ranges.filter { $0 == nil }.count == 1)
  }

  @Test func whatIsAllThereIsNotAskedFor() async throws {
    let place = MemoryPlace(body.bytes)
    #expect(try await run(to: place)?.transferred == 0)
    #expect(place.isComplete && ranges.isEmpty)
  }

  @Test(arguments: [1_000_000, 1_200_000]) func otherBytesOfThatLengthOrMoreAreForgotten(_ count: Int)
    async throws
  {
    fixture.server.serve("/file", body.bytes)
    let place = MemoryPlace([UInt8](repeating: 7, count: count))
    _ = try await run(to: place)
    #expect(place.bytes == body.bytes && place.isComplete && ranges == [nil])
  }

  @Test func aWrongBeginningIsFoundAtTheEndAndFetchedAgain() async throws {
    fixture.server.serve("/file", body.bytes)
    let place = MemoryPlace([UInt8](repeating: 7, count: 300_000))
    _ = try await run(to: place)
    #expect(place.bytes == body.bytes && place.isComplete && ranges == ["bytes=300000-", nil])
  }

  @Test func whatIsNotProvedIsNotComplete() async throws {
    fixture.server.serve("/file", [UInt8](repeating: 8, count: 1_000_000))
    let place = MemoryPlace()
    await #expect(throws: TransferError.self) { try await run(to: place) }
    #expect(!place.isComplete && place.bytes.isEmpty)
  }

  @Test func aPlaceThatTakesNothingIsAnErrorOfTheFile() async throws {
    fixture.server.serve("/file", body.bytes)
    let error = await #expect(throws: TransferError.self) { try await run(to: MemoryPlace(isFull: true)) }
    #expect(error?.kind == .file && error?.detail.contains("/the/archive cannot be written") == true)
  }
}

/// A place in memory.
private final class MemoryPlace: ContentPlace {
  let path: FilePath = "/the/archive"
  private let isFull: Bool
  private let state: Mutex<(bytes: [UInt8], isComplete: Bool)>

  init(_ bytes: [UInt8] = [], isFull: Bool = false) {
    self.isFull = isFull
    state = Mutex((bytes, false))
  }

  var bytes: [UInt8] { state.withLock { $0.bytes } }
  var isComplete: Bool { state.withLock { $0.isComplete } }

  func readKept(_ body: (UnsafeRawBufferPointer) throws -> Void) throws { try bytes.withUnsafeBytes(body) }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
    if isFull { throw Errno.noSpace }
    state.withLock { state in
      let missing = Int(offset) + bytes.count - state.bytes.count
      if missing > 0 { state.bytes += [UInt8](repeating: 0, count: missing) }
      state.bytes.replaceSubrange(Int(offset)..<Int(offset) + bytes.count, with: bytes)
    }
  }

  func read(_ range: Range<Int64>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try bytes[Int(range.lowerBound)..<Int(range.upperBound)].withUnsafeBytes(body)
  }

  func discard() { state.withLock { $0 = ([], false) } }
  func complete() { state.withLock { $0.isComplete = true } }
}
