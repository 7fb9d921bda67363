import FoundationEssentials
import Host
import SystemPackage

/// A source of packages as apt's own files declare it: sources.list(5), one line or a deb822 paragraph.
struct AptSource: Sendable, Equatable {
  /// The addresses of archives that have the same.
  var uris: [String]
  /// The names of releases, such as `bookworm` and `bookworm-updates`; a path that ends with `/` for a flat archive.
  var suites: [String]
  /// The parts of the archive, such as `main`.
  var components: [String]
  /// Everything else, by the name in deb822 (`Signed-By`), values as they are written.
  var options: [String: String]
  /// The file it comes from.
  var file: FilePath

  /// Whether apt is told to take it without a signature, or with one that is worth nothing.
  var isTrustedByAddress: Bool {
    let told = ["trusted", "allow-insecure", "allow-weak"]
    return options.contains { name, value in
      told.contains(name.lowercased()) && ["yes", "true", "on", "1", "force"].contains(value.lowercased())
    }
  }

  /// Whether its packages are the distribution's own, as far as its declaration tells.
  ///
  /// Others name their suites like the distribution's; what gives them away is a part of another name or a key of
  /// their own.
  func isDistribution(_ target: PackageTarget) -> Bool {
    guard let codename = target.codename else { return false }
    let suffixes = ["", "-updates", "-security", "/updates", "-backports", "-proposed", "-proposed-updates"]
    let known: Set = [
      "main", "contrib", "non-free", "non-free-firmware", "restricted", "universe", "multiverse",
    ]
    guard suites.contains(where: { suite in suffixes.contains { suite == codename + $0 } }),
      !components.isEmpty, known.isSuperset(of: components)
    else { return false }
    return options["Signed-By"].map { $0.contains("\(target.id)-archive") } ?? true
  }

  /// The same for another release of the same distribution; `nil` when its suites do not begin with the codename of
  /// this one.
  func derived(from host: PackageTarget, for target: PackageTarget) -> AptSource? {
    guard let old = host.codename, let new = target.codename else { return nil }
    var source = self
    source.suites = suites.compactMap { suite in
      guard suite.hasPrefix(old) else { return nil }
      let rest = suite.dropFirst(old.count)
      return rest.isEmpty || rest.first == "-" || rest.first == "/" ? new + rest : nil
    }
    // Debian has this part since its release 12.
    if new == "bullseye" { source.components.removeAll { $0 == "non-free-firmware" } }
    return source.suites.isEmpty || source.components.isEmpty ? nil : source
  }

  /// The same for machines of an architecture; `nil` when it is declared for others only.
  ///
  /// Ubuntu keeps what is not for PCs on hosts of its own (wiki.ubuntu.com/Ports); its mirrors of the one do not have
  /// the other.
  func serving(_ architecture: Architecture) -> AptSource? {
    var source = self
    if let only = options["Architectures"] {
      guard Self.words(only).contains(architecture.rawValue) else { return nil }
      // Else apt would read the lists of the others too.
      source.options["Architectures"] = architecture.rawValue
    }
    source.uris = uris.map { uri in
      let ports = /(https?:\/\/)ports\.ubuntu\.com\/ubuntu-ports(\/?)/
      let usual = /(https?:\/\/)([a-z]{2}\.)?(archive|security)\.ubuntu\.com\/ubuntu(\/?)/
      if architecture == .amd64, let match = uri.wholeMatch(of: ports) {
        return "\(match.1)archive.ubuntu.com/ubuntu\(match.2)"
      }
      if architecture != .amd64, let match = uri.wholeMatch(of: usual) {
        return "\(match.1)ports.ubuntu.com/ubuntu-ports\(match.4)"
      }
      return uri
    }
    return source
  }

  /// The source as a deb822 paragraph.
  var deb822: String {
    let fixed = [
      "Types: deb", "URIs: " + uris.joined(separator: " "), "Suites: " + suites.joined(separator: " "),
    ]
    let parts = components.isEmpty ? [] : ["Components: " + components.joined(separator: " ")]
    let others = options.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    return (fixed + parts + others).joined(separator: "\n") + "\n"
  }

  // MARK: Reading

  /// The sources of binary packages in a file of either form.
  static func parse(_ text: String, file: FilePath) -> [AptSource] {
    isDeb822(text)
      ? paragraphs(text, file)
      : text.split(separator: "\n").compactMap { oneLine($0.prefix { $0 != "#" }, file) }
  }

  /// Whether a file declares its sources in paragraphs; apt wants to see that by its name, `.sources`.
  static func isDeb822(_ text: String) -> Bool {
    !text.split(separator: "\n").contains { $0.hasPrefix("deb ") || $0.hasPrefix("deb-src ") }
  }

  private static func paragraphs(_ text: String, _ file: FilePath) -> [AptSource] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("#") }
    return lines.split { $0.allSatisfy(\.isWhitespace) }.compactMap { lines in
      let control = DebianControl(lines.joined(separator: "\n"))
      guard words(control["Types"]).contains("deb"), control["Enabled"].lowercased() != "no" else {
        return nil
      }
      var options: [String: String] = [:]
      let fixed = ["types", "uris", "suites", "components", "enabled"]
      for line in lines where line.first != " " && line.first != "\t" {
        let name = String(line.prefix { $0 != ":" })
        if !fixed.contains(name.lowercased()) { options[name] = control[name] }
      }
      return AptSource(
        uris: words(control["URIs"]), suites: words(control["Suites"]),
        components: words(control["Components"]), options: options, file: file)
    }
  }

  /// `deb [arch=amd64 signed-by=/…] http://… bookworm main`
  private static func oneLine(_ line: Substring, _ file: FilePath) -> AptSource? {
    var rest = line.drop { $0.isWhitespace }
    guard rest.hasPrefix("deb ") || rest.hasPrefix("deb\t") else { return nil }
    rest = rest.dropFirst(4).drop { $0.isWhitespace }
    var options: [String: String] = [:]
    if rest.first == "[", let close = rest.firstIndex(of: "]") {
      for option in rest[..<close].dropFirst().split(whereSeparator: \.isWhitespace) {
        let parts = option.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let name = optionNames[parts[0].lowercased()] else { continue }
        options[name] = parts[1].split(separator: ",").joined(separator: " ")
      }
      rest = rest[rest.index(after: close)...]
    }
    let words = words(String(rest))
    guard words.count >= 2 else { return nil }
    return AptSource(
      uris: [words[0]], suites: [words[1]], components: Array(words[2...]), options: options, file: file)
  }

  private static let optionNames = [
    "arch": "Architectures", "signed-by": "Signed-By", "trusted": "Trusted", "by-hash": "By-Hash",
    "check-valid-until": "Check-Valid-Until", "valid-until-max": "Valid-Until-Max",
    "check-date": "Check-Date", "allow-weak": "Allow-Weak", "allow-insecure": "Allow-Insecure",
  ]

  private static func words(_ text: String) -> [String] {
    text.split(whereSeparator: \.isWhitespace).map(String.init)
  }
}
