import Files
import Subprocess
import SystemPackage

/// How a command ended and what it wrote.
public struct CommandResult: Sendable, Equatable {
  /// The exit status; 128 plus the number of the signal when one ended it, as a shell counts.
  public let status: Int32
  /// What it wrote to standard output; bytes that are not UTF-8 are replaced.
  public let standardOutput: String
  /// What it wrote to standard error; bytes that are not UTF-8 are replaced.
  public let standardError: String

  /// Makes a result, for instance in a test.
  public init(status: Int32, standardOutput: String = "", standardError: String = "") {
    self.status = status
    self.standardOutput = standardOutput
    self.standardError = standardError
  }
}

/// A program to run with its arguments; no shell stands between.
///
/// It gets the input given and a session of its own: it cannot ask on the terminal, and Ctrl-C reaches it only by
/// cancelling the task that runs it. Then its whole process group gets SIGTERM and, when the program still
/// runs after five seconds, SIGKILL; what it has started is killed with it. When this process ends while the command
/// runs, by SIGKILL too, so does the command with all that it has started. See ``unbroken()`` for what must not be ended half
/// way.
public struct Command: Sendable, CustomStringConvertible {
  /// The program: a bare name is looked up in the `PATH` that the command gets, a relative path starts at
  /// the folder of this process.
  public let executable: String
  /// The arguments after the program's name.
  public let arguments: [String]
  /// Changes to the environment of this process; nil removes a variable.
  public let environment: [String: String?]
  /// What it reads from its standard input.
  public let input: String
  /// Where it runs; nil is the folder of this process.
  public let workingDirectory: FilePath?
  /// The time between SIGTERM and SIGKILL.
  var terminationGrace: Duration = .seconds(5)
  /// Whether nothing ends it half way.
  public private(set) var isUnbroken = false
  /// Whether it can ask on the terminal of this process.
  public private(set) var isAsking = false
  /// Who ends it when this process is gone.
  var watch = CommandWatch.shared

  /// Describes a command; nothing is run or looked up yet.
  public init(
    _ executable: String, _ arguments: [String] = [], environment: [String: String?] = [:],
    input: String = "", workingDirectory: FilePath? = nil
  ) {
    self.executable = executable
    self.input = input
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
  }

  /// The command line as one would type it in a shell, without the credentials of URLs.
  public var description: String { shellCommandLine([executable] + arguments) }

  /// The same command with the rights of root: itself when this process is root, else by sudo.
  ///
  /// Changes to the environment go through `env`, because sudo clears what it inherits.
  public func asRoot() -> Command {
    guard let sudo = Privilege.rootPrefix.first else { return self }
    var words = Array(Privilege.rootPrefix.dropFirst())
    if !environment.isEmpty {
      let changes = environment.sorted { $0.key < $1.key }
      words.append("env")
      words += changes.filter { $0.value == nil }.flatMap { ["-u", $0.key] }
      words += changes.compactMap { name, value in value.map { "\(name)=\($0)" } }
    }
    let command = Command(
      sudo, words + [executable] + arguments, environment: environment, input: input,
      workingDirectory: workingDirectory)
    return isUnbroken ? command.unbroken() : command
  }

  /// The same command, but it always runs to its own end: neither cancelling the task nor the end of this process, however
  /// it ends, sends it a signal or breaks its outputs. For package managers, which must not stop between two files.
  ///
  /// Lines of its output come when it has ended.
  public func unbroken() -> Command {
    var command = self
    command.isUnbroken = true
    return command
  }

  /// The same command, but it stays in the session of this process and can ask on its terminal, as `ssh-keygen` asks for a
  /// passphrase. Ctrl-C reaches it there, too.
  public func asking() -> Command {
    var command = self
    command.isAsking = true
    return command
  }

