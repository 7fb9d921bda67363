import Synchronization

/// A value that is made once, by whoever asks first, for all who ask.
public final class Memo<Value: Sendable>: Sendable {
  private let task = Mutex<Task<Value, any Error>?>(nil)

  /// Begins with no value.
  public init() {}

  /// The value; `make` is called when nobody has asked for it yet. Nothing is held on to once the value is made.
  ///
  /// Cancelling one who waits cancels the making: a run is cancelled as a whole.
  /// - Throws: What the making threw, to everybody who asks.
  public func value(_ make: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let task = task.withLock { task in
      if let task { return task }
      let made = Task { try await make() }
      task = made
      return made
    }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }
}

/// Values by key, each made once, by whoever asks first, for all who ask.
public final class Memos<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let memos = Mutex<[Key: Memo<Value>]>([:])

  /// Begins with no values.
  public init() {}

  /// The value of a key; `make` is called when nobody has asked for it yet.
  ///
  /// - Throws: What the making threw, to everybody who asks.
  public func value(
    of key: Key, _ make: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let memo = memos.withLock { memos in
      if let memo = memos[key] { return memo }
      let memo = Memo<Value>()
      memos[key] = memo
      return memo
    }
    return try await memo.value(make)
  }
}
