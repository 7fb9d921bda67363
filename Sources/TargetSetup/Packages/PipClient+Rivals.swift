import Files
import SystemPackage

/// What leads pip elsewhere though the file for all users names the bundle's index (pip's documentation,
/// "Configuration").
extension PipClient {
  private static let settings: Set<String> = [
    "index-url", "extra-index-url", "no-index", "find-links", "proxy",
  ]

  /// Files and variables that win over ``settingsFile`` or add to it, as sentences.
  func rivals(on host: TargetHost) -> [String] {
    var found: [String] = []
    for (file, isWeaker) in Self.files(host) {
      let text = String(decoding: ((try? host.file(file)) ?? nil) ?? [], as: UTF8.self)
      let names = settings(in: text).filter { !isWeaker || $0 != "index-url" }
      guard !names.isEmpty else { continue }
      found.append(
        "\(file) sets \(names.joined(separator: " and ")), which \(isWeaker ? "holds beside" : "wins over") "
          + "\(Self.settingsFile): pip asks there and not the bundle. Take it out of that file")
    }
    let variables = host.environment.keys.filter { name in
      name.hasPrefix("PIP_")
        && (Self.settings.contains(name.dropFirst(4).lowercased().replacing("_", with: "-"))
          || name == "PIP_CONFIG_FILE")
        && !(host.environment[name] ?? "").contains(server)
    }
    for name in variables.sorted() {
      found.append("\(name) is set, which wins over \(Self.settingsFile): pip asks there and not the bundle")
    }
    let lines = String(decoding: ((try? host.file("/etc/environment")) ?? nil) ?? [], as: UTF8.self)
    for line in lines.split(whereSeparator: \.isNewline)
    where line.hasPrefix("PIP_") && !line.contains(server) {
      found.append(
        "/etc/environment sets \(line.prefix { $0 != "=" }), which wins over \(Self.settingsFile): take it out of there"
      )
    }
    return found
  }

  /// Files of users, which win, and those for all users that are read before.
  private static func files(_ host: TargetHost) -> [(FilePath, isWeaker: Bool)] {
    let users = String(decoding: ((try? host.file("/etc/passwd")) ?? nil) ?? [], as: UTF8.self)
    var homes = users.split(whereSeparator: \.isNewline).compactMap { line -> FilePath? in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count >= 7, let number = Int(fields[2]), number == 0 || number >= 1000 else { return nil }
      return fields[5].hasPrefix("/") && fields[5] != "/" ? FilePath(String(fields[5])) : nil
    }
    if let home = host.environment["HOME"], home.hasPrefix("/") { homes.append(FilePath(home)) }
    var files = homes.flatMap { [$0.appending(".config/pip/pip.conf"), $0.appending(".pip/pip.conf")] }
    if let folder = host.environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") {
      files.append(FilePath(folder).appending("pip/pip.conf"))
    }
    // That of the environment in which this program was started: pip reads it last.
    if let folder = host.environment["VIRTUAL_ENV"], folder.hasPrefix("/") {
      files.append(FilePath(folder).appending("pip.conf"))
    }
    var seen: Set<FilePath> = []
    return files.filter { seen.insert($0).inserted }.map { ($0, false) }
      + [("/etc/xdg/pip/pip.conf", true)]
  }

  /// The settings of a text (configparser's form) that say where packages come from, but from the bundle.
  private func settings(in text: String) -> [String] {
    var names: [String] = []
    for line in text.split(whereSeparator: \.isNewline) where !line.contains(server) {
      guard let end = line.firstIndex(where: { "=:".contains($0) }) else { continue }
      let name = line[..<end].filter { !$0.isWhitespace }.lowercased().replacing("_", with: "-")
      if Self.settings.contains(name), !names.contains(name) { names.append(name) }
    }
    return names
  }
}
