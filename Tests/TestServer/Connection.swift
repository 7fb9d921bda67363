import Glibc

/// One client connection, run by its own thread until either side ends it.
struct Connection {
  /// The end of a connection, whoever wanted it.
  private struct Ended: Error {}

  let socket: Int32
  let number: Int
  let core: ServerCore
  /// Whether the connection is to end with a reset instead of an orderly close.
  private(set) var isReset = false
  private var unread: [UInt8] = []

  init(socket: Int32, number: Int, core: ServerCore) {
    self.socket = socket
    self.number = number
    self.core = core
    // Pieces between two gates must not wait for Nagle's algorithm and the delayed acknowledgement.
    var on: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  mutating func run() {
    do {
      while var request = try readRequest() {
        let handler = core.begin(&request)
        defer { core.end() }
        let response = handler?(request) ?? .text("no route for \(request.path)\n", status: 404)
        try send(response, to: request)
      }
    } catch {
      // The connection is over, which is all there is to know: the caller closes the socket.
    }
  }

  // MARK: Reading

  /// The next request, or nil when the client has closed the connection.
  private mutating func readRequest() throws -> TestServer.Request? {
    let terminator = Array("\r\n\r\n".utf8)
    var end = unread.firstRange(of: terminator)
    while end == nil {
      guard unread.count < 1 << 16, try receive() else { return nil }
      end = unread.firstRange(of: terminator)
    }
    guard let end else { return nil }
    let head = String(decoding: unread[..<end.lowerBound], as: UTF8.self)
    unread.removeSubrange(..<end.upperBound)
    guard var request = TestServer.Request(head: head, connection: number) else { throw Ended() }
    if let length = request[header: "Content-Length"].flatMap({ Int($0) }), length > 0 {
      if request[header: "Expect"]?.lowercased() == "100-continue" {
        try sendAll(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
      }
      while unread.count < length { guard try receive() else { throw Ended() } }
      request.body = Array(unread[..<length])
      unread.removeSubrange(..<length)
    }
    return request
  }

  /// Takes in what has arrived; false at the end of the stream.
  private mutating func receive() throws -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Ended() }
      unread += buffer[..<count]
      return count > 0
    }
  }

  // MARK: Writing

  private mutating func send(_ response: TestServer.Response, to request: TestServer.Request) throws {
    for gate in response.gates where gate.offset < 0 {
      guard gate.gate.wait(watching: socket) else { throw Ended() }
    }
    var isTruncated = false
    if !response.isSilent {
      try sendAll(head(of: response))
      if request.method != "HEAD" { isTruncated = try sendBody(of: response, path: request.path) }
    }
    if case .reset = response.ending {
      var reset = linger(l_onoff: 1, l_linger: 0)
      setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
      isReset = true
      throw Ended()
    }
    if case .close = response.ending { throw Ended() }
    if isTruncated || request[header: "Connection"]?.lowercased() == "close" { throw Ended() }
  }

  private func head(of response: TestServer.Response) -> [UInt8] {
    if let head = response.rawHead { return Array(head.utf8) }
    var lines = ["HTTP/1.1 \(response.status) \(reasonPhrase(response.status))"]
    lines += response.headers.map { "\($0.name): \($0.value)" }
    switch response.framing {
    case .length: lines.append("Content-Length: \(response.body.count)")
    case .declaredLength(let length): lines.append("Content-Length: \(length)")
    case .chunked: lines.append("Transfer-Encoding: chunked")
    case .untilClose: lines.append("Connection: close")
    }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  }

  /// Sends the body up to the response's limit; true when the limit cut it.
  private func sendBody(of response: TestServer.Response, path: String) throws -> Bool {
    let end = min(response.limit ?? .max, response.body.count)
    var gates = response.gates.drop { $0.offset < 0 }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    var offset: Int64 = 0
    while true {
      while let next = gates.first, next.offset <= offset {
        guard next.gate.wait(watching: socket) else { throw Ended() }
        gates = gates.dropFirst()
      }
      guard offset < end else { break }
      let most = response.rate.map { max(1, min(Int64(buffer.count), $0 / 100)) } ?? Int64(buffer.count)
      let stop = min(end, gates.first?.offset ?? .max, offset + most)
      let piece = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(Int(stop - offset)))
      response.body.read(offset, into: piece)
      if response.framing == .chunked {
        try sendAll(Array((String(piece.count, radix: 16) + "\r\n").utf8))
      }
      try sendAll(UnsafeRawBufferPointer(piece)) { core.count(sent: $0, path: path) }
      if response.framing == .chunked { try sendAll(Array("\r\n".utf8)) }
      if let rate = response.rate { usleep(useconds_t((stop - offset) * 1_000_000 / rate)) }
      offset = stop
    }
    let isTruncated = end < response.body.count
    if response.framing == .chunked && !isTruncated { try sendAll(Array("0\r\n\r\n".utf8)) }
    return isTruncated
  }

  private func sendAll(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try sendAll($0) }
  }

  private func sendAll(_ bytes: UnsafeRawBufferPointer, counting: (Int64) -> Void = { _ in }) throws {
    var rest = bytes
    while !rest.isEmpty {
      // MSG_NOSIGNAL: a client that has gone must not end the test process with SIGPIPE.
      let count = Glibc.send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Ended() }
      counting(Int64(count))
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }
}

/// The words behind a status code; clients must not depend on them.
private func reasonPhrase(_ status: Int) -> String {
  switch status {
  case 200: "OK"
  case 206: "Partial Content"
  case 300..<400: "Redirect"
  case 401: "Unauthorized"
  case 404: "Not Found"
  case 416: "Range Not Satisfiable"
  case 429: "Too Many Requests"
  case 503: "Service Unavailable"
  default: "Status \(status)"
  }
}
