import ArgumentParser
import FoundationEssentials

/// A command with its options and subcommands, as ArgumentParser describes it (`--experimental-dump-help`).
public struct CommandDescription: Decodable, Sendable {
  /// An option, flag or positional argument.
  public struct Argument: Decodable, Sendable {
    /// What it is.
    public enum Kind: String, Decodable, Sendable {
      /// It has no name.
      case positional
      /// It has a name and a value.
      case option
      /// It has a name alone.
      case flag
    }

    /// One way to write it.
    public struct Name: Decodable, Sendable {
      let kind: String
      let name: String

      /// The name with its dashes.
      public var text: String { (kind == "long" ? "--" : "-") + name }
    }

    /// What it is.
    public let kind: Kind
    /// The heading below which help lists it; `nil` for the last one.
    public let sectionTitle: String?
    /// The ways to write it.
    public let names: [Name]?
    /// What stands for its value.
    public let valueName: String?
    /// What it is for.
    public let abstract: String?
    /// Whether it may be given several times.
    public let isRepeating: Bool
    /// Whether it may be left out.
    public let isOptional: Bool
  }

  /// The name that is typed.
  public let commandName: String
  /// What it is for, in one sentence.
  public let abstract: String?
  /// More about it.
  public let discussion: String?
  /// Its options, flags and positional arguments.
  public let arguments: [Argument]?
  /// The commands below it.
  public let subcommands: [CommandDescription]?

  /// Describes a program.
  ///
  /// - Throws: `DecodingError`, if ArgumentParser describes commands in another way than this type knows.
  public init(_ root: any ParsableCommand.Type) throws {
    struct Dump: Decodable { let command: CommandDescription }
    self = try JSONDecoder().decode(Dump.self, from: Data(root._dumpHelp().utf8)).command
  }

  /// The names of all flags, of this command and of those below it.
  public var flagNames: Set<String> {
    let own = (arguments ?? []).filter { $0.kind == .flag }.flatMap { $0.names ?? [] }.map(\.text)
    return Set(own).union((subcommands ?? []).flatMap(\.flagNames))
  }
}
