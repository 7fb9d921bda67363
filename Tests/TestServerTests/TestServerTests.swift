import Foundation
import TestServer
import Testing

/// The server is judged by another implementation of HTTP: the curl program.
@Suite(.timeLimit(.minutes(10))) struct TestServerTests {
  let server: TestServer

  init() throws { server = try TestServer() }

  @Test(arguments: [
    (["-r", "10-19"], 206, "bytes 10-19/100", 10),
    (["-r", "90-"], 206, "bytes 90-99/100", 10),
    (["-r", "-5"], 206, "bytes 95-99/100", 5),
    (["-r", "100-"], 416, "bytes */100", 0),
    (["-r", "10-", "-H", "If-Range: \"v1\""], 206, "bytes 10-99/100", 90),
    (["-r", "10-", "-H", "If-Range: \"v0\""], 200, "", 100),
    ([], 200, "", 100),
  ])
  func rangesAreAnswered(options: [String], status: Int, contentRange: String, size: Int) async throws {
    let body = TestServer.Body.pattern(count: 100)
    server.serve("/file", TestServer.Resource(body, entityTag: "\"v1\""))
    let result = try await curl(
      options + ["-w", "%{stderr}%{http_code} %header{content-range}", server.url("/file")])
    #expect(result.error == "\(status) \(contentRange)")
    #expect(result.output.count == size)
    #expect(server.bytesSent("/file") == size)
    let start = contentRange.split { !$0.isNumber }.first.flatMap { Int($0) } ?? 0
    #expect(status == 416 || result.output == Array(body.bytes[start..<start + size]))
  }

  // Exit statuses of curl(1): 18 partial file, 52 empty reply, 56 receive failure.
  @Test(arguments: [
    (TestServer.Response.text("0123456789").truncated(after: 4), 18, "0123"),
    (.text("0123456789").declaring(length: 12), 18, "0123456789"),
    (.text("0123456789").declaring(length: 3), 0, "012"),
    (.text("0123456789").framed(.chunked), 0, "0123456789"),
    (.text("0123456789").framed(.chunked).truncated(after: 5), 18, "01234"),
    (.text("0123456789").framed(.untilClose), 0, "0123456789"),
    (.nothing(), 52, ""),
    (.nothing(ending: .reset), 56, ""),
    (.text("0123456789").truncated(after: 0, ending: .reset), 56, ""),
  ])
  func faultsReachTheClient(response: TestServer.Response, status: Int32, output: String) async throws {
    server.route("/file") { _ in response }
    let result = try await curl([server.url("/file")])
    #expect(result.status == status)
    #expect(String(decoding: result.output, as: UTF8.self) == output)
  }

  @Test func attemptsCanDiffer() async throws {
    server.route("/file") { request in
      request.attempt <= 2 ? .refusal(503, retryAfter: "0") : .text("done")
    }
    for expected in ["busy\n503", "busy\n503", "done200"] {
      #expect(try await curl(["-w", "%{http_code}", server.url("/file")]).text == expected)
    }
    #expect(server.requests.map(\.attempt) == [1, 2, 3])
  }

  @Test func aGateHoldsTheBodyUntilTheTestOpensIt() async throws {
    let gate = TestServer.Gate()
    server.route("/file") { _ in .text("0123456789").pausing(after: 4, at: gate) }
    let url = server.url("/file")
    let client = Task { try await curl([url]) }
    await gate.reached()
    #expect(server.bytesSent("/file") == 4)
    gate.open()
    #expect(try await client.value.text == "0123456789")
  }

  @Test func stoppingEndsClientsThatWait() async throws {
    let gate = TestServer.Gate()
    server.route("/file") { _ in .text("never").stalled(at: gate) }
    let url = server.url("/file")
    let client = Task { try await curl([url]) }
    await gate.reached()
    server.stop()
    #expect(try await client.value.status == 52)
  }

  @Test func redirectsShowWhatCredentialsTravel() async throws {
    let other = try TestServer()
    other.serve("/file", Array("content".utf8))
    let target = other.url("/file")
    server.route("/file") { _ in .redirect(to: target) }
    #expect(try await curl(["-L", "-u", "user:secret", server.url("/file")]).text == "content")
    #expect(server.requests.first?[header: "authorization"] == "Basic dXNlcjpzZWNyZXQ=")
    let last = try #require(other.requests.first)
    #expect(last[header: "Authorization"] == nil)
  }

  @Test func passwordsAreDemanded() async throws {
    var resource = TestServer.Resource(TestServer.Body("content"))
    resource.requiredAuthorization = "Basic dXNlcjpzZWNyZXQ="
    server.serve("/file", resource)
    #expect(try await curl(["-o", "/dev/null", "-w", "%{http_code}", server.url("/file")]).text == "401")
    #expect(try await curl(["-u", "user:secret", server.url("/file")]).text == "content")
  }

  @Test func hugeBodiesTakeNoMemory() async throws {
    let size: Int64 = 10 << 30
    let body = TestServer.Body.pattern(count: size, seed: 7)
    server.serve("/huge", TestServer.Resource(body))
    #expect(try await curl(["-I", server.url("/huge")]).text.contains("Content-Length: \(size)\r\n"))
    let tail = try await curl(["-r", "\(size - 1000)-", server.url("/huge")])
    #expect(tail.output == body[(size - 1000)..<size].bytes)
  }

  @Test func connectionsAreKeptAndCounted() async throws {
    server.serve("/file", Array("content".utf8))
    _ = try await curl([server.url("/file"), server.url("/file?again")])
    #expect(server.requests.map(\.target) == ["/file", "/file?again"])
    #expect(server.connectionCount == 1)
    #expect(server.peakRequests == 1)
  }

  @Test func parallelRequestsAreCounted() async throws {
    let gates = (1...3).map { _ in TestServer.Gate() }
    for (index, gate) in gates.enumerated() {
      server.route("/\(index)") { _ in .text("\(index)").pausing(after: 0, at: gate) }
    }
    let urls = gates.indices.map { server.url("/\($0)") }
    let client = Task { try await curl(["--parallel", "--parallel-immediate"] + urls) }
    for gate in gates { await gate.reached() }
    for gate in gates { gate.open() }
    #expect(try await client.value.status == 0)
    #expect(server.peakRequests == 3)
    #expect(server.peakConnections == 3)
  }

  @Test func datesAreWrittenAsHTTPWantsThem() {
    // The example of RFC 9110, section 5.6.7.
    #expect(TestServer.Response.httpDate(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
  }
}

private struct CurlResult {
  var status: Int32
  var output: [UInt8]
  var error: String
  var text: String { String(decoding: output, as: UTF8.self) }
}

/// Runs curl. The waiting is done by a thread of its own: the threads of Swift's pool are as few as the cores, and
/// a test that opens a gate needs one while curl waits.
private func curl(_ arguments: [String]) async throws -> CurlResult {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread {
      continuation.resume(with: Result { try runCurl(arguments) })
    }
  }
}

private func runCurl(_ arguments: [String]) throws -> CurlResult {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = ["curl", "-q", "--noproxy", "*", "--silent", "--max-time", "60"] + arguments
  let (output, error) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = error
  try process.run()
  let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
  let text = try error.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return CurlResult(
    status: process.terminationStatus, output: Array(bytes), error: String(decoding: text, as: UTF8.self))
}
