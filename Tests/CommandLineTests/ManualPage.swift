import CommandSupport

/// A manual page (man(7)) of a program, made of its command line.
struct ManualPage {
  private let root: CommandDescription
  private let version: String

  init(_ root: CommandDescription, version: String) {
    self.root = root
    self.version = version
  }

  var text: String {
    let name = root.commandName
    let commands = root.subcommands?.filter { $0.commandName != "help" } ?? []
    var lines = [
      ".\\\" Generated from the program's command line: make docs",
      ".TH \(name.uppercased()) 1 \"\" \"kubespray-offline \(version)\"",
      ".SH NAME", "\(name) \\- \(Self.escaped(Self.uncapitalized(root.abstract ?? "")))",
      ".SH SYNOPSIS", ".nf",
    ]
    lines += commands.map { ".B \(Self.escaped(Self.synopsis($0, of: name)))" }
    lines += [".fi", ".SH DESCRIPTION"] + Self.preformatted(root.discussion) + [".SH COMMANDS"]
    for command in commands {
      lines += [".SS \(command.commandName)", Self.escaped(command.abstract ?? "")]
      if let discussion = command.discussion { lines += [".PP"] + Self.preformatted(discussion) }
      lines += Self.list((command.arguments ?? []).filter { $0.sectionTitle == nil && !Self.isCommon($0) })
    }
    for title in Self.sectionTitles(commands) {
      lines += [".SH \(title.uppercased())"] + Self.list(Self.arguments(of: title, commands))
    }
    lines += [".SH OTHER OPTIONS"] + Self.list((root.arguments ?? []).filter(Self.isCommon))
    return lines.joined(separator: "\n") + "\n"
  }

  static func synopsis(_ command: CommandDescription, of program: String) -> String {
    let words = (command.arguments ?? []).filter { $0.kind == .positional }.map { argument in
      let word = "\(argument.valueName ?? "")\(argument.isRepeating ? "..." : "")"
      return argument.isOptional ? "[\(word)]" : word
    }
    return ([program, command.commandName, "[options]"] + words).joined(separator: " ")
  }

  static func isCommon(_ argument: CommandDescription.Argument) -> Bool {
    ["help", "version"].contains(argument.valueName ?? "") && argument.kind == .flag
  }

  static func sectionTitles(_ commands: [CommandDescription]) -> [String] {
    var titles: [String] = []
    for title in commands.flatMap({ $0.arguments ?? [] }).compactMap(\.sectionTitle)
    where !titles.contains(title) {
      titles.append(title)
    }
    return titles
  }

  static func arguments(
    of title: String, _ commands: [CommandDescription]
  ) -> [CommandDescription.Argument] {
    var known: Set<String> = []
    return commands.flatMap { $0.arguments ?? [] }.filter { argument in
      argument.sectionTitle == title && known.insert(argument.names?.last?.text ?? "").inserted
    }
  }

  private static func list(_ arguments: [CommandDescription.Argument]) -> [String] {
    arguments.flatMap { argument in
      let names = (argument.names ?? []).map { "\\fB\(escaped($0.text))\\fR" }.joined(separator: ", ")
      let value = argument.kind == .flag ? "" : "\\fI\(escaped(argument.valueName ?? ""))\\fR"
      return [
        ".TP", [names, value].filter { !$0.isEmpty }.joined(separator: " "), escaped(argument.abstract ?? ""),
      ]
    }
  }

  private static func preformatted(_ text: String?) -> [String] {
    [".nf"] + (text ?? "").split(separator: "\n", omittingEmptySubsequences: false).map { escaped("\($0)") }
      + [".fi"]
  }

  /// A line that begins with a dot or a quote would be a request.
  private static func escaped(_ text: String) -> String {
    let plain = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&" + plain : plain
  }

  private static func uncapitalized(_ text: String) -> String {
    let sentence = text.hasSuffix(".") ? text.dropLast() : Substring(text)
    return sentence.prefix(1).lowercased() + sentence.dropFirst()
  }
}
