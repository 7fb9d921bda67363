import Concurrency
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct MemoTests {
  private struct Broken: Error, Equatable {}

  @Test func aValueIsMadeOnceForAllWhoAsk() async throws {
    let made = Mutex(0)
    let memo = Memo<Int>()
    await forEachConcurrently(0..<20, limit: 20) { _ in
      await Result {
        try await memo.value {
          await Task.yield()
          return made.withLock { count in
            count += 1
            return count
          }
        }
      }
    } onResult: { _, result in
      #expect((try? result.get()) == 1)
    }
  }

  @Test func eachKeyHasAValueOfItsOwn() async throws {
    let made = Mutex<[Int]>([])
    let memos = Memos<Int, String>()
    await forEachConcurrently(0..<30, limit: 30) { number in
      let key = number % 3
      return await Result {
        try await memos.value(of: key) {
          made.withLock { $0.append(key) }
          return "value \(key)"
        }
      }
    } onResult: { number, result in
      #expect((try? result.get()) == "value \(number % 3)")
    }
    #expect(made.withLock { $0.sorted() } == [0, 1, 2])
  }

  @Test func anErrorGoesToEverybodyWhoAsks() async {
    let memos = Memos<String, Int>()
    for _ in 1...2 {
      await #expect(throws: Broken()) { try await memos.value(of: "a") { throw Broken() } }
    }
  }

  @Test func aResultHoldsWhatWaitingWorkThrew() async {
    let result = await Result<Int, any Error> {
      await Task.yield()
      throw Broken()
    }
    #expect(throws: Broken()) { try result.get() }
  }
}
