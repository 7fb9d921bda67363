/// Bytes per second over the last five seconds, steady enough to read.
struct RateMeter: Sendable {
  /// The time is cut into quarters of a second, of which the last twenty count.
  private static let bucketsPerSecond = 4.0
  private static let bucketCount = 20.0
  private var buckets: [(number: Double, bytes: Int64)] = []

  /// Counts bytes moved at `now`, in seconds.
  mutating func add(_ bytes: Int64, now: Double) {
    let number = (now * Self.bucketsPerSecond).rounded(.down)
    if let last = buckets.last, last.number >= number {
      buckets[buckets.count - 1].bytes &+= bytes
    } else {
      buckets.removeAll { $0.number <= number - Self.bucketCount }
      buckets.append((number, bytes))
    }
  }

  /// The rate at `now`, in bytes per second; 0 when nothing moved.
  func rate(now: Double) -> Double {
    let oldest = (now * Self.bucketsPerSecond).rounded(.down) - Self.bucketCount
    let recent = buckets.filter { $0.number > oldest }
    guard let first = recent.first else { return 0 }
    let total = recent.reduce(0.0) { $0 + Double($1.bytes) }
    // Over less than a second a rate says nothing.
    return max(0, total) / max(1, now - first.number / Self.bucketsPerSecond)
  }
}
