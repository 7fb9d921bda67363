import Glibc

extension TestServer {
  /// What to answer, and how to misbehave while doing so.
  public struct Response: Sendable {
    /// How the end of the body is told.
    public enum Framing: Sendable, Equatable {
      /// Content-Length with the true length.
      case length
      /// Content-Length with this value, true or not.
      case declaredLength(Int64)
      /// Transfer-Encoding: chunked.
      case chunked
      /// Nothing: the body ends with the connection.
      case untilClose
    }

    /// What happens to the connection after the last byte that is sent.
    public enum Ending: Sendable {
      /// It waits for the next request.
      case keepAlive
      /// It is closed in good order (FIN).
      case close
      /// It is torn down (RST).
      case reset
    }

    /// The status code.
    public var status: Int
    /// Header fields; those of the framing are added by the server.
    public var headers: [(name: String, value: String)]
    /// The body.
    public var body: Body
    /// How the end of the body is told.
    public var framing: Framing = .length
    /// The connection afterwards.
    public var ending: Ending = .keepAlive
    /// After how many body bytes the response stops, whatever was announced; the ending then is at least a close.
    public var limit: Int64?
    /// Places where the response waits: before the body byte of that offset, -1 for before the status line.
    public var gates: [(offset: Int64, gate: Gate)] = []
    /// The most body bytes a second; nil is unlimited.
    public var rate: Int64?
    /// What is sent instead of status line and header fields, such as garbage.
    public var rawHead: String?
    /// Whether nothing at all is sent, not even a status line.
    public var isSilent = false

    /// A well-behaved response.
    public init(
      _ status: Int = 200, headers: [(name: String, value: String)] = [], body: Body = Body([UInt8]())
    ) {
      self.status = status
      self.headers = headers
      self.body = body
    }

    /// A response with a text.
    public static func text(_ text: String, status: Int = 200) -> Response {
      Response(status, headers: [("Content-Type", "text/plain; charset=utf-8")], body: Body(text))
    }

    /// A redirect; `location` is sent as it is, absolute or relative.
    public static func redirect(to location: String, status: Int = 302) -> Response {
      Response(status, headers: [("Location", location)])
    }

    /// "Come back later": 503, 429, …, with a Retry-After of seconds or of an HTTP date.
    public static func refusal(_ status: Int, retryAfter: String? = nil) -> Response {
      Response(status, headers: retryAfter.map { [("Retry-After", $0)] } ?? [], body: Body("busy\n"))
    }

    /// The connection ends before a response.
    public static func nothing(ending: Ending = .close) -> Response {
      var response = Response()
      response.isSilent = true
      response.ending = ending
      return response
    }

    /// Stops after so many body bytes and ends the connection, while Content-Length promises all.
    public func truncated(after bytes: Int64, ending: Ending = .close) -> Response {
      var response = self
      response.limit = bytes
      response.ending = ending
      return response
    }

    /// Announces another length than it has.
    public func declaring(length: Int64) -> Response {
      framed(.declaredLength(length))
    }

    /// Tells the end of the body in another way.
    public func framed(_ framing: Framing) -> Response {
      var response = self
      response.framing = framing
      if framing != .length && framing != .chunked { response.ending = .close }
      return response
    }

    /// Waits at a gate when so many body bytes have been sent.
    public func pausing(after bytes: Int64, at gate: Gate) -> Response {
      var response = self
      response.gates = (gates + [(bytes, gate)]).sorted { $0.offset < $1.offset }
      return response
    }

    /// Sends at most so many body bytes a second.
    public func paced(_ bytesPerSecond: Int64) -> Response {
      var response = self
      response.rate = bytesPerSecond
      return response
    }

    /// Waits at a gate before the status line.
    public func stalled(at gate: Gate) -> Response { pausing(after: -1, at: gate) }

    /// Adds or replaces a header field; nil removes it.
    public func header(_ name: String, _ value: String?) -> Response {
      var response = self
      response.headers.removeAll { $0.name.lowercased() == name.lowercased() }
      if let value { response.headers.append((name, value)) }
      return response
    }

    /// A date as HTTP writes it (RFC 9110, section 5.6.7), so many seconds from now.
    public static func httpDate(secondsFromNow seconds: Int) -> String {
      httpDate(time(nil) + seconds)
    }

    /// A date as HTTP writes it, of seconds since 1970.
    public static func httpDate(_ secondsSince1970: Int) -> String {
      let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
      let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
      var (moment, parts) = (time_t(secondsSince1970), tm())
      gmtime_r(&moment, &parts)
      func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
      return "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) "
        + "\(1900 + parts.tm_year) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
    }
  }
}
