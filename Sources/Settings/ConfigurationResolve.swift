import Bundle
import Files
import SystemPackage
import YAML

extension Configuration {
  /// Reads the configuration files and resolves every setting.
  ///
  /// The order is: defaults, the shell project's settings, the default file, the other files, the environment, the
  /// flags; later wins.
  /// - Parameters:
  ///   - shell: The settings of a bundle of the shell project, which has no default file.
  ///   - defaultFile: A file that need not exist.
  ///   - files: Files that were asked for (`--config`) and so must exist, the last one winning.
  ///   - environment: The variables of the process; an empty one counts as not set.
  ///   - flags: The texts of flags that were given, by key path; several for a flag that was repeated.
  /// - Throws: ``ConfigurationError`` with everything that is wrong in any of them.
  public static func resolve(
    shell: ShellSettings? = nil, defaultFile: FilePath? = "config/config.yml", files: [FilePath] = [],
    environment: [String: String], flags: [String: [String]] = [:]
  ) throws(ConfigurationError) -> Configuration {
    try resolve(
      shell: shell, document: nil, files: (defaultFile.map { isMissing($0) ? [] : [$0] } ?? []) + files,
      environment: environment, flags: flags)
  }

  /// Resolves every setting with bytes that were read before, if there are any, in place of the default file; otherwise
  /// as ``resolve(shell:defaultFile:files:environment:flags:)``. Messages call the bytes `source`.
  ///
  /// - Throws: ``ConfigurationError`` with everything that is wrong in any of them.
  public static func resolve(
    shell: ShellSettings? = nil, document: [UInt8]?, source: String = "config.yml", files: [FilePath] = [],
    environment: [String: String], flags: [String: [String]] = [:]
  ) throws(ConfigurationError) -> Configuration {
    var problems: [String] = []
    var documents: [YAMLNode] = []
    do {
      if let document, let node = try YAML.parse(bytes: document, source: source) { documents.append(node) }
    } catch {
      problems.append(error.description)
    }
    for file in files {
      do {
        if let document = try YAML.load(file.string) { documents.append(document) }
      } catch {
        problems.append(error.description)
      }
    }
    return try resolve(
      shell: shell, documents: documents, environment: environment, flags: flags, problems: problems)
  }

  /// A file that is there and cannot be read is not missing: that is an error to be reported.
  private static func isMissing(_ file: FilePath) -> Bool {
    do throws(FileError) {
      _ = try FileInfo(file, followsLinks: true)
      return false
    } catch {
      return error.isMissing
    }
  }

  /// Resolves every setting from configuration files that are already parsed; see
  /// ``resolve(shell:defaultFile:files:environment:flags:)``.
  public static func resolve(
    documents: [YAMLNode], environment: [String: String] = [:], flags: [String: [String]] = [:]
  ) throws(ConfigurationError) -> Configuration {
    try resolve(shell: nil, documents: documents, environment: environment, flags: flags, problems: [])
  }

  private static func resolve(
    shell: ShellSettings?, documents: [YAMLNode], environment: [String: String], flags: [String: [String]],
    problems: [String]
  ) throws(ConfigurationError) -> Configuration {
    var configuration = Configuration()
    var problems = problems
    if let shell { problems += configuration.apply(shell) }
    for document in documents { problems += configuration.apply(document) }
    problems += configuration.apply(environment: environment)
    problems += configuration.apply(flags: flags)
    if problems.isEmpty { problems += configuration.platformProblems }
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    return configuration
  }
}

/// One layer each; every one returns what is wrong with it.
extension Configuration {
  private mutating func apply(_ document: YAMLNode) -> [String] {
    var fields = YAMLFields(document)
    for setting in Self.settings where setting.group == nil { read(setting, from: &fields) }
    var groups: Set<String> = []
    for group in Self.settings.compactMap(\.group) where groups.insert(group).inserted {
      fields.nested(group) { inner in
        for setting in Self.settings where setting.group == group { read(setting, from: &inner) }
      }
    }
    do {
      try fields.finish()
      return []
    } catch {
      return error.problems.map(\.description)
    }
  }

  private mutating func read(_ setting: Setting, from fields: inout YAMLFields) {
    guard setting.read(setting.name, &fields, &self), let key = fields.key(setting.name) else { return }
    origins[setting.key] = .file(key.source, line: key.position.line)
  }

  private mutating func apply(_ shell: ShellSettings) -> [String] {
    Self.settings.compactMap { setting in
      guard let name = setting.environment.first(where: ShellSettings.variables.contains),
        let text = shell.assignments.text(name), !text.isEmpty
      else { return nil }
      return assign(text, to: setting, origin: .file(shell.path, line: shell.assignments.line(name) ?? 0))
    }
  }

  private mutating func apply(environment: [String: String]) -> [String] {
    Self.settings.compactMap { setting in
      guard let name = setting.environment.first(where: { environment[$0]?.isEmpty == false }) else {
        return nil
      }
      // Files of variables that were written on Windows leave a carriage return behind each value.
      let text = (environment[name] ?? "").unicodeScalars.trimmingBlanks
      return text.isEmpty ? nil : assign(text, to: setting, origin: .environment(name))
    }
  }

  private mutating func apply(flags: [String: [String]]) -> [String] {
    flags.sorted { $0.key < $1.key }.flatMap { key, texts -> [String] in
      guard let setting = Self.settings.first(where: { $0.key == key }), let flag = setting.flag else {
        return ["\"\(key)\" cannot be set on the command line; set it in a configuration file"]
      }
      return texts.compactMap { text in
        let problem = assign(text, to: setting, origin: .flag(flag.name))
        guard case .entries = flag else { return problem }
        return problem.map { _ in
          "\(flag.name) takes NAME=VALUE, a mapping in JSON or YAML, or @FILE, not \"\(maskingSecrets(in: text))\""
        }
      }
    }
  }

  private mutating func assign(
    _ text: String, to setting: Setting, origin: ConfigurationOrigin
  ) -> String? {
    guard setting.assign(text, &self) else {
      let shown = maskingSecrets(in: text)
      return "\(origin): \"\(setting.key)\" must be \(setting.accepts), not \"\(shown)\""
    }
    origins[setting.key] = origin
    return nil
  }
}

extension String.UnicodeScalarView {
  /// The text without white space around it.
  fileprivate var trimmingBlanks: String {
    var rest = self[...]
    while rest.first?.properties.isWhitespace == true { rest.removeFirst() }
    while rest.last?.properties.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}
