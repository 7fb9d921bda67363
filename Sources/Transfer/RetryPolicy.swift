/// Decides whether and when to try again: exponential backoff with full jitter, counted by attempts without
/// progress, so that a long download over a bad line is not given up while it still moves.
struct RetryPolicy {
  /// An attempt that brought fewer new bytes than this counts as one without progress. A line of 1 MB/s that breaks every
  /// second brings each of eight connections twice as much.
  static let progressBytes: Int64 = 64 << 10

  let configuration: TransferConfiguration
  private var failures = 0

  init(_ configuration: TransferConfiguration) {
    self.configuration = configuration
  }

  /// The pause before the next attempt, or `nil` when there is to be none.
  ///
  /// - Parameters:
  ///   - progress: New bytes that the failed attempt brought to the disk.
  ///   - retryAfter: What the server asked for.
  ///   - random: A number from 0 up to 1.
  mutating func pause(progress: Int64, retryAfter: Duration?, random: Double) -> Duration? {
    if progress >= Self.progressBytes { failures = 0 }
    guard failures < configuration.retries else { return nil }
    let ceiling = min(configuration.maximumBackoff, configuration.initialBackoff * (1 << min(failures, 16)))
    failures += 1
    // A server's own wish is a lower bound; the jitter keeps clients from returning all at once.
    if let retryAfter { return retryAfter + configuration.initialBackoff * random }
    return ceiling * (0.5 + random / 2)
  }
}
