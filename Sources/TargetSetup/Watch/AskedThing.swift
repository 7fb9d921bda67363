import Bundle

/// What a request was for, in the words of the one who deploys.
enum AskedThing: Sendable, Hashable {
  /// A file below `files/`, by its path there.
  case file(String)
  /// A file of a package repository, by its path.
  case package(String)
  /// A Python package, by its name.
  case wheel(String)
  /// An image, `NAME:TAG` or `NAME@DIGEST`, as the bundle's registry names it.
  case image(String)
  /// An image of a registry for which offline.yml has no entry.
  case foreignImage(String)

  /// - Parameter path: The path of a request, with its query.
  init?(path: String) {
    let parts = path.split(separator: "?", maxSplits: 1)
    let words = (percentDecoded(parts.first ?? "") ?? "").split(separator: "/").map(String.init)
    guard let first = words.first else { return nil }
    let rest = words.dropFirst().joined(separator: "/")
    switch first {
    case "files": self = .file(rest)
    case "releases":
      guard words.count > 3, words[2] == "files" else { return nil }
      self = .file(words.dropFirst(3).joined(separator: "/"))
    case "debs", "rpms":
      // apt asks for these first, and goes on without them where a repository is not signed.
      if rest.hasSuffix("/InRelease") || rest.hasSuffix("/Release.gpg") { return nil }
      self = .package("\(first)/\(rest)")
    case "pypi":
      guard words.count > 1 else { return nil }
      self = .wheel(words[1])
    case "v2":
      let namespace = parts.dropFirst().first?.split(separator: "&").first { $0.hasPrefix("ns=") }
      self.init(
        registryPath: Array(words.dropFirst()), host: namespace.flatMap { percentDecoded($0.dropFirst(3)) })
    default: return nil
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
