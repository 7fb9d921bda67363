import Bundle

/// What a request was for, in the words of the one who deploys.
enum AskedThing: Sendable, Hashable {
  /// A file below `files/`, by its path there.
  case file(String, release: String? = nil)
  /// A file of a package repository, by its path.
  case package(String, release: String? = nil)
  /// A Python package, by its name.
  case wheel(String, release: String? = nil)
  /// An image, `NAME:TAG` or `NAME@DIGEST`, as the bundle's registry names it.
  case image(String)
  /// An image of a registry for which offline.yml has no entry.
  case foreignImage(String)

  /// - Parameter path: The path of a request, with its query.
  init?(path: String) {
    let parts = path.split(separator: "?", maxSplits: 1)
    let words = (percentDecoded(parts.first ?? "") ?? "").split(separator: "/").map(String.init)
    guard let first = words.first else { return nil }
    switch first {
    case ReleaseAddress.folder:
      guard words.count > 3 else { return nil }
      self.init(served: words.dropFirst(2), release: words[1])
    case "v2":
      let namespace = parts.dropFirst().first?.split(separator: "&").first { $0.hasPrefix("ns=") }
      self.init(
        registryPath: Array(words.dropFirst()), host: namespace.flatMap { percentDecoded($0.dropFirst(3)) })
    default: self.init(served: words[...], release: nil)
    }
  }

  /// - Parameters:
  ///   - words: A path of the web server, below the address of a release where there is one.
  ///   - release: The kubespray version of that release.
  private init?(served words: ArraySlice<String>, release: String?) {
    guard let first = words.first else { return nil }
    let rest = words.dropFirst().joined(separator: "/")
    switch first {
    case "files": self = .file(rest, release: release)
    case "debs", "rpms":
      // apt asks for these first, and goes on without them where a repository is not signed.
      if rest.hasSuffix("/InRelease") || rest.hasSuffix("/Release.gpg") { return nil }
      self = .package("\(first)/\(rest)", release: release)
    case "pypi":
      guard let name = words.dropFirst().first else { return nil }
      self = .wheel(name, release: release)
    default: return nil
    }
  }

  /// The kubespray version below whose address it was asked for; `nil` for what has no release, or the newest one's.
  var release: String? {
    switch self {
    case .file(_, let release), .package(_, let release), .wheel(_, let release): release
    case .image, .foreignImage: nil
    }
  }

  /// - Parameter host: Whose image containerd was told to bring.
  private init?(registryPath words: [String], host: String?) {
    guard words.count > 2, words[words.count - 2] == "manifests", let end = words.last else { return nil }
    let name = words.dropLast(2)
    let mark = end.contains(":") ? "@" : ":"
    if name.first == EngineSettings.otherRegistries, name.dropFirst().first == "v2" {
      self = .foreignImage(
        "\(host.map { "\($0)/" } ?? "")\(name.dropFirst(2).joined(separator: "/"))\(mark)\(end)")
      return
    }
    // containerd's second way to the same place, at which there is nothing.
    guard !name.contains("v2") else { return nil }
    self = .image("\(name.joined(separator: "/"))\(mark)\(end)")
  }
}
