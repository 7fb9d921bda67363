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
  /// Everything else, by the name in deb822 (`Signed-By`), those that sources.list(5) knows as it writes them; values as
  /// they are written.
  var options: [String: String]
  /// The file it comes from.
  var file: FilePath

  /// Whether apt is told to take it without a signature, or with one that is worth nothing.
  var isTrustedByAddress: Bool {
    ["Trusted", "Allow-Insecure", "Allow-Weak"].contains { name in
      options[name].map { $0.lowercased() == "force" || Self.isYes($0) } ?? false
    }
  }

  /// Whether its packages are the distribution's own, as far as its declaration tells.
  ///
  /// Others name their suites like the distribution's; what gives them away is a part of another name or a key of
  /// their own.
  func isDistribution(_ target: PackageTarget) -> Bool {
    // Discs that nobody has put in are what installers leave behind; what is on them is on the servers too.
    guard let codename = target.codename, !uris.allSatisfy({ $0.hasPrefix("cdrom:") }) else { return false }
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
    if Self.words(options["Architectures-Remove"] ?? "").contains(architecture.rawValue) { return nil }
    if let only = options["Architectures"] {
      let added = Self.words(options["Architectures-Add"] ?? "")
      guard (Self.words(only) + added).contains(architecture.rawValue) else { return nil }
      // Else apt would read the lists of the others too.
      source.options["Architectures"] = architecture.rawValue
      source.options["Architectures-Add"] = nil
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
}
