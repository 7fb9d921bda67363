/// How fast bytes have come lately.
struct RateSamples: Sendable {
  private static let most = 16
  private var samples: [(arrived: Int64, time: ContinuousClock.Instant)] = []

  /// Takes in how many bytes have come in all.
  mutating func note(_ arrived: Int64, at now: ContinuousClock.Instant) {
    samples.append((arrived, now))
    if samples.count > Self.most { samples.removeFirst() }
  }

  /// Bytes a second over at least so long; `nil` before as much time has passed.
  func rate(over window: Duration) -> Double? {
    guard let last = samples.last, let first = samples.last(where: { last.time - $0.time >= window }) else {
      return nil
    }
    return Double(last.arrived - first.arrived) / ((last.time - first.time) / .seconds(1))
  }
}