  /// Runs the command and waits for its end. An exit status other than 0 is a result, not an error.
  ///
  /// - Parameters:
  ///   - outputLimit: The most bytes kept of each output; a command that writes more is ended.
  ///   - onLine: Called for each line of both outputs as it comes, from any thread; order is kept within
  ///     one output. Lines are raw: pass them through ``hidingCredentials(_:)`` before showing them.
  /// - Throws: ``CommandError``, but never ``CommandError/failed(command:result:)``.
  public func run(
    outputLimit: Int = 64 << 20, onLine: (@Sendable (String) -> Void)? = nil
  ) async throws(CommandError) -> CommandResult {
    guard !Task.isCancelled else { throw .cancelled(command: description) }
    let mark = isUnbroken ? nil : await watch.begin()
    var isOver = true
    // By then its process group has been killed; what has left the group has not.
    defer { if let mark { watch.end(mark, isOver: isOver) } }
    let outcome = await result(try configuration(mark), outputLimit: outputLimit, onLine: onLine)
    let (status, outputs): (TerminationStatus, CapturedOutputs)
    do {
      (status, outputs) = try outcome.get()
    } catch {
      throw commandError(error, outputLimit: outputLimit)
    }
    guard !Task.isCancelled else { throw .cancelled(command: description) }
    isOver = false
    return CommandResult(
      status: status.shellStatus, standardOutput: String(decoding: outputs.output, as: UTF8.self),
      standardError: String(decoding: outputs.error, as: UTF8.self))
  }

  private func result(
    _ configuration: Configuration, outputLimit: Int, onLine: (@Sendable (String) -> Void)?
  ) async -> Result<(TerminationStatus, CapturedOutputs), any Error> {
    do {
      guard !isUnbroken else {
        let result = try await runUnbroken(configuration, input: input, limit: outputLimit)
        if let onLine { result.1.lines(onLine) }
        return .success(result)
      }
      let execution = try await Subprocess.run(
        configuration, input: .string(input), output: .sequence, error: .sequence
      ) { execution in
        do {
          return try await capture(
            execution.standardOutput, execution.standardError, limit: outputLimit, onLine: onLine)
        } catch {
          // The program is still unreaped here, so its process group cannot have become anyone else's.
          await execution.teardown(using: configuration.platformOptions.teardownSequence)
          try? execution.send(signal: .kill, toProcessGroup: !isAsking)
          throw error
        }
      }
      return .success((execution.terminationStatus, execution.closureResult))
    } catch {
      return .failure(error)
    }
  }

  /// Runs the command and returns what it wrote to standard output.
  ///
  /// - Throws: ``CommandError``, also when the exit status is not 0.
  public func output() async throws(CommandError) -> String {
    let result = try await run()
    guard result.status == 0 else { throw .failed(command: description, result: result) }
    return result.standardOutput
  }

  private func configuration(_ mark: String?) throws(CommandError) -> Configuration {
    let searchPath = environment["PATH"] ?? nil
    guard let file = findExecutable(executable, path: searchPath) else {
      throw .executableNotFound(name: executable, command: description)
    }
    guard !(arguments + environment.map { $0.value ?? "" }).contains(where: { $0.utf8.contains(0) }) else {
      throw .startFailed(command: description, reason: "an argument or variable contains a NUL byte")
    }
    var options = PlatformOptions()
    options.createSession = !isAsking
    options.teardownSequence = [
      .send(signal: .terminate, toProcessGroup: !isAsking, allowedDurationToNextStep: terminationGrace)
    ]
    var updates: [Environment.Key: String?] = [:]
    for (name, value) in environment {
      guard let key = Environment.Key(rawValue: name) else { continue }
      updates.updateValue(value, forKey: key)
    }
    if let key = Environment.Key(rawValue: CommandWatch.variable) { updates.updateValue(mark, forKey: key) }
    // A program such as busybox or a Python venv looks at the name it was called by.
    return Configuration(
      executable: .path(absolute(file)),
      arguments: Arguments(executablePathOverride: executable, remainingValues: arguments),
      environment: .inherit.updating(updates), workingDirectory: workingDirectory, platformOptions: options)
  }

  private func absolute(_ path: FilePath) -> FilePath {
    (try? currentFolder())?.pushing(path) ?? path
  }

  private func commandError(_ error: any Error, outputLimit: Int) -> CommandError {
    if error is OutputLimitReached { return .outputTooLarge(command: description, limit: outputLimit) }
    if error is CancellationError || Task.isCancelled { return .cancelled(command: description) }
    if let error = error as? SubprocessError, error.code == .failedToChangeWorkingDirectory {
      return .startFailed(
        command: description, reason: "its folder \(workingDirectory?.string ?? ".") cannot be entered")
    }
    return .startFailed(command: description, reason: hidingCredentials("\(error)"))
  }
}

extension TerminationStatus {
  /// The status as a shell shows it in `$?`.
  fileprivate var shellStatus: Int32 {
    switch self {
    case .exited(let code): code
    case .signaled(let signal): 128 + signal
    }
  }
}
