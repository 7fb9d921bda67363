import YAML

/// A text that `ansible-playbook -e` takes: words `NAME=VALUE`, a mapping in JSON or YAML in braces, or `@FILE`
/// (Ansible's documentation, "Defining variables at runtime"). It reaches Ansible as it is, which alone knows its value.
struct ExtraVariableText {
  /// The variables of words, as far as they can be shown; of anything else the text stands for itself.
  let shown: [String: String]

  /// `nil` for what Ansible refuses, or takes without setting a variable.
  init?(_ text: String) {
    let bare = String(text.drop { $0.isWhitespace })
    guard let first = bare.first else {
      shown = [:]
      return
    }
    switch text.first ?? first {
    case "@":
      guard text.count > 1, !hasControls(text) else { return nil }
      shown = [text: ""]
    case "{", "[":
      guard let document = try? YAML.parse(text, source: "-e"), document.mapping != nil else { return nil }
      // It may hold passwords.
      shown = ["{…}": ""]
    case "/", ".": return nil
    default:
      guard let words = Self.words(text) else { return nil }
      var shown: [String: String] = [:]
      for word in words {
        guard let equals = word.firstIndex(of: "="),
          let name = SettingFormat<String>.variable.parse(String(word[..<equals]))
        else { return nil }
        shown[name] = Self.unquoted(word[word.index(after: equals)...])
      }
      self.shown = shown
    }
  }

  /// The words, which blanks and ends of lines separate outside of quotes and templates; `nil` where one of these has no
  /// end.
  private static func words(_ text: String) -> [String]? {
    var words: [String.UnicodeScalarView] = [.init()]
    var quote: Unicode.Scalar?
    var depth = 0
    var last: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      if quote == nil, depth == 0, scalar == " " || scalar == "\n" {
        words.append(.init())
        last = " "
        continue
      }
      words[words.count - 1].append(scalar)
      if scalar == "\"" || scalar == "'", last != "\\" {
        if quote == scalar { quote = nil } else if quote == nil { quote = scalar }
      } else if quote == nil {
        if last == "{", scalar == "{" || scalar == "%" { depth += 1 }
        if scalar == "}", last == "}" || last == "%" { depth = max(0, depth - 1) }
      }
      last = scalar
    }
    guard quote == nil, depth == 0 else { return nil }
    return words.filter { !$0.isEmpty }.map { String($0) }
  }

  private static func unquoted(_ value: Substring) -> String {
    guard value.count > 1, let first = value.first, first == value.last, first == "\"" || first == "'" else {
      return String(value)
    }
    return String(value.dropFirst().dropLast())
  }
}

extension Setting {
  /// The extra variables of Ansible: a table in files; a flag adds a text as `ansible-playbook -e` takes it.
  static func extraVariables(
    _ key: String, flag: SettingFlag?, scope: SettingScope, _ sentence: String, _ detail: String
  ) -> Setting {
    let table = Setting.table(
      key, \.kubespray.extraVariables, keys: .variable, values: .any, flag: flag, scope: scope, sentence,
      detail)
    return Setting(
      key: key, environment: [], flag: flag, scope: scope, sentence: sentence, detail: detail,
      accepts: table.accepts, choices: []
    ) { text, configuration in
      guard let argument = ExtraVariableText(text) else { return false }
      if !argument.shown.isEmpty { configuration.kubespray.extraArguments.append(text) }
      return true
    } read: { name, fields, configuration in
      table.read(name, &fields, &configuration)
    } value: { configuration in
      var shown = configuration.kubespray.extraVariables
      for text in configuration.kubespray.extraArguments {
        shown.merge(ExtraVariableText(text)?.shown ?? [:]) { $1 }
      }
      return .table(shown)
    }
  }
}
