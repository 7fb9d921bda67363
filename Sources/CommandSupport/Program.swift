import ArgumentParser
import Console
import FoundationEssentials
import Glibc
import Settings

/// What both programs do alike from their first to their last instruction.
public enum Program {
  /// Parses, runs, and turns every ending into the exit status that the documentation promises.
  ///
  /// - Parameters:
  ///   - root: The command of the program.
  ///   - completed: The same for the completion of shells.
  ///   - arguments: What was typed, without the program's name.
  ///   - problems: What an error means for the person who runs this program.
  public static func run(
    _ root: any ParsableCommand.Type, completed: any ParsableCommand.Type, _ arguments: [String],
    problems: @Sendable (any Error) -> [Problem]
  ) async -> Never {
    ignoreBrokenPipes()
    if let script = CompletionScript.asked(by: arguments, of: completed) {
      Terminal.write(script + "\n")
      exit(ExitStatus.done.rawValue)
    }
    do {
      var command = try root.parseAsRoot(commandFirst(arguments, of: root))
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      leave(root, because: error, problems)
    }
    exit(ExitStatus.done.rawValue)
  }

  private static func leave(
    _ root: any ParsableCommand.Type, because error: any Error, _ problems: @Sendable (any Error) -> [Problem]
  ) -> Never {
    switch error {
    case let status as ExitCode: exit(status.rawValue)
    case is CancellationError: exit(ExitStatus.interrupted.rawValue)
    case let error as ConfigurationError: fail(error.problems, .usage)
    default: break
    }
    let parserStatus = root.exitCode(for: error)
    let message = root.fullMessage(for: error)
    if parserStatus == .success {
      Terminal.write(message + "\n")
      exit(ExitStatus.done.rawValue)
    }
    if parserStatus == .validationFailure {
      Terminal.writeError(message + "\n")
      exit(ExitStatus.usage.rawValue)
    }
    fail(problems(error).map(\.description), .failed)
  }

  private static func fail(_ messages: [String], _ status: ExitStatus) -> Never {
    Terminal.writeError(messages.map { "error: \($0)\n" }.joined())
    exit(status.rawValue)
  }

  /// A reader that goes away (`| head`) must not kill the work. A handler rather than SIG_IGN: children then start
  /// with the default, as they expect.
  private static func ignoreBrokenPipes() {
    signal(SIGPIPE) { _ in }
  }
}

/// The exit statuses of the programs.
public enum ExitStatus: Int32, Sendable {
  /// All is well.
  case done = 0
  /// Something failed.
  case failed = 1
  /// Wrong usage or configuration.
  case usage = 2
  /// Ctrl-C or SIGTERM (128 + SIGINT).
  case interrupted = 130
}

extension ExitCode {
  /// The exit status as ArgumentParser throws it.
  public init(_ status: ExitStatus) { self.init(status.rawValue) }
}

/// Writes a result as JSON to standard output.
///
/// - Throws: `EncodingError`.
public func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  Terminal.write(json: String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
}

/// The environment of this process.
public func processEnvironment() -> [String: String] {
  var found: [String: String] = [:]
  var entry = environ
  while let text = entry.pointee {
    let line = String(cString: text)
    if let equals = line.firstIndex(of: "=") {
      found[String(line[..<equals])] = String(line[line.index(after: equals)...])
    }
    entry += 1
  }
  return found
}

/// Gives a variable of this process, and so of the programs that it starts, another value.
public func setProcessVariable(_ name: String, to value: String) { setenv(name, value, 1) }

/// Lets new files and folders be readable by everybody and writable by their owner alone, whatever the caller's mask is.
public func setOrdinaryFileMask() { umask(0o022) }

extension String {
  /// The text with spaces behind it until it is so many characters long.
  public func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
