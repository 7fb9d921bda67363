import Concurrency
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct ConcurrencyTests {
  /// Counts how many are at work at once.
  private final class Workplace: Sendable {
    private let state = Mutex((now: 0, most: 0))

    func enter() { state.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) } }
    func leave() { state.withLock { $0.now -= 1 } }
    var most: Int { state.withLock { $0.most } }
  }

  @Test(arguments: [1, 3, 100])
  func everyItemIsDoneOnceAndTheLimitHolds(_ limit: Int) async {
    let place = Workplace()
    var results: [Int: Int] = [:]
    await forEachConcurrently(0..<50, limit: limit) { item in
      place.enter()
      defer { place.leave() }
      await Task.yield()
      return item * 2
    } onResult: { item, result in
      results[item, default: 0] += result
    }
    #expect(results == Dictionary(uniqueKeysWithValues: (0..<50).map { ($0, $0 * 2) }))
    #expect(place.most <= limit)
  }

  @Test(arguments: [0, -1])
  func aLimitBelowOneStillWorks(_ limit: Int) async {
    var done: [Int] = []
    await forEachConcurrently([1, 2], limit: limit) {
      $0
    } onResult: { item, _ in
      done.append(item)
    }
    #expect(done == [1, 2])
  }

  @Test func noItemStartsAfterTheTaskIsCancelled() async {
    let started = Mutex(0)
    let task = Task {
      await forEachConcurrently(0..<100, limit: 2) { _ in
        started.withLock { $0 += 1 }
      } onResult: { _, _ in
        withUnsafeCurrentTask { $0?.cancel() }
      }
    }
    await task.value
    #expect(started.withLock { $0 } == 2)
  }

  private struct Broken: Error, Equatable {}

  @Test func blockingWorkGivesItsResultAndItsError() async throws {
    #expect(await offload { 42 } == 42)
    await #expect(throws: Broken()) { try await offload { () throws(Broken) -> Int in throw Broken() } }
  }
}
