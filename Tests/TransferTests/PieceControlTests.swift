import Testing

@testable import Transfer

/// When another connection is tried, and when it stays.
@Suite struct PieceControlTests {
  private var control = PieceControl(PiecePolicy(), most: 8)

  private mutating func advices(_ rates: [Double], connections: Int) -> [PieceControl.Advice] {
    rates.map { control.advise(rate: $0, connections: connections) }
  }

  @Test mutating func oneIsTriedWhenTheRateIsSteady() {
    #expect(advices([1, 5, 20, 21], connections: 1) == [.wait, .wait, .wait, .add(1)])
  }

  @Test mutating func nothingIsTriedWhileNothingComes() {
    #expect(advices([0, 0, 0], connections: 1) == [.wait, .wait, .wait])
  }

  @Test mutating func eachStepDoublesThemUpToTheLimit() {
    var (connections, rate, added) = (1, 20.0, [Int]())
    for _ in 0..<60 {
      if case .add(let count) = control.advise(rate: rate, connections: connections) {
        added.append(count)
        connections += count
        rate = 20.0 * Double(connections)
      }
    }
    #expect(added == [1, 2, 4])
  }

  @Test mutating func whatMakesNothingFasterDoesNotStay() {
    var advices: [PieceControl.Advice] = []
    var connections = 1
    for _ in 0..<60 {
      let advice = control.advise(rate: 20, connections: connections)
      if case .add(let count) = advice { connections += count }
      if case .keep(let count) = advice { connections = count }
      if advice != .wait { advices.append(advice) }
    }
    #expect(advices == [.add(1), .keep(1)])
  }

  @Test mutating func whatWasNotFreeIsTriedAgain() {
    #expect(advices([20, 20], connections: 1).last == .add(1))
    control.wereNotFree()
    #expect(advices([20, 20], connections: 1) == [.wait, .add(1)])
  }
}

/// When the last bytes of a file get further connections.
@Suite struct TailControlTests {
  private let start = ContinuousClock.now
  private var control = CrewControl(PiecePolicy(), most: 8)

  /// What is advised each quarter of a second when so many bytes a second come, and others are there to be had.
  private mutating func additions(
    rate: Int64, left: Int64, connections: Int = 1, seconds: Int = 8, onlyTail: Bool = false
  ) -> [Int] {
    var (connections, added) = (connections, [Int]())
    for step in 0...seconds * 4 {
      let advice = control.advise(
        arrived: rate * Int64(step) / 4, left: left, connections: connections, onlyTail: onlyTail,
        at: start + .milliseconds(250 * step))
      if case .add(let count, _) = advice {
        added.append(count)
        connections += count
      }
    }
    return added
  }

  @Test mutating func whatTakesSecondsIsSharedOutUpToTheLimit() {
    #expect(additions(rate: 100_000, left: 1_000_000) == [1, 2, 4])
  }

  @Test mutating func whatIsHereSoonIsNot() {
    #expect(additions(rate: 2_000_000, left: 6_000_000).isEmpty)
  }

  @Test mutating func aFewBytesAreNot() {
    #expect(additions(rate: 100, left: 20_000).isEmpty)
  }

  @Test mutating func nothingIsTriedWhereNothingComes() {
    #expect(additions(rate: 0, left: 500_000).isEmpty)
  }

  @Test mutating func allThereIsIsShared() {
    let policy = PiecePolicy()
    let advice = (0...8).map { step in
      control.advise(
        arrived: Int64(step) * 1000, left: 1_000_001, connections: 1, onlyTail: true,
        at: start + .milliseconds(250 * step))
    }
    #expect(
      advice.last
        == .add(
          1,
          PieceShares(
            size: 500_001, least: policy.tailLeast,
            split: PieceShares.Split(after: policy.split, window: policy.tailWindow))))
  }

  @Test mutating func wherePiecesAreNotKeptOnlyTheLastBytesAreSharedOut() {
    #expect(additions(rate: 100_000, left: 100_000_000, onlyTail: true).isEmpty)
    #expect(additions(rate: 100_000, left: 100_000_000) == [1])
  }

  @Test mutating func whatWasNotFreeIsTriedAgainSoon() {
    #expect(additions(rate: 10_000, left: 500_000, seconds: 2) == [1])
    control.wereNotFree()
    let again = control.advise(
      arrived: 22_500, left: 500_000, connections: 1, onlyTail: true, at: start + .milliseconds(2250))
    #expect(again != .wait)
  }
}

/// Ranges of bytes.
@Suite struct ByteRangesTests {
  @Test func whatTouchesBecomesOne() {
    var ranges = ByteRanges(10..<20)
    ranges.insert(30..<40)
    ranges.insert(20..<30)
    #expect(ranges.ranges == [10..<40])
    ranges.insert(0..<5)
    ranges.insert(4..<12)
    ranges.insert(7..<7)
    #expect(ranges.ranges == [0..<40] && ranges.count == 40)
  }

  @Test func whatIsTakenOutLeavesItsSides() {
    var ranges = ByteRanges(0..<40)
    ranges.remove(10..<20)
    #expect(ranges.ranges == [0..<10, 20..<40])
    #expect(ranges.takeFirst(4) == 0..<4 && ranges.takeFirst(100) == 4..<10)
    ranges.remove(0..<100)
    #expect(ranges.ranges.isEmpty && ranges.takeFirst(1) == nil)
  }

  @Test func aNoteIsReadAsItWasWritten() {
    var ranges = ByteRanges(0..<10)
    ranges.insert(20..<30)
    #expect(ranges.description == "0-10,20-30" && ByteRanges("0-10,20-30") == ranges)
    #expect(["x", "5-3", "1-2-3", "-5", "1"].allSatisfy { ByteRanges($0) == nil })
  }
}
