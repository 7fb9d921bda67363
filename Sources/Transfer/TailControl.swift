/// Decides whether the last bytes of a download get further connections.
///
/// Near the end there is no time to find out what each one brings, and nobody else may be left who fills the line: one
/// connection whose packets were lost would bring the rest at a crawl. So they are shared out once they would take seconds.
struct TailControl: Sendable {
  private let policy: PiecePolicy
  /// The most connections.
  private let most: Int
  private var samples = RateSamples()
  private var lastAddition: ContinuousClock.Instant?

  init(_ policy: PiecePolicy, most: Int) { (self.policy, self.most) = (policy, most) }

  /// Takes in a measurement: how many bytes have come in all.
  mutating func note(arrived: Int64, at now: ContinuousClock.Instant) { samples.note(arrived, at: now) }

  /// How many connections are to be added.
  ///
  /// - Parameters:
  ///   - left: How many bytes are missing.
  ///   - connections: How many there are.
  mutating func additions(left: Int64, connections: Int, at now: ContinuousClock.Instant) -> Int {
    guard let rate = samples.rate(over: policy.tailWindow), left >= 2 * policy.tailLeast,
      // Where nothing comes at all, the server is asked again when the time for that has come.
      rate >= policy.slowest, Double(left) >= rate * (policy.tail / .seconds(1)),
      lastAddition.map({ now - $0 >= policy.tailWindow }) ?? true
    else { return 0 }
    let count = min(connections, most - connections)
    if count > 0 { lastAddition = now }
    return count
  }

  /// No connection was free: it is tried again soon.
  mutating func wereNotFree() { lastAddition = nil }
}
