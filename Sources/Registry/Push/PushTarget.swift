import Bundle

/// The registry that images are pushed into: `HOST[:PORT][/PATH]`, with `http://` or `https://` in front if that matters.
public struct PushTarget: Sendable, Hashable, CustomStringConvertible {
  /// The host, with its port where one is given, in lower case.
  public let host: String
  /// What stands before each image's name, such as a Harbor project; empty when nothing does.
  public let path: String
  /// Whether TLS is demanded (`https://`) or unwanted (`http://`); `nil` when the text does not say.
  public let isPlain: Bool?

  /// Parses a target.
  ///
  /// - Throws: ``PushTargetError``.
  public init(_ text: String) throws(PushTargetError) {
    var rest = text[...]
    if rest.hasPrefix("http://") || rest.hasPrefix("https://") {
      isPlain = rest.hasPrefix("http://")
      rest = rest[(rest.firstRange(of: "://")?.upperBound ?? rest.startIndex)...]
    } else {
      isPlain = nil
    }
    while rest.hasSuffix("/") { rest.removeLast() }
    let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    host = parts[0].lowercased()
    path = parts.count > 1 ? String(parts[1]) : ""
    guard !host.isEmpty, !host.contains("@"), !host.contains("?") else {
      throw PushTargetError(text: text, reason: "it does not begin with a registry's host")
    }
    do {
      // The grammar of names is that of references.
      _ = try ImageReference(registry: host, repository: path.isEmpty ? "x" : path, tag: "x")
    } catch {
      throw PushTargetError(text: text, reason: error.reason)
    }
  }

  /// As it was written, without scheme.
  public var description: String { path.isEmpty ? host : "\(host)/\(path)" }

  /// Whether the registry is on this machine: what is sent does not leave it.
  public var isLoopback: Bool {
    if host == "[::1]" || host.hasPrefix("[::1]:") { return true }
    let name = host.prefix { $0 != ":" }
    return name == "localhost" || name.hasSuffix(".localhost")
      || name.hasPrefix("127.") && name.allSatisfy { $0.isNumber || $0 == "." }
  }

  /// The name that a list gives to an image behind a registry: `library/nginx:1.29.4`, without a registry's host.
  ///
  /// - Throws: `ImageReferenceError` when it cannot be a name.
  func reference(named text: String) throws(ImageReferenceError) -> ImageReference {
    var name = text.prefix { $0 != "@" }
    var tag = "latest"
    let slash = name.lastIndex(of: "/") ?? name.startIndex
    if let colon = name[slash...].lastIndex(of: ":") {
      tag = String(name[name.index(after: colon)...])
      name = name[..<colon]
    }
    var parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    // A host that was left in front, whose port no repository can have in its name.
    if parts.count > 1 { parts[0] = ImageReference.pushComponent(parts[0]) }
    let repository = parts.joined(separator: "/")
    return try ImageReference(
      registry: host, repository: path.isEmpty ? repository : "\(path)/\(repository)", tag: tag)
  }

  /// The name under which an image goes into this registry.
  ///
  /// - Throws: `ImageReferenceError` when the name is longer than a registry takes.
  public func reference(
    of image: ImageReference, strippedRegistries: Set<String>
  ) throws(ImageReferenceError) -> ImageReference {
    let name = ImageReference.pushRepository(
      registry: image.registry, repository: image.repository, strippedRegistries: strippedRegistries)
    return try ImageReference(
      registry: host, repository: path.isEmpty ? name : "\(path)/\(name)", tag: image.tag,
      digest: image.digest)
  }
}

/// A text that names no registry to push to.
public struct PushTargetError: Error, Equatable, CustomStringConvertible {
  /// The text.
  public let text: String
  /// What is wrong with it.
  public let reason: String

  /// A sentence for people.
  public var description: String {
    "\"\(text)\" does not name a registry: \(reason)"
  }
}
