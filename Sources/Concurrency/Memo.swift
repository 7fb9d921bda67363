import Synchronization

/// A value that is made once, by whoever asks first, for all who ask.
public final class Memo<Value: Sendable>: Sendable {
  private enum State: Sendable {
    /// Not asked yet.
    case open(@Sendable () async throws -> Value)
    /// Being made, or made. The closure is gone, and with it all it holds on to.
    case started(Task<Value, any Error>)
  }

  private let state: Mutex<State>

  /// A value to be made by `make`, once.
  public init(_ make: @escaping @Sendable () async throws -> Value) {
    state = Mutex(.open(make))
  }

  /// The value. Cancelling one who waits cancels the making: a run is cancelled as a whole.
  ///
  /// - Throws: What the making threw, to everybody who asks.
  public func value() async throws -> Value {
    let task = state.withLock { state in
      switch state {
      case .started(let task): return task
      case .open(let make):
        let task = Task { try await make() }
        state = .started(task)
        return task
      }
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
      let memo = Memo(make)
      memos[key] = memo
      return memo
    }
    return try await memo.value()
  }
}
