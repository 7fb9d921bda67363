import Glibc

/// A socket call failed.
public struct SocketError: Error, CustomStringConvertible {
  /// The function that failed.
  public let call: String
  /// Its `errno`.
  public let code: Int32

  /// A sentence for people.
  public var description: String { "\(call) failed: \(String(cString: strerror(code)))" }
}

/// Opens a listening socket on a free port of 127.0.0.1.
func listenOnLoopback() throws -> (socket: Int32, port: UInt16) {
  let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard listener >= 0 else { throw SocketError(call: "socket", code: errno) }
  setCloseOnExec(listener)
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let failed: String? = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
      if bind(listener, pointer, length) != 0 { return "bind" }
      if listen(listener, 128) != 0 { return "listen" }
      return getsockname(listener, pointer, &length) == 0 ? nil : "getsockname"
    }
  }
  if let failed {
    let code = errno
    close(listener)
    throw SocketError(call: failed, code: code)
  }
  return (listener, UInt16(bigEndian: address.sin_port))
}

/// Keeps a descriptor from the programs that a test starts. (accept4 and pipe2, which do it at once, are not in
/// Glibc's Swift interface.)
func setCloseOnExec(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Starts a thread.
func startThread(detached: Bool = false, _ body: @escaping @Sendable () -> Void) throws -> pthread_t {
  let box = Unmanaged.passRetained(ThreadBody(body))
  var thread = pthread_t()
  let code = pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
      return nil
    }, box.toOpaque())
  guard code == 0 else {
    box.release()
    throw SocketError(call: "pthread_create", code: code)
  }
  if detached { pthread_detach(thread) }
  return thread
}
