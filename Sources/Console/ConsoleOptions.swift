/// How a run shows itself.
public struct ConsoleOptions: Sendable, Equatable {
  /// The ways to show progress.
  public enum Mode: String, Sendable {
    /// Live lines that are redrawn in place, on standard error.
    case terminal
    /// Lines with the time of day, on standard error.
    case plain
    /// One JSON object a line on standard output; only errors as text, on standard error.
    case json
    /// Errors and the final outcome only, on standard error.
    case quiet
  }

  /// The way chosen.
  public let mode: Mode
  /// Whether tables on standard output may use bold type.
  public let stylesOutput: Bool
  /// Whether messages of level debug are shown.
  public let showsDebug: Bool

  /// Sets each option as it is.
  public init(mode: Mode, stylesOutput: Bool = false, showsDebug: Bool = false) {
    self.mode = mode
    self.stylesOutput = stylesOutput
    self.showsDebug = showsDebug
  }

  /// Decides from what the user asked for and where the output goes.
  ///
  /// `json` wins over `quiet`. Live lines need a terminal that understands cursor movements and an environment
  /// that does not ask for plain text: `NO_COLOR` (no-color.org), `TERM=dumb`, `CI=true`.
  /// - Parameters:
  ///   - isTerminal: Whether standard error is a terminal.
  ///   - outputIsTerminal: Whether standard output is one.
  ///   - environment: The environment variables.
  ///   - quiet: `--quiet` was given.
  ///   - json: `--json` was given.
  ///   - noProgress: `--no-progress` was given.
  ///   - debug: Messages of level debug were asked for.
  public static func resolve(
    isTerminal: Bool, outputIsTerminal: Bool = false, environment: [String: String], quiet: Bool = false,
    json: Bool = false, noProgress: Bool = false, debug: Bool = false
  ) -> ConsoleOptions {
    let terminalType = environment["TERM"] ?? ""
    let wantsPlain =
      !(environment["NO_COLOR"] ?? "").isEmpty || terminalType.isEmpty || terminalType == "dumb"
      || ["true", "1"].contains(environment["CI"]?.lowercased())
    let mode: Mode =
      if json {
        .json
      } else if quiet {
        .quiet
      } else if isTerminal, !wantsPlain, !noProgress {
        .terminal
      } else {
        .plain
      }
    return ConsoleOptions(
      mode: mode, stylesOutput: outputIsTerminal && !wantsPlain && !json, showsDebug: debug)
  }
}
