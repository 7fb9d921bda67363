import Glibc
import Synchronization

extension TestServer {
  /// A point at which a response waits until the test lets it go on, so that no test needs to sleep.
  public final class Gate: Sendable {
    private struct State {
      var arrivals = 0
      var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// A pipe that is never read: once written it stays readable, and poll can watch it beside a socket.
    private let readEnd: Int32
    private let writeEnd: Int32
    private let state = Mutex(State())

    /// A closed gate.
    public init() {
      var ends: [Int32] = [-1, -1]
      let code = pipe(&ends)
      precondition(code == 0, "no file descriptor left for a gate")
      for end in ends { setCloseOnExec(end) }
      (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
      close(readEnd)
      close(writeEnd)
    }

    /// Lets everything pass, now and later.
    public func open() { _ = write(writeEnd, "", 1) }

    /// Returns when a response has arrived at the gate, at once if one already has, or when the task is cancelled
    /// (by the time limit of a test, say).
    public func reached() async {
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let mustWait = state.withLock { state in
            guard state.arrivals == 0, !Task.isCancelled else { return false }
            state.waiters.append(continuation)
            return true
          }
          if !mustWait { continuation.resume() }
        }
      } onCancel: {
        resumeWaiters()
      }
    }

    private func resumeWaiters(countingArrival: Bool = false) {
      let waiters = state.withLock { state in
        if countingArrival { state.arrivals += 1 }
        defer { state.waiters = [] }
        return state.waiters
      }
      for waiter in waiters { waiter.resume() }
    }

    /// Blocks until the gate is open, or until the other side of `socket` is gone; true when open.
    @discardableResult
    func wait(watching socket: Int32 = -1) -> Bool {
      resumeWaiters(countingArrival: true)
      var watched = [
        pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0),
        // Not in Glibc's Swift interface: POLLRDHUP of poll.h, the peer closed its side.
        pollfd(fd: socket, events: 0x2000, revents: 0),
      ]
      while poll(&watched, nfds_t(watched.count), -1) < 0 && errno == EINTR {}
      return watched[0].revents != 0
    }
  }
}
