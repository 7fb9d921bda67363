extension SettingSection {
  /// The text of `config/config.yml`: every setting with its default, and what it is for.
  public static func configurationFile() -> String {
    var text = String(decoding: PackageResources.config_head_txt, as: UTF8.self)
    let defaults = Configuration()
    for section in all {
      let heading = "# ---- \(section.title) "
      text += "\n" + heading + String(repeating: "-", count: 99 - heading.count) + "\n"
      var group: String?
      for setting in section.settings {
        text += "\n"
        if let name = setting.group, name != group { text += "\(name):\n" }
        group = setting.group
        let indent = group == nil ? "" : "  "
        for line in setting.comment(width: 97 - indent.count) { text += "\(indent)# \(line)\n" }
        text += indent + setting.name + ":" + setting.value(defaults).yaml(indent: "", isFlow: true)
      }
    }
    return text
  }

  /// The page `docs/reference/settings.md`.
  public static func reference() -> String {
    var text = String(decoding: PackageResources.reference_head_txt, as: UTF8.self)
    let defaults = Configuration()
    for section in all {
      text += "\n## \(section.title)\n"
      for setting in section.settings {
        text += "\n### `\(setting.key)`\n\n"
        text += markdown(setting.paragraphs(width: 118)) + "\n"
        text += setting.facts(defaults).map { "- \($0)\n" }.joined()
      }
    }
    return text
  }

  /// Lines of text, those that begin with spaces as a block of code.
  private static func markdown(_ lines: [String]) -> String {
    var text = ""
    var isCode = false
    for line in lines {
      if line.hasPrefix(" ") != isCode {
        isCode.toggle()
        text += isCode ? "\n```yaml\n" : "```\n\n"
      }
      text += (isCode ? String(line.dropFirst(2)) : line) + "\n"
    }
    return text + (isCode ? "```\n" : "")
  }
}

extension Setting {
  /// How the setting's flag is typed, with what stands for its value: `--retries <n>`.
  public var usage: String? {
    flag.map { flag in flag.name + (flag.placeholder.map { " <\($0.name)>" } ?? "") }
  }

  /// The environment variables as help shows them, `[RETRIES]`, or with the text that the flag stands for.
  public var environmentNote: String? {
    guard !environment.isEmpty else { return nil }
    if case .sets(_, let text, _) = flag { return "[\(environment[0])=\(text)]" }
    return "[\(environment.joined(separator: ", "))]"
  }

  fileprivate func comment(width: Int) -> [String] {
    let names = environment.isEmpty ? "" : " [\(environment.joined(separator: ", "))]"
    return paragraphs(width: width, ending: names)
  }

  /// The sentence and the detail in lines of at most so many characters, except for those that stand as they are.
  fileprivate func paragraphs(width: Int, ending: String = "") -> [String] {
    var lines: [String] = []
    var open = sentence
    func wrap() {
      var line = ""
      for word in open.split(separator: " ") {
        if !line.isEmpty, line.count + 1 + word.count > width {
          lines.append(line)
          line = ""
        }
        line += (line.isEmpty ? "" : " ") + word
      }
      if !line.isEmpty { lines.append(line) }
      open = ""
    }
    for line in detail.split(separator: "\n") {
      if line.hasPrefix(" ") {
        wrap()
        lines.append(String(line))
      } else {
        open += (open.isEmpty ? "" : " ") + line
      }
    }
    open += ending
    wrap()
    return lines
  }

  fileprivate func facts(_ defaults: Configuration) -> [String] {
    let shown = value(defaults).shown
    var facts = ["Default: \(shown.isEmpty ? "empty" : "`\(shown)`")", "Accepts: \(accepts)"]
    if !environment.isEmpty {
      facts.append("Environment: " + environment.map { "`\($0)`" }.joined(separator: ", "))
    }
    if let usage {
      let letter = flag?.letter.map { "`-\($0)`, " } ?? ""
      let meaning = flag?.fixedText.map { " (`\($0)`)" } ?? ""
      facts.append("Flag of \(scope.program): \(letter)`\(usage)`\(meaning)")
    }
    return facts + [scope.fact]
  }
}

extension SettingScope {
  fileprivate var fact: String {
    switch self {
    case .download: "Concerns this machine alone; it is not written into the bundle."
    case .bundle: "Written into the bundle."
    case .target: "Written into the bundle; target-setup may be given another value."
    }
  }

  /// The program whose command line has the flags of such settings.
  fileprivate var program: String {
    switch self {
    case .download, .bundle: "`download-all`"
    case .target: "`target-setup`"
    }
  }
}
