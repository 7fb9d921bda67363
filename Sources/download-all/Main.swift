import ArgumentParser
import Bundle
import DownloadAll
import Glibc
import SystemPackage

/// The entry point: parses, runs, and turns every ending into the exit status that design and README promise.
@main
enum Main {
  static func main() async {
    ignoreBrokenPipes()
    do {
      var command = try DownloadAllCommand.parseAsRoot(commandFirst(Array(CommandLine.arguments.dropFirst())))
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      leave(because: error)
    }
  }

  private static func leave(because error: any Error) -> Never {
    switch error {
    case let status as ExitCode: exit(status.rawValue)
    case is CancellationError: exit(ExitStatus.interrupted.rawValue)
    case let error as ConfigurationError: fail("\(error)", .usage)
    default: break
    }
    let parserStatus = DownloadAllCommand.exitCode(for: error)
    let message = DownloadAllCommand.fullMessage(for: error)
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

  /// A reader that goes away (`| head`) must not kill downloads. A handler rather than SIG_IGN: children then start
  /// with the default, as they expect.
  private static func ignoreBrokenPipes() {
    signal(SIGPIPE) { _ in }
  }
}

/// The exit statuses of the program.
enum ExitStatus: Int32 {
  case done = 0
  case failed = 1
  case usage = 2
  case interrupted = 130
}

extension ExitCode {
  init(_ status: ExitStatus) { self.init(status.rawValue) }
}

/// Writes to standard error; there is nobody to tell when that fails.
func printError(_ text: String) {
  _ = try? FileDescriptor.standardError.writeAll(text.utf8)
}
