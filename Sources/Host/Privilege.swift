import Files

/// What this process may do on this machine.
public enum Privilege {
  /// Whether the effective user is root.
  public static var isRoot: Bool { effectiveUser == 0 }

  /// The words to put before a command that needs root: none when this process is root already.
  ///
  /// `-n` because commands have no terminal to ask a password on: sudo then fails with a message
  /// instead of waiting for ever.
  public static var rootPrefix: [String] { isRoot ? [] : ["sudo", "-n"] }
}
