/// Whether a transfer comes forward: a server that sends a few bytes now and then is never silent, and never done.
struct Pace {
  /// The fewest bytes a second; 0 takes any.
  let minimum: Int64
  /// The time over which they are averaged.
  let window: Duration
  private var start: ContinuousClock.Instant?
  private var bytes: Int64 = 0

  init(minimum: Int64, window: Duration) {
    self.minimum = minimum
    self.window = window
  }

  /// Notes bytes that arrived; the first ones begin the measuring.
  ///
  /// - Returns: Whether a whole window has passed with fewer bytes than there should be.
  mutating func isTooSlow(after count: Int, at now: ContinuousClock.Instant) -> Bool {
    guard minimum > 0 else { return false }
    guard let start else {
      start = now
      return false
    }
    bytes += Int64(count)
    let elapsed = now - start
    guard elapsed >= window else { return false }
    defer {
      self.start = now
      bytes = 0
    }
    return Double(bytes) < Double(minimum) * (elapsed / .seconds(1))
  }
}
