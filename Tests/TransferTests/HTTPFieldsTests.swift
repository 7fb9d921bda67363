import Testing

@testable import Transfer

@Suite struct HTTPFieldsTests {
  @Test func namesHaveNoCase() {
    var fields: HTTPFields = ["Content-Length": "5"]
    #expect(fields["content-length"] == "5")
    fields["CONTENT-LENGTH"] = "6"
    #expect(fields.all("Content-Length") == ["6"])
    fields["content-length"] = nil
    #expect(fields["Content-Length"] == nil)
  }

  @Test(arguments: [
    ("bytes 0-9/10", 0, 9, 10), ("Bytes 5-9/10", 5, 9, 10), ("bytes 5-9/*", 5, 9, nil as Int64?),
  ])
  func contentRange(_ text: String, _ first: Int64, _ last: Int64, _ total: Int64?) throws {
    let range = try #require(ContentRange(text))
    #expect(range.first == first && range.last == last && range.total == total)
  }

  @Test(arguments: [
    "", "bytes", "bytes */10", "bytes 9-5/10", "bytes 0-9/5", "items 0-9/10", "bytes -1-9/10", "bytes 0-9",
  ])
  func badContentRange(_ text: String) {
    #expect(ContentRange(text) == nil)
  }

  @Test(arguments: [
    ("120", Duration.seconds(120)), ("0", .seconds(0)), ("Sun, 06 Nov 1994 08:49:37 GMT", .seconds(37)),
    ("Sun, 06 Nov 1994 08:48:37 GMT", .seconds(0)), ("soon", nil as Duration?), ("-5", nil),
  ])
  func retryAfter(_ text: String, _ expected: Duration?) {
    let head = ResponseHead(status: 503, fields: ["Retry-After": text])
    // 784111740 is 06 Nov 1994 08:49:00 GMT.
    #expect(head.retryAfter(now: 784_111_740) == expected)
  }

  @Test(arguments: [
    ("1764460900", Duration.seconds(100)), ("1764460700", .zero), ("1.5", .seconds(2)),
    ("", nil as Duration?),
    ("99999999999999999999", nil), ("Sat, 29 Nov 2025 23:59:40 GMT", .seconds(60)),
  ])
  func aDateIsOneOfTheServersClock(_ text: String, _ expected: Duration?) {
    // The server is a day behind: 1764460720 is Sat, 29 Nov 2025 23:58:40 GMT.
    var head = ResponseHead(
      status: 429, fields: ["Retry-After": text, "Date": "Sat, 29 Nov 2025 23:58:40 GMT"])
    let isNumber = text.hasPrefix("1764")
    if isNumber { head.fields["Date"] = "Sun, 30 Nov 2025 00:00:00 GMT" }
    #expect(head.retryAfter(now: 1_764_500_000) == expected)
  }

  @Test(arguments: [("\"a\"", "\"a\""), ("W/\"a\"", "Mon")])
  func onlyAStrongTagGuardsARange(_ tag: String, _ expected: String) {
    #expect(
      ResponseHead(status: 200, fields: ["ETag": tag, "Last-Modified": "Mon"]).rangeValidator == expected)
  }

  @Test func pausesGrowAndProgressResetsThem() {
    var configuration = TransferConfiguration()
    configuration.retries = 3
    var policy = RetryPolicy(configuration)
    func pause(_ progress: Int64 = 0) -> Duration? {
      policy.pause(progress: progress, retryAfter: nil, random: 0)
    }
    #expect(
      [pause(), pause(), pause(), pause()] == [.milliseconds(250), .milliseconds(500), .seconds(1), nil])
    #expect(pause(RetryPolicy.progressBytes) == .milliseconds(250))
  }

  @Test(arguments: [
    ("https://Example.com/a", "https://example.com"), ("http://h:80/", "http://h"),
    ("https://h:8443/", "https://h:8443"),
    ("https://u:p@h/", "https://h"),
  ])
  func origins(_ text: String, _ origin: String) throws {
    #expect(try TransferURL(text).origin.description == origin)
  }

  @Test(arguments: ["", "ftp://h/", "file:///etc/passwd", "h/path", "https://"])
  func badURL(_ text: String) {
    #expect(throws: TransferError.self) { try TransferURL(text) }
  }
}
