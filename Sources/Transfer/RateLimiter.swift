/// A token bucket: so many bytes a second, from the first one on.
struct TokenBucket {
  private let rate: Double
  private let capacity: Double
  private var tokens: Double
  private var last: ContinuousClock.Instant

  /// - Parameter rate: Bytes a second. What a tenth of a second allows may come at once.
  init(rate: Int64, now: ContinuousClock.Instant) {
    self.rate = Double(max(1, rate))
    capacity = self.rate / 10
    tokens = capacity
    last = now
  }

  /// Takes bytes out, if there is anything in it. A piece that is larger than what is there is owed, and waited for
  /// by the next.
  mutating func take(_ bytes: Int, at now: ContinuousClock.Instant) -> Bool {
    guard wait(at: now) == nil else { return false }
    tokens -= Double(bytes)
    return true
  }

  /// How long nothing can be taken; `nil` when it can be at once.
  mutating func wait(at now: ContinuousClock.Instant) -> Duration? {
    if now > last {
      tokens = min(capacity, tokens + rate * ((now - last) / .seconds(1)))
      last = now
    }
    return tokens > 0 ? nil : .seconds(-tokens / rate) + .milliseconds(1)
  }
}

/// Keeps all transfers together to the bandwidth limit: who comes when the bucket is empty is held, and goes on in the
/// order of coming. libcurl's own limit is for each transfer, and averages over seconds. Lives on the engine's thread only.
final class RateLimiter {
  private let now: @Sendable () -> ContinuousClock.Instant
  private var bucket: TokenBucket
  private var held: [UInt64] = []

  init(rate: Int64, now: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.now = now
    bucket = TokenBucket(rate: rate, now: now())
  }

  /// Whether an exchange may take these bytes; if not, it is held until ``next()`` gives its number.
  func admits(_ bytes: Int, of exchange: UInt64) -> Bool {
    if bucket.take(bytes, at: now()) { return true }
    if !held.contains(exchange) { held.append(exchange) }
    return false
  }

  /// The exchange that goes on now.
  func next() -> UInt64? {
    guard !held.isEmpty, bucket.wait(at: now()) == nil else { return nil }
    return held.removeFirst()
  }

  /// Forgets an exchange that has ended.
  func forget(_ exchange: UInt64) { held.removeAll { $0 == exchange } }

  /// How long until the next one goes on; `nil` when none is held.
  var pause: Duration? { held.isEmpty ? nil : bucket.wait(at: now()) ?? .zero }
}
