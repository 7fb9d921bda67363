/// How a setting is given on the command line.
public enum SettingFlag: Sendable {
  /// An option with a value, written as in the environment.
  case value(String, short: Character? = nil, SettingPlaceholder)
  /// An option that may be repeated, with a sentence of its own; each one adds `NAME=VALUE` to a table.
  case entries(String, short: Character? = nil, String)
  /// A flag without a value that stands for one text, with a sentence of its own.
  case sets(String, to: String, String)
  /// A flag without a value that switches the setting on.
  case on(String)

  /// The name as it is typed, such as `--parallel`.
  public var name: String {
    switch self {
    case .value(let name, _, _), .entries(let name, _, _), .sets(let name, _, _), .on(let name): name
    }
  }

  /// The letter that may be typed instead, as in `-i`.
  public var letter: Character? {
    switch self {
    case .value(_, let letter, _), .entries(_, let letter, _): letter
    case .sets, .on: nil
    }
  }

  /// The text that a flag without a value stands for.
  public var fixedText: String? {
    switch self {
    case .value, .entries: nil
    case .sets(_, let text, _): text
    case .on: "true"
    }
  }

  /// What the flag does, where that is not what the setting is for.
  public var sentence: String? {
    switch self {
    case .sets(_, _, let sentence), .entries(_, _, let sentence): sentence
    case .value, .on: nil
    }
  }

  /// What stands for the value in help.
  public var placeholder: SettingPlaceholder? {
    switch self {
    case .value(_, _, let placeholder): placeholder
    case .entries: "name=value"
    case .sets, .on: nil
    }
  }
}

/// What stands for the value of a flag in help, and how a shell completes it.
public struct SettingPlaceholder: Sendable, ExpressibleByStringLiteral {
  /// What a shell offers.
  public enum Completion: Sendable {
    /// Nothing but what the setting accepts, where that is a list.
    case choices
    /// Names of files.
    case file
    /// Names of folders.
    case folder
  }

  /// The word, without its angle brackets.
  public let name: String
  /// What a shell offers.
  public let completion: Completion

  static let folder = Self(name: "dir", completion: .folder)
  static let file = Self(name: "file", completion: .file)
  static let path = Self(name: "path", completion: .file)

  private init(name: String, completion: Completion) {
    self.name = name
    self.completion = completion
  }

  /// A word for something that is neither a file nor a folder.
  public init(stringLiteral name: String) { self.init(name: name, completion: .choices) }
}

/// Whom a setting concerns.
public enum SettingScope: Sendable {
  /// The machine that downloads; it is not written into the bundle.
  case download
  /// The bundle: a fact about it that the target cannot change.
  case bundle
  /// The admin host: the bundle proposes a value, and target-setup may be given another.
  case target
}
