import Glibc

/// `Synchronization.Mutex` as the thread sanitizer can follow it.
///
/// The standard library's own waits on a futex in a library that the sanitizer does not see into, so everything that it
/// protects is reported as a race. This one waits on a mutex of POSIX threads, which the sanitizer knows.
public struct Mutex<Value: ~Copyable>: ~Copyable, Sendable {
  private let state: State

  /// A mutex over a value.
  public init(_ value: consuming sending Value) { state = State(value) }

  /// Runs `body` while no other thread holds the mutex.
  public borrowing func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    pthread_mutex_lock(state.mutex)
    defer { pthread_mutex_unlock(state.mutex) }
    return try body(&state.value)
  }

  // Sendable because `value` is touched only between lock and unlock, and what goes in or out of `body` is sent.
  private final class State: @unchecked Sendable {
    let mutex: UnsafeMutablePointer<pthread_mutex_t>
    var value: Value

    init(_ value: consuming sending Value) {
      mutex = .allocate(capacity: 1)
      pthread_mutex_init(mutex, nil)
      self.value = value
    }

    deinit {
      pthread_mutex_destroy(mutex)
      mutex.deallocate()
    }
  }
}
