import Synchronization

/// A value that is made once, by whoever asks first, for all who ask.
final class Memo<Value: Sendable>: Sendable {
  private let make: @Sendable () async throws -> Value
  private let task = Mutex<Task<Value, any Error>?>(nil)

  init(_ make: @escaping @Sendable () async throws -> Value) {
    self.make = make
  }

  /// The value. Cancelling one who waits cancels the making: a run is cancelled as a whole.
  ///
  /// - Throws: What the making threw, to everybody who asks.
  func value() async throws -> Value {
    let task = task.withLock { task in
      if let task { return task }
      let new = Task { [make] in try await make() }
      task = new
      return new
    }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }
}
