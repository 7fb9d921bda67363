import Glibc
import Synchronization

/// The threads on which libcurl works.
///
/// None of them may be inside libcurl when the process ends: OpenSSL frees its locks in an exit handler, and a thread
/// that is just closing a connection then crashes. So a handler that runs before OpenSSL's ends the threads first.
enum TransferThreads {
  private struct Entry: Sendable {
    let thread: pthread_t
    let loop: ExchangeLoop
    var hasEnded = false
  }

  private static let entries = Mutex<[Entry]>([])
  /// Registered behind OpenSSL's own handler, which `curl_global_init` registers; the last one is called first.
  private static let exitHandler: Void = {
    atexit { TransferThreads.endAll() }
  }()

  /// Starts a thread of the operating system for a loop; says whether it started. `curl_global_init` must have been
  /// called.
  static func start(_ loop: ExchangeLoop, _ body: @escaping @Sendable () -> Void) -> Bool {
    final class Box: Sendable {
      let body: @Sendable () -> Void
      init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    _ = exitHandler
    joinEnded()
    let box = Unmanaged.passRetained(Box(body))
    // Held until the thread is in the list, or it could end before.
    return entries.withLock { entries in
      var thread = pthread_t()
      let code = pthread_create(
        &thread, nil,
        { context in
          guard let context else { return nil }
          Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
          TransferThreads.markEnded()
          return nil
        }, box.toOpaque())
      guard code == 0 else {
        box.release()
        return false
      }
      entries.append(Entry(thread: thread, loop: loop))
      return true
    }
  }

  private static func markEnded() {
    let this = pthread_self()
    entries.withLock { entries in
      for index in entries.indices where entries[index].thread == this { entries[index].hasEnded = true }
    }
  }

  /// Gives back what is left of threads that have ended.
  private static func joinEnded() {
    let ended = entries.withLock { entries in
      defer { entries.removeAll(where: \.hasEnded) }
      return entries.filter(\.hasEnded)
    }
    for entry in ended { pthread_join(entry.thread, nil) }
  }

  private static func endAll() {
    let others = entries.withLock { entries in
      defer { entries = [] }
      return entries.filter { $0.thread != pthread_self() }
    }
    for entry in others { entry.loop.halt() }
    for entry in others { pthread_join(entry.thread, nil) }
  }
}
