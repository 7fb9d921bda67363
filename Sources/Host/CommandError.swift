import SystemPackage

/// Why a command gave no usable result.
///
/// `command` is always the command line as one would type it in a shell, without credentials.
public enum CommandError: Error, CustomStringConvertible {
  /// No executable file of that name is in the `PATH` that the command would get.
  case executableNotFound(name: String, command: String)
  /// The system refused to start it.
  case startFailed(command: String, reason: String)
  /// It wrote more than the limit, in bytes, to one of its outputs; it was ended.
  case outputTooLarge(command: String, limit: Int)
  /// It ended with another status than 0.
  case failed(command: String, result: CommandResult)
  /// The task that ran it was cancelled; the command and what it had started were ended.
  case cancelled(command: String)

  /// A sentence for people, and for ``failed(command:result:)`` the last lines of what the command said.
  public var description: String {
    switch self {
    case .executableNotFound(let name, let command):
      return "cannot run \(command): \(name) is not installed or not in PATH"
    case .startFailed(let command, let reason):
      return "cannot start \(command): \(reason)"
    case .outputTooLarge(let command, let limit):
      return "\(command) wrote more than \(limit) bytes and was stopped"
    case .cancelled(let command):
      return "\(command) was interrupted"
    case .failed(let command, let result):
      return Self.describeFailure(command, result)
    }
  }

  private static func describeFailure(_ command: String, _ result: CommandResult) -> String {
    let outcome =
      result.status > 128
      ? "was ended by signal \(result.status - 128)" : "failed with exit status \(result.status)"
    let said = result.standardError.allSatisfy(\.isWhitespace) ? result.standardOutput : result.standardError
    let lines = said.split(whereSeparator: \.isNewline).suffix(8)
    guard !lines.isEmpty else { return "\(command) \(outcome) and said nothing" }
    return "\(command) \(outcome):\n" + hidingCredentials(lines.map { "  \($0)" }.joined(separator: "\n"))
  }
}
