/// Where a value came from.
public enum ConfigurationOrigin: Hashable, Sendable, CustomStringConvertible, Encodable {
  /// The program itself.
  case `default`
  /// A line of a configuration file.
  case file(String, line: Int)
  /// An environment variable.
  case environment(String)
  /// A flag of the command line.
  case flag(String)

  /// `default`, `config/config.yml:12`, `environment KUBESPRAY_VERSION` or `--kubespray-version`.
  public var description: String {
    switch self {
    case .default: "default"
    case .file(let path, let line): "\(path):\(line)"
    case .environment(let name): "environment \(name)"
    case .flag(let name): name
    }
  }

  /// Encodes the description.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// One line of `download-all config`.
public struct ConfigurationEntry: Sendable, Encodable {
  /// The key path in config.yml.
  public let key: String
  /// The value, with passwords replaced by `***`; lists and tables are joined by commas.
  public let value: String
  /// Where the value came from.
  public let origin: ConfigurationOrigin
  /// What the setting is for.
  public let summary: String
}

/// What is wrong with the configuration: all of it, so that one look is enough to mend it.
public struct ConfigurationError: Error, CustomStringConvertible {
  /// Finished sentences, each with the file, variable or flag it is about.
  public let problems: [String]

  /// An error of finished sentences.
  public init(problems: [String]) {
    self.problems = problems
  }

  /// The problems, one a line.
  public var description: String { problems.joined(separator: "\n") }
}
