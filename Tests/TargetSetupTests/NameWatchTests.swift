import Foundation
import Synchronization
import Testing

@testable import TargetSetup

@Suite("Names that nodes ask for")
struct NameWatchTests {
  /// A query as a resolver sends it (RFC 1035, section 4.1).
  private static func query(_ labels: [String], type: UInt8 = 1, flags: [UInt8] = [1, 0], rest: [UInt8] = [])
    -> [UInt8]
  {
    [0xAB, 0xCD] + flags + [0, 1, 0, 0, 0, 0, 0, UInt8(rest.isEmpty ? 0 : 1)]
      + labels.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0, 0, type, 0, 1] + rest
  }

  @Test("a question is read, and denied with its own number")
  func question() throws {
    // The record at the end is what resolvers say of themselves (RFC 6891).
    let options: [UInt8] = [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]
    let found = try #require(
      NameQuestion(Self.query(["Registry-1", "docker", "io"], type: 28, rest: options)))
    #expect(found.name == "registry-1.docker.io")
    #expect(found.type == 28)
    let denial = found.denial
    #expect(Array(denial.prefix(12)) == [0xAB, 0xCD, 0x85, 0x83, 0, 1, 0, 0, 0, 0, 0, 0])
    #expect(
      Array(denial.dropFirst(12))
        == Array(Self.query(["Registry-1", "docker", "io"], type: 28).dropFirst(12)))
  }

  @Test("bytes that no host's name has can do nothing to a terminal")
  func oddBytes() throws {
    let question = try #require(NameQuestion(Self.query(["a\u{1B}[2J.b", "é"])))
    #expect(question.name == "a\\027\\0912j\\046b.\\195\\169")
  }

  @Test(
    "what is no question gets no answer",
    arguments: [
      [], [UInt8](repeating: 0, count: 12), query(["a"], flags: [0x81, 0]), query(["a"], flags: [0x28, 0]),
      Array(query(["a"]).dropLast()), Array(query(["example", "com"]).prefix(20)),
      query([]).prefix(12) + [0xC0, 12, 0, 1, 0, 1],
      query([String](repeating: String(repeating: "a", count: 63), count: 5)),
      query(["a"]).prefix(12) + [UInt8](repeating: 63, count: 40),
    ])
  func noQuestion(datagram: [UInt8]) {
    #expect(NameQuestion(datagram) == nil)
  }

  @Test("a name is told once, with all who ask for it; names for addresses are not")
  func names() throws {
    var watch = NameWatch()
    let questions = [
      (["quay", "io"], "10.0.0.11"), (["quay", "io"], "10.0.0.12"), (["ghcr", "io"], "10.0.0.12"),
      (["QUAY", "io"], "10.0.0.12"), (["1", "0", "0", "10", "in-addr", "arpa"], "10.0.0.12"),
    ]
    var told: [String?] = []
    for (labels, client) in questions {
      let question = try #require(NameQuestion(Self.query(labels)))
      told.append(watch.add(question, from: client)?.name)
    }
    #expect(told == ["quay.io", nil, "ghcr.io", nil, nil])
    #expect(watch.names.map(\.clients) == [["10.0.0.11", "10.0.0.12"], ["10.0.0.12"]])
    #expect(watch.names.map(\.count) == [3, 1])
  }

  @Test(
    "a real resolver is told that there is no such name, and the watch ends when it is cancelled",
    .timeLimit(.minutes(2)))
  func resolver() async throws {
    let port = UInt16.random(in: 20_000..<30_000)
    let seen = Mutex<[String]>([])
    let (first, told) = AsyncStream.makeStream(of: String.self)
    let server = Task {
      try await NameWatch.run(address: "127.0.0.1", port: port) { _, found in
        if let found { told.yield(found.name) }
      }
    }
    // Python's standard library has a socket, and every machine of these tests has Python.
    let client = Process()
    client.executableURL = URL(filePath: "/usr/bin/python3")
    client.arguments = [
      "-c",
      """
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      s.settimeout(1)
      query = bytes.fromhex("abcd01000001000000000000") + b"\\x04quay\\x02io\\x00" + bytes.fromhex("00010001")
      for attempt in range(60):
          s.sendto(query, ("127.0.0.1", \(port)))
          try:
              print(s.recv(512).hex())
              break
          except (socket.timeout, ConnectionRefusedError):
              pass
      """,
    ]
    let output = Pipe()
    client.standardOutput = output
    try client.run()
    for await name in first {
      seen.withLock { $0.append(name) }
      break
    }
    client.waitUntilExit()
    let answer = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(answer.hasPrefix("abcd85830001000000000000"))
    #expect(seen.withLock { $0 } == ["quay.io"])
    server.cancel()
    _ = await server.result
  }

  @Test("an address that this machine does not have is named with its port")
  func foreignAddress() async throws {
    let error = await #expect(throws: StepError.self) {
      try await NameWatch.run(address: "192.0.2.1", port: 5353) { _, _ in }
    }
    #expect(error?.description.contains("192.0.2.1, port 5353 (UDP)") == true)
  }
}
