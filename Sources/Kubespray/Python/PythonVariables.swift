import Files
import FoundationEssentials
import SystemPackage

/// The environment of programs written in Python that are to do our work and not what a user's settings make of it.
///
/// Settings of pip that say where packages come from and how the network is reached stay. Settings that send what is
/// installed elsewhere, or make Python find other modules, are for the user's own work: with them an environment would
/// be empty and look ready.
enum PythonVariables {
  /// Changes to the environment of this process for any Python.
  static func changes(_ own: [String: String] = ProcessInfo.processInfo.environment) -> [String: String?] {
    var changes: [String: String?] = [:]
    // PYTHON itself is a setting of this program.
    for name in own.keys where name.hasPrefix("PYTHON") && name != "PYTHON" {
      changes.updateValue(nil, forKey: name)
    }
    changes.updateValue("1", forKey: "PYTHONNOUSERSITE")
    return changes
  }

  /// Changes for pip: of its variables and configuration files only what says where packages come from.
  ///
  /// - Parameters:
  ///   - own: The environment of this process.
  ///   - prefix: The folder of the Python, which may have a pip.conf.
  ///   - files: The configuration files, the last one winning; by default those that pip would read.
  static func pipChanges(
    _ own: [String: String] = ProcessInfo.processInfo.environment, prefix: FilePath? = nil,
    files: [FilePath]? = nil
  ) -> [String: String?] {
    var changes = changes(own)
    for name in own.keys where name.hasPrefix("PIP_") && !isKept(option(of: name)) {
      changes.updateValue(nil, forKey: name)
    }
    for file in files ?? configurationFiles(own, prefix: prefix) {
      guard let bytes = try? readBytes(file, limit: 1 << 20) else { continue }
      for (option, value) in SectionedSettings(String(decoding: bytes, as: UTF8.self)).options(of: "install")
      where isKept(option) && !value.isEmpty {
        let name = "PIP_" + option.uppercased().replacing("-", with: "_")
        if own[name] == nil { changes.updateValue(value, forKey: name) }
      }
    }
    // No configuration file at all (pip's documentation, "Configuration").
    changes.updateValue("/dev/null", forKey: "PIP_CONFIG_FILE")
    return changes
  }

  private static func option(of variable: String) -> String {
    variable.dropFirst("PIP_".count).lowercased().replacing("_", with: "-")
  }

  private static func isKept(_ option: String) -> Bool { kept.contains(option) }

  /// Where packages come from, and how the network is reached (pip's documentation, "pip install").
  private static let kept: Set = [
    "index-url", "pypi-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert",
    "client-cert",
    "proxy", "timeout", "default-timeout", "retries", "cache-dir", "no-cache-dir", "keyring-provider",
    "use-feature", "use-deprecated", "prefer-binary",
  ]

  /// The files that pip reads, in its order: of the machine, of the user, of the Python, and the one that is named.
  private static func configurationFiles(_ own: [String: String], prefix: FilePath?) -> [FilePath] {
    let named = own["PIP_CONFIG_FILE"].flatMap { $0.isEmpty ? nil : FilePath($0) }
    guard named != "/dev/null" else { return [] }
    var files: [FilePath] = (own["XDG_CONFIG_DIRS"] ?? "/etc/xdg").split(separator: ":").map {
      FilePath(String($0)).appending("pip/pip.conf")
    }
    files.append("/etc/pip.conf")
    if let home = own["HOME"], !home.isEmpty {
      files.append(FilePath(home).appending(".pip/pip.conf"))
      let place = own["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : FilePath($0) }
      files.append((place ?? FilePath(home).appending(".config")).appending("pip/pip.conf"))
    }
    if let prefix { files.append(prefix.appending("pip.conf")) }
    return files + [named].compactMap(\.self)
  }
}
