import Glibc
import Synchronization

/// What the accepting thread and the connection threads share; it outlives the ``TestServer`` that they must not keep.
final class ServerCore: Sendable {
  struct State {
    var routes: [String: TestServer.Handler] = [:]
    var requests: [TestServer.Request] = []
    var attempts: [String: Int] = [:]
    var bytesSent: [String: Int64] = [:]
    var openSockets: Set<Int32> = []
    var connectionCount = 0
    var peakConnections = 0
    var activeRequests = 0
    var peakRequests = 0
    var isStopping = false
  }

  let state = Mutex(State())
  let port: UInt16
  private let listener: Int32
  /// Opened by the last connection to end after `beginStopping`.
  private let drained = TestServer.Gate()

  init() throws {
    (listener, port) = try listenOnLoopback()
  }

  deinit { close(listener) }

  func acceptConnections() {
    while true {
      let socket = accept(listener, nil, nil)
      if socket < 0 {
        if errno == EINTR || errno == ECONNABORTED { continue }
        return  // The listener was shut down.
      }
      setCloseOnExec(socket)
      guard let number = register(socket) else {
        close(socket)
        return
      }
      do {
        _ = try startThread(detached: true) { [self] in
          var connection = Connection(socket: socket, number: number, core: self)
          connection.run()
          unregister(socket, isReset: connection.isReset)
        }
      } catch {
        unregister(socket)
      }
    }
  }

  /// Counts a new connection; nil when the server is stopping.
  private func register(_ socket: Int32) -> Int? {
    state.withLock { state in
      guard !state.isStopping else { return nil }
      state.openSockets.insert(socket)
      state.connectionCount += 1
      state.peakConnections = max(state.peakConnections, state.openSockets.count)
      return state.connectionCount
    }
  }

  private func unregister(_ socket: Int32, isReset: Bool = false) {
    // Closed under the lock: beginStopping must not shut down a descriptor that the system has given away again.
    let isLast = state.withLock { state in
      state.openSockets.remove(socket)
      // The end of the connection must be told even if a child process has inherited the socket.
      if !isReset { shutdown(socket, Int32(SHUT_RDWR)) }
      close(socket)
      return state.isStopping && state.openSockets.isEmpty
    }
    if isLast { drained.open() }
  }

  /// Wakes every thread of the server; false when it was stopping already.
  func beginStopping() -> Bool {
    let isFirst = state.withLock { state in
      guard !state.isStopping else { return false }
      state.isStopping = true
      state.routes = [:]
      for socket in state.openSockets { shutdown(socket, Int32(SHUT_RDWR)) }
      if state.openSockets.isEmpty { drained.open() }
      return true
    }
    if isFirst { shutdown(listener, Int32(SHUT_RDWR)) }
    return isFirst
  }

  func waitUntilDrained() { drained.wait() }

  /// Records a request and finds who answers it; the attempt number is filled in.
  func begin(_ request: inout TestServer.Request) -> TestServer.Handler? {
    let path = request.path
    let attempt = state.withLock { state in
      state.attempts[path, default: 0] += 1
      return state.attempts[path, default: 0]
    }
    request.attempt = attempt
    return state.withLock { [request] state in
      state.requests.append(request)
      state.activeRequests += 1
      state.peakRequests = max(state.peakRequests, state.activeRequests)
      return state.routes[path]
    }
  }

  func end() { state.withLock { $0.activeRequests -= 1 } }

  func count(sent bytes: Int64, path: String) {
    state.withLock { $0.bytesSent[path, default: 0] += bytes }
  }
}
