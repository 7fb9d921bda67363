import Bundle
import YAML

/// One setting: how it is called, what it is for, what it accepts, and how it gets into a ``Configuration`` and out
/// again.
///
/// The options of both programs, `config/config.yml`, the reference page, the manual pages and the completion of shells
/// are made of it.
public struct Setting: Sendable {
  /// The key path in config.yml, such as `registry.port`.
  public let key: String
  /// The environment variables; the first that is set and not empty counts.
  public let environment: [String]
  /// How it is given on the command line, if it can be.
  public let flag: SettingFlag?
  /// Whom it concerns.
  public let scope: SettingScope
  /// What it is for: one sentence.
  public let sentence: String
  /// More about it for config.yml and the reference: lines that begin with spaces stand as they are.
  public let detail: String
  /// What it accepts, to complete "must be".
  public let accepts: String
  /// The texts that it accepts, where these are few.
  public let choices: [String]
  /// Sets the value from a text, or adds it to a table; false when it is not accepted.
  let assign: @Sendable (String, inout Configuration) -> Bool
  /// Sets the value from a field of a file, reporting what is wrong to the fields; true when it was set.
  let read: @Sendable (String, inout YAMLFields, inout Configuration) -> Bool
  /// The value as canonical text.
  let value: @Sendable (Configuration) -> Value

  /// A value in the form in which it is written.
  enum Value: Hashable, Sendable {
    case scalar(String)
    /// A number or truth value.
    case literal(String)
    case list([String])
    case table([String: String])
  }

  /// The sentence without its full stop, for tables.
  public var summary: String { sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence }

  /// The last part of the key.
  var name: String { String(key[(key.lastIndex(of: ".").map(key.index(after:)) ?? key.startIndex)...]) }

  /// The part of the key before the dot, if it has one.
  var group: String? { key.firstIndex(of: ".").map { String(key[..<$0]) } }
}

extension Setting {
  /// A setting with a single value.
  static func scalar<Value>(
    _ key: String, _ path: any WritableKeyPath<Configuration, Value> & Sendable,
    _ format: SettingFormat<Value>, environment: [String] = [], flag: SettingFlag?,
    scope: SettingScope = .bundle, _ sentence: String, _ detail: String = ""
  ) -> Setting {
    Setting(
      key: key, environment: environment, flag: flag, scope: scope, sentence: sentence, detail: detail,
      accepts: format.accepts, choices: format.choices
    ) { text, configuration in
      guard let value = format.parse(text) else { return false }
      configuration[keyPath: path] = value
      return true
    } read: { name, fields, configuration in
      guard let node = fields.scalar(name, expected: format.accepts), let text = node.string else {
        return false
      }
      guard let value = format.parse(text) else {
        fields.report(name, at: node, expected: format.accepts, shown: maskingSecrets(in: text))
        return false
      }
      configuration[keyPath: path] = value
      return true
    } value: {
      let text = format.text($0[keyPath: path])
      return format.isLiteral ? .literal(text) : .scalar(text)
    }
  }

  /// A setting that is a list; in the environment and in a flag its items are separated by spaces or commas.
  static func list(
    _ key: String, _ path: any WritableKeyPath<Configuration, [String]> & Sendable,
    _ format: SettingFormat<String>, environment: [String] = [], flag: SettingFlag?,
    scope: SettingScope = .bundle, _ sentence: String, _ detail: String = ""
  ) -> Setting {
    Setting(
      key: key, environment: environment, flag: flag, scope: scope, sentence: sentence, detail: detail,
      accepts: "a list of \(format.accepts)", choices: []
    ) { text, configuration in
      let items = text.split { ", \t\n".contains($0) }.map { format.parse(String($0)) }
      guard !items.contains(nil) else { return false }
      configuration[keyPath: path] = items.compactMap(\.self)
      return true
    } read: { name, fields, configuration in
      guard let nodes = fields.list(name) else { return false }
      var items: [String] = []
      for node in nodes {
        guard let item = format.parse(node.string ?? "") else {
          fields.report(name, at: node, expected: "a list of \(format.accepts)")
          return false
        }
        items.append(item)
      }
      configuration[keyPath: path] = items
      return true
    } value: {
      .list($0[keyPath: path])
    }
  }

  /// A setting whose keys are free; a flag adds one entry to those of the files.
  static func table(
    _ key: String, _ path: any WritableKeyPath<Configuration, [String: String]> & Sendable,
    keys: SettingFormat<String>, values: SettingFormat<String>, flag: SettingFlag?,
    scope: SettingScope = .bundle, _ sentence: String, _ detail: String = ""
  ) -> Setting {
    Setting(
      key: key, environment: [], flag: flag, scope: scope, sentence: sentence, detail: detail,
      accepts: "keys with values, each key \(keys.accepts) and each value \(values.accepts)", choices: []
    ) { text, configuration in
      guard let equals = text.firstIndex(of: "="), let key = keys.parse(String(text[..<equals])),
        let value = values.parse(String(text[text.index(after: equals)...]))
      else { return false }
      configuration[keyPath: path][key] = value
      return true
    } read: { name, fields, configuration in
      guard let table = fields.table(name) else { return false }
      var result: [String: String] = [:]
      for (keyNode, valueNode) in table.entries {
        let (keyText, valueText) = (keyNode.string ?? "", valueNode.string ?? "")
        guard let key = keys.parse(keyText) else {
          fields.report("\(name) key", at: keyNode, expected: keys.accepts)
          return false
        }
        guard let value = values.parse(valueText) else {
          let shown = maskingSecrets(in: valueText)
          fields.report("\(name).\(keyText)", at: valueNode, expected: values.accepts, shown: shown)
          return false
        }
        result[key] = value
      }
      configuration[keyPath: path] = result
      return true
    } value: {
      .table($0[keyPath: path])
    }
  }
}

extension Setting.Value {
  /// The value for people, passwords masked.
  var shown: String {
    switch self {
    case .scalar(let text): maskingSecrets(in: text)
    case .literal(let text): text
    case .list(let items): items.joined(separator: ", ")
    case .table(let entries):
      entries.sorted { $0.key < $1.key }.map { "\($0.key)=\(maskingSecrets(in: $0.value))" }
        .joined(separator: ", ")
    }
  }
}
