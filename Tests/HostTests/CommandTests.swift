import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import Host

@Suite struct CommandTests {
  @Test func bothOutputsAndTheStatusAreReturned() async throws {
    let result = try await Command("sh", ["-c", "echo out; echo err >&2; exit 3"]).run()
    #expect(result == CommandResult(status: 3, standardOutput: "out\n", standardError: "err\n"))
  }

  @Test func aSignalCountsFrom128() async throws {
    let result = try await Command("sh", ["-c", "kill -9 $$"]).run()
    #expect(result.status == 137)
  }

  @Test func outputThrowsWithTheLastWordsOfTheCommand() async throws {
    let command = Command("sh", ["-c", "echo 'no route to https://me:secret@host/x' >&2; exit 7"])
    let error = try await #require(throws: CommandError.self) { try await runOutput(command) }
    #expect(error.description.hasSuffix("failed with exit status 7:\n  no route to https://***@host/x"))
    #expect(error.description.hasPrefix("sh -c 'echo"))
    #expect(!error.description.contains("secret"))
  }

  @Test func aMissingProgramIsNamed() async throws {
    let error = try await #require(throws: CommandError.self) {
      try await runOutput(Command("no-such-tool", ["a b"]))
    }
    #expect(
      error.description == "cannot run no-such-tool 'a b': no-such-tool is not installed or not in PATH")
  }

  @Test func aMissingFolderIsNamed() async throws {
    let error = try await #require(throws: CommandError.self) {
      try await runOutput(Command("true", workingDirectory: "/no/such/folder"))
    }
    #expect(error.description == "cannot start true: its folder /no/such/folder cannot be entered")
  }

  @Test func aNulByteIsRefused() async throws {
    await #expect(throws: CommandError.self) { try await Command("echo", ["a\0b"]).run() }
  }

  @Test func environmentAndFolder() async throws {
    let command = Command(
      "sh", ["-c", "printf '%s %s ' \"$GREETING\" \"${HOME-unset}\"; pwd"],
      environment: ["GREETING": "good day", "HOME": nil], workingDirectory: "/usr")
    #expect(try await command.output() == "good day unset /usr\n")
  }

  @Test func aRelativeProgramStartsAtThisFolderNotAtItsOwn() async throws {
    let folder = try #require(getcwd(nil, 0))
    defer { free(folder) }
    let depth = FilePath(String(cString: folder)).components.count
    let shell = String(repeating: "../", count: depth) + "bin/sh"
    #expect(try await Command(shell, ["-c", "pwd"], workingDirectory: "/usr/bin").output() == "/usr/bin\n")
  }

  @Test func linesOfBothOutputsAreStreamed() async throws {
    let lines = Mutex<[String]>([])
    let script = "printf 'one\\ntwo\\r\\nthree\\rfour'; printf 'warning\\n' >&2"
    let result = try await Command("sh", ["-c", script]).run { line in lines.withLock { $0.append(line) } }
    let seen = lines.withLock { $0 }
    #expect(seen.filter { $0 != "warning" } == ["one", "two", "three", "four"])
    #expect(seen.contains("warning"))
    #expect(result.standardOutput == "one\ntwo\r\nthree\rfour")
  }

  @Test func largeOutputsOnBothSidesDoNotBlock() async throws {
    let script = "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero"
    let result = try await Command("sh", ["-c", script]).run()
    #expect(result.standardOutput.utf8.count == 3_000_000)
    #expect(result.standardError.utf8.count == 3_000_000)
  }

  @Test(arguments: ["exec cat /dev/zero", "exec cat /dev/zero >&2"])
  func endlessOutputIsStopped(_ script: String) async throws {
    let error = try await #require(throws: CommandError.self) {
      try await runOutput(Command("sh", ["-c", script]), limit: 1 << 20)
    }
    #expect(error.description.contains("wrote more than 1048576 bytes"))
  }

  @Test func aDaemonThatKeepsTheOutputOpenIsNotWaitedFor() async throws {
    let result = try await Command("sh", ["-c", "sleep 600 & echo $!"]).run()
    let process = try #require(pid_t(result.standardOutput.filter(\.isNumber)))
    #expect(kill(process, SIGKILL) == 0)
  }

  /// The shell's child must end with it, whether they listen to SIGTERM or not.
  @Test(arguments: ["", "trap '' TERM;"]) func cancellingEndsTheWholeGroup(_ prelude: String) async throws {
    let (processes, continuation) = AsyncStream<pid_t>.makeStream()
    var command = Command("sh", ["-c", "\(prelude) sleep 600 & echo $!; echo $$; wait; wait; sleep 600"])
    command.terminationGrace = .milliseconds(200)
    let task = Task { [command] in
      try await command.run { line in
        if let process = pid_t(line) { continuation.yield(process) }
      }
    }
    var started: [pid_t] = []
    for await process in processes {
      started.append(process)
      if started.count == 2 { break }
    }
    task.cancel()
    let error = try await #require(throws: CommandError.self) { try await task.value }
    guard case .cancelled = error else {
      Issue.record("\(error)")
      return
    }
    for process in started { #expect(try await isGone(process), "process \(process) still runs") }
  }

  @Test func aCancelledTaskStartsNothing() async throws {
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await Command("no-such-tool").run()
    }
    let error = try await #require(throws: CommandError.self) { try await task.value }
    #expect(error.description == "no-such-tool was interrupted")
  }

  /// An orphan stays a zombie until the init process reaps it, so its state is what counts.
  private func isGone(_ process: pid_t) async throws -> Bool {
    for _ in 0..<1000 {
      let status = try? await Command("cat", ["/proc/\(process)/stat"]).output()
      guard let status, !status.contains(") Z "), !status.contains(") X ") else { return true }
    }
    return false
  }

  private func runOutput(_ command: Command, limit: Int? = nil) async throws {
    if let limit { _ = try await command.run(outputLimit: limit) } else { _ = try await command.output() }
  }
}
