import Console
import Dispatch
import Glibc
import Synchronization

/// Ctrl-C and SIGTERM: the first ends the work in good order, a second one at once. Either loses nothing: finished
/// files have their names, and the next run goes on from what is unfinished.
public enum Interruption {
  /// How long the first signal waits for the work to end.
  private static let grace = DispatchTimeInterval.seconds(5)

  /// Runs work that ends early when the process is asked to stop.
  ///
  /// - Throws: `CancellationError` when interrupted; else what `work` throws.
  public static func watching<T: Sendable>(
    _ console: Console, _ work: @escaping @Sendable () async throws -> T
  ) async throws -> T {
    let task = Task { try await work() }
    let isInterrupted = Mutex(false)
    let sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      return source
    }
    let stop: @Sendable () -> Void = {
      let isFirst = isInterrupted.withLock { seen in
        defer { seen = true }
        return !seen
      }
      guard isFirst else { leave(console) }
      console.emit(.message(.warning, "stopping; press Ctrl-C again to stop at once", stage: nil))
      task.cancel()
      DispatchQueue.global().asyncAfter(deadline: .now() + grace) { leave(console) }
    }
    for source in sources {
      source.setEventHandler(handler: stop)
      source.activate()
    }
    defer { for source in sources { source.cancel() } }
    let result = await task.result
    guard !isInterrupted.withLock({ $0 }) else {
      console.finish("interrupted. Run the same command again to continue.")
      throw CancellationError()
    }
    return try result.get()
  }

  private static func leave(_ console: Console) -> Never {
    console.finish("interrupted. Run the same command again to continue.")
    exit(ExitStatus.interrupted.rawValue)
  }
}
