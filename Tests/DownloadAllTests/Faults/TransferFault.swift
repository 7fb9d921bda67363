import TestServer

/// What goes wrong with an answer that has content.
enum TransferFault: String, CaseIterable, Sendable {
  case reset = "the connection is reset in the middle"
  case cut = "the connection is closed in the middle"
  case cutWithoutLength = "the same, and no length was told"
  case stall = "nothing arrives any more"
  case silence = "the connection is closed without an answer"
  case garbage = "the status line is garbage"
  case longLength = "the length is longer than the content"
  case shortLength = "the length is shorter than the content"
  case impossibleLength = "the length is 2^63-1"
  case altered = "the content is another one of the same length"
  case encoded = "the content is encoded, which was not asked for"
  case unaskedPart = "a part is sent where the whole was asked for"
  case shortPart = "less is sent than the rest that was asked for"
  case otherPart = "the rest is that of another file (its ETag)"
  case limited = "429 with Retry-After"
  case unavailable = "503, for good"
  case redirectLoop = "a redirect to itself"
  case redirectToFile = "a redirect to file://"
  case redirectToPlain = "a redirect from https to http"

  /// Whether every answer is so, not only the first.
  var lasts: Bool { [.unavailable, .redirectLoop, .redirectToFile, .redirectToPlain].contains(self) }

  /// Whether it is in the answer to a request for the rest of a file.
  var isAboutRest: Bool { [.shortPart, .otherPart].contains(self) }

  /// The answer to a request for content.
  ///
  /// - Parameters:
  ///   - number: Which request it is, counted from 1.
  ///   - usual: The right answer.
  ///   - size: How many bytes the whole has.
  ///   - gate: Stays closed until the test is over.
  ///   - secure: An address with TLS that redirects to one without.
  func answer(
    _ number: Int, _ request: TestServer.Request, _ usual: TestServer.Response, size: Int64,
    gate: TestServer.Gate, secure: String
  ) -> TestServer.Response {
    if isAboutRest {
      if number == 1 { return usual.truncated(after: size / 2) }
      return request.range == nil ? usual : rest(usual, size)
    }
    return number == 1 || lasts ? wrong(request, usual, size, gate, secure) : usual
  }

  private static func otherContent(_ count: Int64) -> TestServer.Body {
    TestServer.Body([UInt8](repeating: 0x21, count: Int(count)))
  }

  private func rest(_ usual: TestServer.Response, _ size: Int64) -> TestServer.Response {
    var response = usual
    guard self == .shortPart else {
      response.body = Self.otherContent(usual.body.count)
      return response.header("ETag", "\"another\"")
    }
    let (first, count) = (size - usual.body.count, usual.body.count / 2)
    response.body = usual.body[0..<count]
    return response.header("Content-Range", "bytes \(first)-\(first + count - 1)/\(size)")
  }

  private func wrong(
    _ request: TestServer.Request, _ usual: TestServer.Response, _ size: Int64, _ gate: TestServer.Gate,
    _ secure: String
  ) -> TestServer.Response {
    var response = usual
    switch self {
    case .reset: return usual.truncated(after: size / 2, ending: .reset)
    case .cut: return usual.truncated(after: size / 2)
    case .cutWithoutLength: return usual.framed(.untilClose).truncated(after: size / 2)
    case .stall: return usual.pausing(after: size / 2, at: gate)
    case .silence: return .nothing()
    case .garbage:
      response.rawHead = "220 mail.example.com ESMTP\r\n\r\n"
      response.body = TestServer.Body([UInt8]())
      response.ending = .close
    case .longLength: return usual.declaring(length: size + 100)
    case .shortLength: return usual.declaring(length: size / 2)
    case .impossibleLength: return usual.declaring(length: .max)
    case .altered: response.body = Self.otherContent(size)
    case .encoded:
      response.body = Self.otherContent(size)
      return response.header("Content-Encoding", "gzip")
    case .unaskedPart:
      response.status = 206
      response.body = usual.body[0..<(size / 2)]
      return response.header("Content-Range", "bytes 0-\(size / 2 - 1)/\(size)")
    case .shortPart, .otherPart: break
    case .limited: return TestServer.Response(429, headers: [("Retry-After", "1")])
    case .unavailable: return .refusal(503)
    case .redirectLoop: return .redirect(to: request.target)
    case .redirectToFile: return .redirect(to: "file:///etc/passwd")
    case .redirectToPlain: return .redirect(to: secure)
    }
    return response
  }
}
