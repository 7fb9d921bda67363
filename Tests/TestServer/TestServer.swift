import Glibc
import Synchronization

/// An HTTP/1.1 server on 127.0.0.1 for tests, on raw sockets so that it can misbehave byte by byte.
///
/// Every response is what a route returns, down to a length that lies or a connection that ends in the middle.
/// Each connection has a thread of its own, so a route may block. Connections are kept alive.
public final class TestServer: Sendable {
  /// Answers one request; runs on the thread of the connection.
  public typealias Handler = @Sendable (Request) -> Response

  private let core: ServerCore
  private let acceptThread: pthread_t

  /// Starts a server on a free port.
  ///
  /// - Throws: ``SocketError`` when the system has no socket to give.
  public init() throws {
    let core = try ServerCore()
    self.core = core
    self.acceptThread = try startThread { core.acceptConnections() }
  }

  deinit { stop() }

  /// The TCP port.
  public var port: UInt16 { core.port }

  /// `http://127.0.0.1:PORT`, without a slash at the end.
  public var baseURL: String { "http://127.0.0.1:\(core.port)" }

  /// The URL of a path that begins with a slash.
  public func url(_ path: String) -> String { baseURL + path }

  /// Answers requests for one path (without query) by a handler; a path without a route is 404.
  ///
  /// A handler that holds the server itself keeps it alive until ``stop()``.
  public func route(_ path: String, _ handler: @escaping Handler) {
    core.state.withLock { $0.routes[path] = handler }
  }

  /// Serves a resource at a path.
  public func serve(_ path: String, _ resource: Resource) {
    route(path) { resource.response(to: $0) }
  }

  /// Serves bytes at a path, with range support and an entity tag of their length.
  public func serve(_ path: String, _ content: [UInt8]) {
    serve(path, Resource(Body(content), entityTag: "\"\(content.count)\""))
  }

  /// Every request that arrived, in order of arrival.
  public var requests: [Request] { core.state.withLock { $0.requests } }

  /// The requests for one path, in order of arrival.
  public func requests(for path: String) -> [Request] { requests.filter { $0.path == path } }

  /// Body bytes of a path that were handed to the network, over all requests; framing and headers not counted.
  public func bytesSent(_ path: String) -> Int64 { core.state.withLock { $0.bytesSent[path] ?? 0 } }

  /// How many connections were ever accepted.
  public var connectionCount: Int { core.state.withLock { $0.connectionCount } }

  /// The largest number of connections that were open at one time.
  public var peakConnections: Int { core.state.withLock { $0.peakConnections } }

  /// The largest number of requests that were being answered at one time.
  public var peakRequests: Int { core.state.withLock { $0.peakRequests } }

  /// Closes the port and every connection and waits until no thread of the server is left; may be called twice.
  public func stop() {
    guard core.beginStopping() else { return }
    pthread_join(acceptThread, nil)
    core.waitUntilDrained()
  }
}
