import Subprocess
import Synchronization
import SystemPackage

/// Ends the commands of this process when it is gone, also when it was killed and could do nothing any more.
///
/// A small shell beside this process (`watch-commands.sh`) is told of each command before it starts, and waits for the end of
/// a pipe that only this process holds. The signal that Linux sends for the death of a parent would not do: it reaches the
/// program itself and nothing that this has started, and Ansible's workers even leave its session.
final class CommandWatch: Sendable {
  /// The watch over the commands of this process.
  static let shared = CommandWatch()
  /// The variable by which the watch knows the processes of a command.
  static let variable = "KUBESPRAY_OFFLINE_COMMAND"

  private struct State {
    var starting: Task<Void, Never>?
    /// Done when the shell has ended.
    var shell: Task<Void, Never>?
    /// The end of the pipe that this process keeps until it ends; `nil` as long as nobody reads.
    var pipe: FileDescriptor?
    var count = 0
  }

  private let state = Mutex(State())
  private let identity = String(UInt64.random(in: .min ... .max), radix: 36)

  /// Tells the watch that a command will start, and returns its mark: the value of ``variable`` in its environment.
  func begin() async -> String {
    let (number, starting) = state.withLock { state in
      state.count += 1
      let starting = state.starting ?? Task { await self.start() }
      state.starting = starting
      return (state.count, starting)
    }
    await starting.value
    // The last sign keeps one mark from being the beginning of another.
    let mark = "\(identity).\(number)."
    tell("+ \(mark)")
    return mark
  }

  /// Tells the watch that a command has ended.
  ///
  /// - Parameter isOver: Whether it was ended, so that nothing of it may be left. What it has left running by itself, such as a
  ///   service, stays otherwise.
  func end(_ mark: String, isOver: Bool) { tell("\(isOver ? "x" : "-") \(mark)") }

  /// Ends as when this process ends, and waits for what the watch does then.
  func abandon() async {
    let shell = state.withLock { state in
      try? state.pipe?.close()
      state.pipe = nil
      return state.shell
    }
    await shell?.value
  }

  private func tell(_ line: String) {
    // Under the lock, so that nothing is written to a pipe that was closed. A line this short goes as a whole.
    state.withLock { state in _ = try? state.pipe?.writeAll("\(line)\n".utf8) }
  }

  private func start() async {
    guard let program = findExecutable("sh"), let pipe = try? FileDescriptor.pipe(options: .closeOnExec)
    else { return }
    let (starting, started) = AsyncStream<Never>.makeStream()
    let shell = Task {
      _ = try? await Subprocess.run(
        Self.configuration(program), input: .fileDescriptor(pipe.readEnd, closeAfterSpawningProcess: false),
        output: .discarded, error: .discarded
      ) { _ in started.finish() }
      // Open until now: to write to a pipe that nobody can read would end this process.
      self.state.withLock { state in
        try? state.pipe?.close()
        state.pipe = nil
        try? pipe.readEnd.close()
      }
      started.finish()
    }
    state.withLock { state in
      state.pipe = pipe.writeEnd
      state.shell = shell
    }
    for await _ in starting {}
  }

  private static func configuration(_ shell: FilePath) -> Configuration {
    var options = PlatformOptions()
    // Ctrl-C on the terminal, and a kill of the process group, are not for the watch.
    options.createSession = true
    let script = String(decoding: PackageResources.watch_commands_sh, as: UTF8.self)
    // The folder of this process may be on a disk that is taken out.
    return Configuration(
      executable: .path(shell), arguments: ["-c", script, "sh", variable, "5"], environment: .inherit,
      workingDirectory: "/", platformOptions: options)
  }
}
