import Files
import Host
import SystemPackage

/// What containerd's own file says of registries, with all that it imports (containerd's docs/man/containerd-config.toml.5.md
/// and docs/cri/registry.md).
struct ContainerdConfiguration: Sendable {
  /// The file that containerd reads.
  let file: FilePath
  /// Whether it is there.
  let isThere: Bool
  /// The folders of `config_path`; none when it is empty or missing.
  private(set) var folders: [FilePath] = []
  /// The file that names them.
  private(set) var place: FilePath?
  /// Files that cannot be understood, with the reason.
  private(set) var problems: [String] = []
  /// Whether it names registries in its own file, in the old way.
  private(set) var hasMirrors = false
  /// Whether it switches the part off that pulls for Kubernetes, as the package of Docker does it.
  private(set) var isDisabled = false
  /// The part that pulls, as a file of this version names it.
  private(set) var plugin = "io.containerd.grpc.v1.cri"

  private static let usual: FilePath = "/etc/containerd/config.toml"
  /// The names of the part that pulls, in the versions of the file: 3 and later, 2, 1.
  private static let plugins = ["io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri", "cri"]
  /// How many files may be imported.
  private static let most = 100

  /// Reads the file of a host and what it imports: a later one replaces what an earlier one says of a plugin.
  init(_ host: TargetHost) {
    file = Self.place(host)
    isThere = host.exists(file)
    var files = [file]
    var next = 0
    while next < files.count, next < Self.most {
      let path = files[next]
      next += 1
      guard let document = read(path, host) else { continue }
      take(document, of: path)
      for pattern in document["imports"]?.list.compactMap(\.text) ?? [] {
        let whole =
          pattern.hasPrefix("/") ? FilePath(pattern) : file.removingLastComponent().pushing(FilePath(pattern))
        files += Self.files(like: whole, host).filter { !files.contains($0) }
      }
    }
  }

  private mutating func read(_ path: FilePath, _ host: TargetHost) -> TOMLValue? {
    do {
      return try host.file(path).map { bytes in try TOMLValue(parsing: bytes) }
    } catch let error as TOMLError {
      problems.append("\(path): \(error)")
    } catch {
      problems.append("\(error)")
    }
    return nil
  }

  private mutating func take(_ document: TOMLValue, of path: FilePath) {
    let disabled = document["disabled_plugins"]?.list.compactMap(\.text) ?? []
    isDisabled = isDisabled || !disabled.allSatisfy { !Self.plugins.contains($0) }
    if path == file, case .integer(let version)? = document["version"], version > 2 {
      plugin = Self.plugins[0]
    }
    for name in Self.plugins {
      guard let plugin = document["plugins", name] else { continue }
      let text = plugin["registry", "config_path"]?.text ?? ""
      folders = Self.folders(text)
      place = path
      if case .table(let mirrors)? = plugin["registry", "mirrors"] { hasMirrors = !mirrors.isEmpty }
      return
    }
  }

  /// The folders of a list with colons.
  static func folders(_ text: String) -> [FilePath] {
    text.split(separator: ":").filter { $0.hasPrefix("/") }.map { FilePath(String($0)) }
  }

  /// The file that containerd's unit names, or the usual one.
  private static func place(_ host: TargetHost) -> FilePath {
    let lines = UnitLines(of: "containerd.service", on: host)
    return lines.value(of: ["--config", "-c"], program: "containerd").map { FilePath($0) } ?? usual
  }

  /// The files of a pattern with `*` and `?` in its last part, in order of their names.
  private static func files(like pattern: FilePath, _ host: TargetHost) -> [FilePath] {
    guard let name = pattern.lastComponent?.string, name.contains(where: { "*?[".contains($0) }) else {
      return host.exists(pattern) ? [pattern] : []
    }
    let folder = pattern.removingLastComponent()
    let names = (try? listFolder(host.path(folder))) ?? []
    return names.filter { NamePattern(name).matches($0) }.map { folder.appending($0) }
  }

  // MARK: containerd itself

