import Synchronization

/// Numbers the requests of a test whose server answers the first one differently from the next.
public final class RequestCount: Sendable {
  private let last = Mutex(0)

  /// Nothing was asked yet.
  public init() {}

  /// The number of this request; the first is 1.
  public func next() -> Int {
    last.withLock {
      $0 += 1
      return $0
    }
  }
}
