/// When a file is fetched over several connections, and in pieces of which size.
struct PiecePolicy: Sendable {
  /// How often the rate is measured.
  var interval: Duration = .milliseconds(250)
  /// How many bytes must be left for it to be worth another connection.
  var minimumLeft: Int64 = 16 << 20
  /// The sizes of a piece, in bytes: what a connection brings in two seconds, within these bounds.
  var sizes: ClosedRange<Int64> = 1 << 20...32 << 20
  /// After how long without a byte the rest of a piece is asked for once more, when nothing else is left to ask for.
  var patience: Duration = .seconds(2)
  /// By how much two measurements of one steady connection may differ, as a share.
  var steadiness = 0.25
  /// The bytes a second that one connection must bring at least for another one to be tried.
  var slowest = 1.0
  /// What an additional connection must bring, as a share of what it would if each were limited by itself.
  var gain = 0.5
  /// So many bytes, or what a second brings on a slow line, make a measurement: fewer say more of how packets come in
  /// bursts than of the rate.
  var sample: Int64 = 1 << 20
  /// How long the last ``minimumLeft`` bytes must take at the rate of now for further connections to get a share.
  var tail: Duration = .seconds(4)
  /// The time over which that rate is measured, and after which more may be added.
  var tailWindow: Duration = .seconds(2)
  /// How long what one connection is still to bring must take for another one to get the half of it: a new connection
  /// takes several round trips to get going, and the old one is lost where it is cut short.
  var split: Duration = .seconds(3)
  /// The least share of the last bytes.
  var tailLeast: Int64 = 16 << 10
}

/// Decides from the rate of a download whether it gets another connection: only where one connection is what limits it,
/// and only for as long as each addition makes the sum faster.
struct PieceControl: Sendable {
  enum Advice: Equatable, Sendable {
    case wait
    /// So many more connections are tried.
    case add(Int)
    /// The last ones made nothing faster: so many connections stay.
    case keep(Int)
  }

  private enum Phase: Sendable {
    /// Until two measurements agree.
    case watching(previous: Double?)
    case trying(before: Int, added: Int, baseline: Double, count: Int, previous: Double)
    case settled
  }

  /// The most connections.
  private let most: Int
  private let policy: PiecePolicy
  private var phase = Phase.watching(previous: nil)

  /// Measurements after which an addition must have shown what it is worth; a far server takes seconds to get going.
  private static let patience = 12
  /// Measurements that are of getting going.
  private static let warmUp = 2

  init(_ policy: PiecePolicy, most: Int) { (self.policy, self.most) = (policy, most) }

  /// Takes in a measurement.
  ///
  /// - Parameters:
  ///   - rate: Bytes a second, of all connections together.
  ///   - connections: How many there are.
  mutating func advise(rate: Double, connections: Int) -> Advice {
    switch phase {
    case .settled: return .wait
    case .watching(let previous):
      phase = .watching(previous: rate)
      guard let previous, rate >= policy.slowest, abs(rate - previous) <= rate * policy.steadiness,
        connections < most
      else { return .wait }
      let added = min(connections, most - connections)
      phase = .trying(
        before: connections, added: added, baseline: max(rate, previous), count: 0, previous: rate)
      return .add(added)
    case .trying(let before, let added, let baseline, let count, let previous):
      phase = .trying(before: before, added: added, baseline: baseline, count: count + 1, previous: rate)
      guard count >= Self.warmUp else { return .wait }
      if (rate + previous) / 2 >= baseline * (1 + policy.gain * Double(added) / Double(before)) {
        phase = .watching(previous: rate)
        return .wait
      }
      guard count >= Self.patience else { return .wait }
      phase = .settled
      return .keep(before)
    }
  }

  /// No connection was free: it is tried again later.
  mutating func wereNotFree() {
    if case .trying = phase { phase = .watching(previous: nil) }
  }

  /// No further connection is tried.
  mutating func settle() { phase = .settled }
}
