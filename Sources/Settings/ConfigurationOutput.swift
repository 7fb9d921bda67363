import YAML

extension Configuration {
  /// Every setting with its value and origin, in the order of ``settings``, passwords masked.
  public var entries: [ConfigurationEntry] {
    Self.settings.map { setting in
      ConfigurationEntry(
        key: setting.key, value: setting.value(self).shown, origin: origin(of: setting.key),
        summary: setting.summary)
    }
  }

  /// The configuration as a config.yml to put into the bundle.
  ///
  /// It reads back to the same values. Left out is what concerns only the machine that downloads: its
  /// folders, its Python, mirrors, proxies and extra variables, and the passwords these may hold. An architecture of nil is
  /// written `auto`, so put in the one that was used.
  public func yaml() -> String {
    var text = """
      # The settings that this bundle was made with, written by download-all.
      # The programs on the target read them, so do not change them here: make a new bundle instead.
      # Folders, mirrors and proxies of the machine that downloaded are left out.


      """
    var group: String?
    for setting in Self.settings where setting.scope != .download {
      if let name = setting.group, name != group { text += "\(name):\n" }
      group = setting.group
      let indent = group == nil ? "" : "  "
      text += indent + setting.name + ":" + setting.value(self).yaml(indent: indent + "  ")
    }
    return text
  }
}

extension Setting.Value {
  /// What stands after the colon in a YAML file, with the end of the line.
  ///
  /// - Parameter isFlow: Whether a list is written in brackets on the same line.
  func yaml(indent: String, isFlow: Bool = false) -> String {
    switch self {
    case .scalar(let text): " \(YAML.scalar(text))\n"
    case .literal(let text): " \(text)\n"
    case .list(let items) where isFlow || items.isEmpty:
      " [\(items.map(YAML.scalar).joined(separator: ", "))]\n"
    case .table([:]): " {}\n"
    case .list(let items): "\n" + items.map { "\(indent)- \(YAML.scalar($0))\n" }.joined()
    case .table(let entries):
      "\n"
        + entries.sorted { $0.key < $1.key }
        .map { "\(indent)\(YAML.scalar($0.key)): \(YAML.scalar($0.value))\n" }.joined()
    }
  }
}