  /// What containerd says that its `config_path` is: the folders, or none; `nil` when it cannot be asked.
  static func folders(askedFrom host: TargetHost, _ file: FilePath) async -> [FilePath]? {
    guard host.hasProgram("containerd") else { return nil }
    let question = Command("containerd", ["--config", file.string, "config", "dump"])
    guard let answer = try? await host.run(question), answer.status == 0,
      let document = try? TOMLValue(parsing: Array(answer.standardOutput.utf8))
    else { return nil }
    let found = plugins.compactMap { document["plugins", $0, "registry", "config_path"]?.text }
    // It lists every plugin that it has; without this one it pulls for nobody but nerdctl.
    return found.isEmpty ? nil : found.first.map(folders)
  }
}

/// A name with `*`, `?` and `[…]` (glob(7)), as far as lists of imports use them.
struct NamePattern {
  private let pattern: [Character]

  init(_ text: String) { pattern = Array(text) }

  /// Whether a name is one of these.
  func matches(_ name: String) -> Bool { matches(pattern[...], Array(name)[...]) }

  private func matches(_ pattern: ArraySlice<Character>, _ name: ArraySlice<Character>) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    let rest = pattern.dropFirst()
    switch first {
    case "*": return (0...name.count).contains { matches(rest, name.dropFirst($0)) }
    case "?": return !name.isEmpty && matches(rest, name.dropFirst())
    case "[":
      guard let end = rest.firstIndex(of: "]"), let character = name.first else { return false }
      return rest[..<end].contains(character) && matches(rest[(end + 1)...], name.dropFirst())
    default: return name.first == first && matches(rest, name.dropFirst())
    }
  }
}

/// The lines of a service's unit and of what changes it, in the order in which they count (systemd.unit(5)).
struct UnitLines {
  /// A line with the file that it stands in.
  struct Line {
    let text: String
    let place: FilePath
  }

  let lines: [Line]

  /// Reads the unit of that name, its drop-ins and the files of its environment.
  init(of unit: String, on host: TargetHost) {
    var found: [Line] = []
    func take(_ file: FilePath) {
      guard let bytes = try? host.file(file) else { return }
      let text = String(decoding: bytes, as: UTF8.self).replacing("\\\n", with: " ")
      for line in text.split(whereSeparator: \.isNewline) {
        let line = line.drop(while: \.isWhitespace)
        if !line.isEmpty, !line.hasPrefix("#"), !line.hasPrefix(";") {
          found.append(Line(text: String(line), place: file))
        }
      }
    }
    let folders: [FilePath] = [
      "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
      "/usr/lib/systemd/system",
      "/lib/systemd/system",
    ]
    if let file = folders.map({ $0.appending(unit) }).first(where: host.exists) { take(file) }
    for folder in folders.reversed() {
      let drops = folder.appending("\(unit).d")
      let names = ((try? listFolder(host.path(drops))) ?? []).filter { $0.hasSuffix(".conf") }
      for name in names { take(drops.appending(name)) }
    }
    for line in found where line.text.hasPrefix("EnvironmentFile=") {
      let path = line.text.dropFirst("EnvironmentFile=".count).drop { $0 == "-" }
      if path.hasPrefix("/") { take(FilePath(String(path))) }
    }
    lines = found
  }

  /// The value of a flag that a program is started with: that of the last line which starts it.
  func value(of flags: [String], program: String) -> String? {
    let starts = lines.filter { $0.text.hasPrefix("ExecStart=") && $0.text.contains(program) }
    guard let last = starts.last else { return nil }
    let words = last.text.split(whereSeparator: \.isWhitespace).map(String.init)
    return Self.value(of: flags, in: words)
  }

  /// The value of a flag in the words of a command.
  static func value(of flags: [String], in words: [String]) -> String? {
    var found: String?
    for (index, word) in words.enumerated() {
      for flag in flags {
        if word == flag, index + 1 < words.count { found = words[index + 1] }
        if word.hasPrefix("\(flag)=") { found = String(word.dropFirst(flag.count + 1)) }
      }
    }
    return found.map { $0.trimmingPrefix(while: { "\"'".contains($0) }) }.map {
      String($0.prefix { !"\"'".contains($0) })
    }
  }
}
