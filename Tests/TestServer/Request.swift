extension TestServer {
  /// A request as it arrived.
  public struct Request: Sendable {
    /// `GET`, `HEAD`, …
    public let method: String
    /// The request target as sent: path and query.
    public let target: String
    /// Header fields in the order sent.
    public let headers: [(name: String, value: String)]
    /// The body, if a Content-Length announced one.
    public internal(set) var body: [UInt8] = []
    /// 1 for the first request of this path, 2 for the second, …
    public internal(set) var attempt = 0
    /// The number of the connection that it came over, counted from 1.
    public let connection: Int

    /// The target without its query.
    public var path: String { String(target.prefix { $0 != "?" }) }

    /// The text after the question mark, undecoded.
    public var query: String? {
      target.firstIndex(of: "?").map { String(target[target.index(after: $0)...]) }
    }

    /// The value of the first header field of that name, whatever its case.
    public subscript(header name: String) -> String? {
      let name = name.lowercased()
      return headers.first { $0.name.lowercased() == name }?.value
    }

    /// The Range header.
    public var range: String? { self[header: "Range"] }
  }
}

extension TestServer.Request {
  /// Reads the request line and header fields, given without the empty line that ends them; nil if malformed.
  init?(head: String, connection: Int) {
    var lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
    guard let words = lines.popFirst()?.split(separator: " "), words.count == 3 else { return nil }
    var headers: [(name: String, value: String)] = []
    for line in lines {
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      headers.append((String(line[..<colon]), String(value)))
    }
    method = String(words[0])
    target = String(words[1])
    self.headers = headers
    self.connection = connection
  }
}
