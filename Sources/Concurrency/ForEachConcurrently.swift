/// Works on items side by side, at most so many at a time, and hands over each result as it comes.
///
/// Starts no further item once the task is cancelled; those under way are waited for.
/// - Parameters:
///   - items: The items, taken from the sequence when their turn comes.
///   - limit: How many are worked on at once; at least 1.
///   - work: Called for each item.
///   - onResult: Called with each item and its result, one at a time, in the order in which they finish.
public func forEachConcurrently<Item: Sendable, Output: Sendable>(
  _ items: some Sequence<Item>, limit: Int, _ work: @escaping @Sendable (Item) async -> Output,
  onResult: (Item, Output) -> Void
) async {
  var waiting = items.makeIterator()
  await withTaskGroup(of: (Item, Output).self) { group in
    func addNext() {
      guard !Task.isCancelled, let item = waiting.next() else { return }
      group.addTask { (item, await work(item)) }
    }
    for _ in 0..<max(1, limit) { addNext() }
    while let (item, output) = await group.next() {
      onResult(item, output)
      addNext()
    }
  }
}
