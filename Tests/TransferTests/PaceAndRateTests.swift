import Files
import Synchronization
import SystemPackage
import TestServer
import Testing

@testable import Transfer

/// The slowest and the fastest that a transfer may be.
@Suite(.timeLimit(.minutes(10))) struct PaceAndRateTests {
  private let start = ContinuousClock.now

  @Test func aDripIsTooSlowAfterAWindow() {
    var pace = Pace(minimum: 1000, window: .seconds(60))
    // Two bytes every half second, as a server that is never silent and never done sends them.
    let verdicts = (0...240).map { pace.isTooSlow(after: 2, at: start + .milliseconds(500) * $0) }
    #expect(verdicts.firstIndex(of: true) == 120)
    #expect(verdicts.count { $0 } == 2)
  }

  @Test(arguments: [(1000, 500), (1_000_000, 90_000), (0, 0)])
  func aTransferThatMovesIsLeftAlone(_ minimum: Int64, _ pauseInMilliseconds: Int) {
    var pace = Pace(minimum: minimum, window: .seconds(60))
    // A megabyte and a pause are enough over a window, whatever the pieces; 0 asks for nothing.
    let bytes = minimum == 0 ? 1 : minimum == 1000 ? 600 : 100_000_000
    for step in 0..<500 {
      let isTooSlow = pace.isTooSlow(after: bytes, at: start + .milliseconds(pauseInMilliseconds) * step)
      #expect(!isTooSlow)
    }
  }

  @Test func aLimitedTransferNeedsNotMoreThanItsShare() {
    var configuration = TransferConfiguration()
    configuration.rateLimit = 16_000
    #expect(configuration.minimumPace == 500)
    configuration.rateLimit = 1 << 30
    #expect(configuration.minimumPace == configuration.minimumRate)
    configuration.minimumRate = 0
    #expect(configuration.minimumPace == 0)
  }

  @Test func aSlowServerIsLeftAndAskedAgainAsAfterAStall() async throws {
    let fixture = try DownloadFixture()
    fixture.server.serve("/file", [UInt8](repeating: 7, count: 300_000))
    let engine = try fixture.engine {
      // No piece after the first one is fast enough.
      $0.minimumRate = 1 << 60
      $0.paceWindow = .zero
    }
    let error = await #expect(throws: TransferError.self) {
      try await fixture.run(fixture.download(), on: engine)
    }
    #expect(error?.kind == .stalled && error?.attempts == 4)
    #expect(fixture.content == nil)
  }

  @Test func aBucketGivesWhatTheTimeAllows() {
    var bucket = TokenBucket(rate: 1000, now: start)
    let looks: [(bytes: Int, milliseconds: Int)] = [
      (500, 0), (1, 0), (1, 399), (1, 402),
      // An idle hour is not saved up, and a clock that goes back gives nothing.
      (100, 3_600_000), (1, 3_600_000), (1, 3_595_000),
    ]
    let given = looks.map { bucket.take($0.bytes, at: start + .milliseconds($0.milliseconds)) }
    #expect(given == [true, false, false, true, true, false, false])
  }

  @Test func whoIsHeldGoesOnInTheOrderOfComing() {
    let clock = Mutex(start)
    let limiter = RateLimiter(rate: 1000) { clock.withLock(\.self) }
    #expect(limiter.pause == nil)
    #expect(limiter.admits(1000, of: 1))
    for exchange in [2, 3, 4, 2] as [UInt64] { #expect(!limiter.admits(10, of: exchange)) }
    #expect(limiter.next() == nil && limiter.pause ?? .zero > .milliseconds(800))
    limiter.forget(3)
    clock.withLock { $0 += .seconds(1) }
    #expect(limiter.pause == .zero)
    #expect(limiter.next() == 2 && limiter.next() == 4 && limiter.next() == nil && limiter.pause == nil)
  }

  /// A clock that goes on by a millisecond each time it is looked at, so that no test waits for it.
  private final class StepClock: Sendable {
    private let looks = Mutex(0)
    let start = ContinuousClock.now

    func look() -> ContinuousClock.Instant {
      start
        + .milliseconds(
          looks.withLock {
            $0 += 1
            return $0
          })
    }
    var elapsed: Duration { .milliseconds(looks.withLock { $0 }) }
  }

  @Test func theLimitHoldsFromTheFirstByteOverAllTransfersTogether() async throws {
    let fixture = try DownloadFixture()
    let clock = StepClock()
    let rate: Int64 = 4_000_000
    let engine = try fixture.engine {
      $0.rateLimit = rate
      $0.now = clock.look
    }
    let names = (0..<15).map { "/file-\($0)" }
    let body = TestServer.Body([UInt8](repeating: 7, count: 200_000))
    for name in names { fixture.server.serve(name, TestServer.Resource(body)) }
    let tally = Tally(rate: rate, clock: clock)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in names {
        let download = Download(
          url: fixture.server.url(name), destination: fixture.folder.appending(String(name.dropFirst())))
        group.addTask { _ = try await engine.download(download, onEvent: tally.note) }
      }
      try await group.waitForAll()
    }
    #expect(tally.received == 3_000_000)
    #expect(tally.excess == [])
    #expect(clock.elapsed >= .milliseconds(640))
  }

  /// Adds up what arrives, and holds it against what the time allows.
  private final class Tally: Sendable {
    private let rate: Int64
    private let clock: StepClock
    private let state = Mutex((received: Int64(0), excess: [Int64]()))

    init(rate: Int64, clock: StepClock) {
      self.rate = rate
      self.clock = clock
    }

    var received: Int64 { state.withLock { $0.received } }
    var excess: [Int64] { state.withLock { $0.excess } }

    func note(_ event: DownloadEvent) {
      guard case .received(let bytes) = event else { return }
      // A tenth of a second's worth may come at once, and the last piece of libcurl's is owed.
      let allowed = Int64(Double(rate) * (clock.elapsed / .seconds(1) + 0.1)) + 16_384
      state.withLock { state in
        state.received += bytes
        if state.received > allowed { state.excess.append(state.received - allowed) }
      }
    }
  }
}
