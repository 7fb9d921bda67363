import CommandSupport
import Settings

/// The page `docs/reference/commands.md`: all commands and options of both programs, their exit status, and the variables
/// of the environment that they read. Made of the command lines and of the table of settings, as the manual pages are.
struct CommandReference {
  private let programs: [CommandDescription]
  private let version: String

  init(_ programs: [CommandDescription], version: String) {
    self.programs = programs
    self.version = version
  }

  var text: String {
    var lines = [
      "# Commands", "", "<!-- Generated from the programs' command lines: make docs -->", "",
      "All commands and options of both programs, version \(version). The same as manual pages: `docs/man`. What the settings",
      "mean and accept is in [Settings](settings.md), what `--json` prints in [JSON output](json.md).", "",
    ]
    for program in programs {
      let name = program.commandName
      lines.append("- [`\(name)`](#\(name)): \(program.abstract ?? "")")
      for command in Self.commands(of: program) {
        lines.append(
          "  - [`\(command.commandName)`](#\(name)-\(command.commandName)): \(command.abstract ?? "")")
      }
    }
    lines += ["- [Exit status](#exit-status)", "- [Environment](#environment)"]
    for program in programs { lines += section(of: program) }
    lines += Self.exitStatus + environment
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: Commands

  private func section(of program: CommandDescription) -> [String] {
    let name = program.commandName
    let commands = Self.commands(of: program)
    var lines = ["", "## \(name)", "", program.abstract ?? ""] + Self.block(program.discussion)
    for command in commands {
      lines += ["", "### \(name) \(command.commandName)", "", command.abstract ?? "", "", "```"]
      lines += [ManualPage.synopsis(command, of: name), "```"]
      // What wraps with a hanging indent keeps it in a block alone.
      lines += Self.block(command.discussion)
      lines += Self.table(Self.ownArguments(of: command))
      let titles = Self.titles(of: [command])
      if !titles.isEmpty {
        let links = titles.map { "[\($0.lowercased())](#\($0.lowercased())-of-\(name))" }
        lines += ["", "It also takes: \(links.joined(separator: ", "))."]
      }
    }
    for title in Self.titles(of: commands) {
      lines += ["", "### \(title) of \(name)"]
      if title == "Settings" {
        lines += [
          "",
          "Each is a setting too: in `config.yml`, or as a variable of the environment, which stands in brackets.",
        ]
      }
      lines += Self.table(Self.arguments(of: title, commands))
    }
    lines += ["", "### Other options of \(name)"]
    return lines + Self.table((program.arguments ?? []).filter(ManualPage.isCommon))
  }

  private static func commands(of program: CommandDescription) -> [CommandDescription] {
    (program.subcommands ?? []).filter { $0.commandName != "help" }
  }

  private static func ownArguments(of command: CommandDescription) -> [CommandDescription.Argument] {
    (command.arguments ?? []).filter { $0.sectionTitle == nil && !ManualPage.isCommon($0) }
  }

  private static func titles(of commands: [CommandDescription]) -> [String] {
    ManualPage.sectionTitles(commands)
  }

  private static func arguments(
    of title: String, _ commands: [CommandDescription]
  ) -> [CommandDescription.Argument] {
    ManualPage.arguments(of: title, commands)
  }

  /// A text as it stands, since its columns and examples do.
  private static func block(_ text: String?) -> [String] {
    guard let text, !text.isEmpty else { return [] }
    return ["", "```text"] + text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      + ["```"]
  }

  private static func table(_ arguments: [CommandDescription.Argument]) -> [String] {
    guard !arguments.isEmpty else { return [] }
    return ["", "| argument | what it does |", "|---|---|"]
      + arguments.map { argument in
        let value = argument.valueName ?? ""
        let names = (argument.names ?? []).map(\.text).joined(separator: ", ")
        let usage =
          switch argument.kind {
          case .positional: argument.isRepeating ? "\(value)..." : value
          case .option: "\(names) <\(value)>"
          case .flag: names
          }
        return "| `\(usage)` | \(cell(argument.abstract ?? "")) |"
      }
  }

  /// A text as a cell of a table takes it.
  private static func cell(_ text: String) -> String {
    text.replacing("|", with: "\\|").replacing("<", with: "\\<").replacing("*", with: "\\*")
      .split(separator: "\n").joined(separator: " ")
  }

  // MARK: Exit status and environment

  private static let exitStatus = [
    "", "## Exit status", "",
    "That of both programs and of all commands; where a command says more, it stands with it.",
    "", "| status | meaning |", "|---|---|",
    "| 0 | done |",
    "| 1 | something failed, is missing or differs; each thing is named, with what to do |",
    "| 2 | wrong usage or configuration |",
    "| 130 | interrupted, by Ctrl-C or SIGTERM; the same command goes on |",
  ]

  private var environment: [String] {
    var lines = [
      "", "## Environment", "",
      "Each setting can be a variable; an empty one counts as not set, and a flag wins over it.", "",
      "| variable | setting | programs |", "|---|---|---|",
    ]
    for setting in Configuration.settings where !setting.environment.isEmpty {
      let names = setting.environment.map { "`\($0)`" }.joined(separator: ", ")
      let anchor = setting.key.filter { $0.isLetter || $0.isNumber || $0 == "_" }
      let programs: String =
        switch setting.scope {
        case .download: "download-all"
        case .bundle: "download-all; written into the bundle"
        case .target: "both: the bundle proposes it, and the admin host may say otherwise"
        }
      lines.append("| \(names) | [`\(setting.key)`](settings.md#\(anchor)) | \(programs) |")
    }
    lines += ["", "Others that the programs read:", "", "| variable | what it is for |", "|---|---|"]
    return lines
      + Self.otherVariables.map { "| \($0.names.map { "`\($0)`" }.joined(separator: ", ")) | \($0.use) |" }
  }

  /// What is read beside the settings. A test compares it with the sources.
  static let otherVariables: [(names: [String], use: String)] = [
    (["NO_COLOR", "CI", "TERM"], "no live lines and no bold type with `NO_COLOR`, `CI=true` or `TERM=dumb`"),
    (["CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"], "the authorities by which servers are checked"),
    (
      ["REGISTRY_USER_HOST", "REGISTRY_PASSWORD_HOST"],
      "a login for the registry `HOST`, with `_` for dots and dashes: `REGISTRY_USER_DOCKER_IO`"
    ),
    (
      ["REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "HOME"],
      "where podman, skopeo and docker keep logins"
    ),
    (["PATH"], "where programs are looked for"),
    (["USER"], "`key`: the name of a new key"),
    (["BASE_URL"], "`upload`: the address of the store"),
    (["TOKEN", "USERNAME"], "`upload`: the login; `TOKEN` alone is an access token"),
    (["CONTAINERS_REGISTRIES_CONF"], "`registry-client`: podman's file of registries"),
    (["VIRTUAL_ENV"], "whose settings of pip count beside those of the host"),
    (["TMPDIR"], "where temporary files lie"),
    (["COLUMNS", "LINES"], "the size of the terminal, where the terminal does not tell"),
    (["PYENV_DIR"], "set by pyenv; its shims are then not taken for programs"),
    (
      ["KUBESPRAY_OFFLINE_HOME"],
      "set by the launcher of a release: where its lists, scripts and settings are"
    ),
    (["KUBESPRAY_OFFLINE_BUNDLE"], "set by the launcher of a bundle: its folder"),
  ]
}
