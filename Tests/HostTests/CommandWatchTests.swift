import Files
import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import Host

/// What becomes of commands whose program is gone: `abandon()` stands for its end.
@Suite(.timeLimit(.minutes(5))) struct CommandWatchTests {
  /// A command of the given watch, and what it has written when it said "up".
  private func start(
    _ script: String, _ watch: CommandWatch
  ) async -> Task<CommandResult, any Error> {
    let (lines, continuation) = AsyncStream<String>.makeStream()
    var command = Command("sh", ["-c", script])
    command.watch = watch
    let task = Task { [command] in try await command.run { continuation.yield($0) } }
    for await line in lines where line == "up" { break }
    return task
  }

  @Test func aCommandEndsWithItsProgram() async throws {
    let watch = CommandWatch()
    let task = await start("echo up; exec sleep 1000", watch)
    await watch.abandon()
    #expect(try await task.value.status == 128 + SIGTERM)
  }

  /// The output ends when nobody holds it any more: neither the program nor what left its session.
  @Test func soDoesWhatItHasStarted() async throws {
    let watch = CommandWatch()
    let task = await start("setsid sleep 1000 & (sleep 1000 &); echo up; wait", watch)
    await watch.abandon()
    #expect(try await task.value.status == 128 + SIGTERM)
  }

  /// When the command is cancelled its group is ended; the pipe ends only when nothing of it is left at all.
  @Test func aCancelledCommandLeavesNothingInOtherSessions() async throws {
    try await withTemporaryFolder { folder in
      let pipe = folder.appending("pipe").string
      _ = try await Command("mkfifo", [pipe]).output()
      let waiting = Task { try await Command("cat", [pipe]).output() }
      let task = await start(
        "exec 5>'\(pipe)'; setsid sleep 1000 >/dev/null 2>&1 & echo up; wait", CommandWatch())
      task.cancel()
      await #expect(throws: CommandError.self) { try await task.value }
      #expect(try await waiting.value.isEmpty)
    }
  }

  @Test func whoDoesNotListenIsKilled() async throws {
    let watch = CommandWatch()
    let task = await start("trap '' TERM; echo up; while :; do sleep 1000; done", watch)
    await watch.abandon()
    #expect(try await task.value.status == 128 + SIGKILL)
  }

  @Test func eachOfSeveralIsEndedAndNoOther() async throws {
    let (watch, other) = (CommandWatch(), CommandWatch())
    let tasks = [
      await start("echo up; exec sleep 1000", watch), await start("echo up; exec sleep 1000", watch),
    ]
    let stays = await start("echo up; exec sleep 1000", other)
    await watch.abandon()
    for task in tasks { #expect(try await task.value.status == 128 + SIGTERM) }
    stays.cancel()
    // It was there to be cancelled.
    await #expect(throws: CommandError.self) { try await stays.value }
  }

  /// Services without systemd are started like this.
  @Test func whatAnEndedCommandLeftRunningStays() async throws {
    try await withTemporaryFolder { folder in
      let pipe = folder.appending("pipe")
      let watch = CommandWatch()
      var command = Command(
        "sh",
        [
          "-c",
          "mkfifo \"$0\"; setsid sh -c 'read -r line <\"$0\"; echo \"$line\" >\"$0.answer\"; echo done >\"$0\"' \"$0\" >/dev/null 2>&1 &",
          pipe.string,
        ])
      command.watch = watch
      #expect(try await command.run().status == 0)
      let later = await start("echo up; exec sleep 1000", watch)
      await watch.abandon()
      #expect(try await later.value.status == 128 + SIGTERM)
      let asked = try await Command("sh", ["-c", "echo hello >\"$0\"; cat \"$0\"", pipe.string]).output()
      #expect(asked == "done\n")
      #expect(try readBytes(folder.appending("pipe.answer")) == Array("hello\n".utf8))
    }
  }

  @Test func anUnbrokenCommandIsNotEndedAndItsOutputIsKept() async throws {
    try await withTemporaryFolder { folder in
      let pipe = folder.appending("pipe").string
      _ = try await Command("mkfifo", [pipe]).output()
      let watch = CommandWatch()
      var command = Command(
        "sh",
        ["-c", "echo begun >\"$0\"; read -r line <\"$0\"; echo \"$line\"; echo warned >&2; exit 3", pipe]
      ).unbroken()
      command.watch = watch
      let lines = Mutex<[String]>([])
      let task = Task { [command] in try await command.run { line in lines.withLock { $0.append(line) } } }
      #expect(try await Command("cat", [pipe]).output() == "begun\n")
      await watch.abandon()
      _ = try await Command("sh", ["-c", "echo go >\"$0\"", pipe]).output()
      let expected = CommandResult(status: 3, standardOutput: "go\n", standardError: "warned\n")
      #expect(try await task.value == expected)
      #expect(lines.withLock { $0 } == ["go", "warned"])
    }
  }

  @Test func cancellingAnUnbrokenCommandWaitsForIt() async throws {
    try await withTemporaryFolder { folder in
      let pipe = folder.appending("pipe").string
      let mark = folder.appending("finished")
      _ = try await Command("mkfifo", [pipe]).output()
      let command = Command(
        "sh", ["-c", "echo begun >\"$0\"; read -r line <\"$0\"; echo \"$line\" >\"$1\"", pipe, mark.string]
      ).unbroken()
      let task = Task { try await command.run() }
      #expect(try await Command("cat", [pipe]).output() == "begun\n")
      task.cancel()
      _ = try await Command("sh", ["-c", "echo go >\"$0\"", pipe]).output()
      await #expect(throws: CommandError.self) { try await task.value }
      #expect(try readBytes(mark) == Array("go\n".utf8))
    }
  }

  @Test func tooMuchOutputOfAnUnbrokenCommandIsTold() async throws {
    let error = try await #require(throws: CommandError.self) {
      try await Command("sh", ["-c", "head -c 2000000 /dev/zero"]).unbroken().run(outputLimit: 1 << 20)
    }
    #expect(error.description.contains("wrote more than 1048576 bytes"))
  }
}
