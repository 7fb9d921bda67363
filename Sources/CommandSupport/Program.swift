import ArgumentParser
import FoundationEssentials
import Glibc
import Settings
import SystemPackage

/// What both programs do alike from their first to their last instruction.
public enum Program {
  /// Parses, runs, and turns every ending into the exit status that the documentation promises.
  ///
  /// - Parameters:
  ///   - root: The command of the program.
  ///   - arguments: What was typed, without the program's name.
  public static func run(_ root: any ParsableCommand.Type, _ arguments: [String]) async -> Never {
    ignoreBrokenPipes()
    do {
      var command = try root.parseAsRoot(commandFirst(arguments, of: root))
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      leave(root, because: error)
    }
    exit(ExitStatus.done.rawValue)
  }

  private static func leave(_ root: any ParsableCommand.Type, because error: any Error) -> Never {
    switch error {
    case let status as ExitCode: exit(status.rawValue)
    case is CancellationError: exit(ExitStatus.interrupted.rawValue)
    case let error as ConfigurationError: fail("\(error)", .usage)
    default: break
    }
    let parserStatus = root.exitCode(for: error)
    let message = root.fullMessage(for: error)
    if parserStatus == .success {
      print(message)
      exit(ExitStatus.done.rawValue)
    }
    if parserStatus == .validationFailure {
      fail(message, .usage, prefix: "")
    }
    fail("\(error)", .failed)
  }

  private static func fail(_ message: String, _ status: ExitStatus, prefix: String = "error: ") -> Never {
    let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
    let isList = lines.count > 1 && !prefix.isEmpty && status == .usage
    let text = isList ? lines.map { prefix + $0 }.joined(separator: "\n") : prefix + message
    printError(text + "\n")
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

/// Writes to standard error; there is nobody to tell when that fails.
public func printError(_ text: String) {
  _ = try? FileDescriptor.standardError.writeAll(text.utf8)
}

/// Writes a result as JSON to standard output.
///
/// - Throws: `EncodingError`.
public func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
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

extension String {
  /// The text with spaces behind it until it is so many characters long.
  public func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
