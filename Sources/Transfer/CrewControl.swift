/// What each connection gets of a file.
struct PieceShares: Equatable, Sendable {
  /// When a connection takes a part of what another one is to bring: where that takes so long, at the rate over such a time.
  struct Split: Equatable, Sendable {
    let after: Duration
    let window: Duration
  }

  /// How large a piece is, in bytes.
  var size: Int64
  /// How small it may be.
  var least: Int64
  /// Whether a connection takes a part of what another one is to bring, when nothing else is left.
  var split: Split?

  /// How much one of several connections takes of what nobody brings. Where what is not done can be shared out again, small
  /// pieces would only be more requests.
  func share(of free: Int64, between connections: Int) -> Int64 {
    split == nil ? free / Int64(connections) : free
  }
}

/// Decides how many connections a download has, from what has come and what is left.
struct CrewControl: Sendable {
  enum Advice: Equatable, Sendable {
    case wait
    /// So many more connections, and what each one gets.
    case add(Int, PieceShares)
    /// So many connections stay.
    case keep(Int)
  }

  private let policy: PiecePolicy
  private var large: PieceControl
  private var tail: TailControl
  private var last: (arrived: Int64, time: ContinuousClock.Instant)?
  private var isSettled = false

  init(_ policy: PiecePolicy, most: Int) {
    self.policy = policy
    (large, tail) = (PieceControl(policy, most: most), TailControl(policy, most: most))
  }

  /// Takes in a measurement.
  ///
  /// - Parameters:
  ///   - arrived: How many bytes have come.
  ///   - left: How many are missing.
  ///   - connections: How many there are.
  ///   - onlyTail: Whether nothing but the last bytes may come over several connections.
  mutating func advise(
    arrived: Int64, left: Int64, connections: Int, onlyTail: Bool, at now: ContinuousClock.Instant
  ) -> Advice {
    guard !isSettled else { return .wait }
    tail.note(arrived: arrived, at: now)
    guard left >= policy.minimumLeft else {
      let count = tail.additions(left: left, connections: connections, at: now)
      guard count > 0 else { return .wait }
      let size = max(policy.tailLeast, left / Int64(connections + count) + 1)
      return .add(
        count,
        PieceShares(
          size: size, least: policy.tailLeast,
          split: PieceShares.Split(after: policy.split, window: policy.tailWindow)))
    }
    guard !onlyTail else { return .wait }
    let start = last ?? (0, now - policy.interval)
    let (bytes, time) = (arrived - start.arrived, now - start.time)
    guard bytes >= policy.sample || time >= .seconds(1) || last == nil else { return .wait }
    last = (arrived, now)
    let rate = Double(bytes) / (time / .seconds(1))
    switch large.advise(rate: rate, connections: connections) {
    case .wait: return .wait
    case .keep(let connections): return .keep(connections)
    case .add(let count):
      let size = Int64(rate / Double(connections) * 2)
      return .add(
        count,
        PieceShares(
          size: min(policy.sizes.upperBound, max(policy.sizes.lowerBound, size)),
          least: policy.sizes.lowerBound))
    }
  }

  /// No connection was free: it is tried again later.
  mutating func wereNotFree() {
    large.wereNotFree()
    tail.wereNotFree()
  }

  /// No further connection is tried.
  mutating func settle() { isSettled = true }
}
