import Glibc

/// Text on its way out of the process that no ``Console`` draws: help, a question, the error with which a program ends.
///
/// Together with ``Console`` it is the only way to standard output and standard error. No text that comes through can
/// move the cursor, change colours or the direction of writing; see `DisplayText`.
public enum Terminal {
  /// Whether somebody can answer on standard input.
  public static var isInput: Bool { isatty(STDIN_FILENO) == 1 }
  /// Whether standard output is a terminal.
  public static var isOutput: Bool { isatty(STDOUT_FILENO) == 1 }
  /// Whether standard error is a terminal.
  public static var isError: Bool { isatty(STDERR_FILENO) == 1 }

  /// Writes to standard output.
  public static func write(_ text: String) {
    writeAll(DisplayText.clean(text, keepingLines: true, keepingTabs: true), to: STDOUT_FILENO)
  }

  /// Writes to standard error.
  public static func writeError(_ text: String) {
    writeAll(DisplayText.clean(text, keepingLines: true, keepingTabs: true), to: STDERR_FILENO)
  }

  /// Writes JSON to standard output; what could do something to a terminal is escaped, so that the value stays.
  public static func write(json text: String) {
    writeAll(DisplayText.escapingJSON(text), to: STDOUT_FILENO)
  }
}
