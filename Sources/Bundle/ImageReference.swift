import Integrity

/// The full name of a container image: registry, repository, and a tag, a digest or both.
///
/// Parsed by the grammar of github.com/distribution/reference (`reference.go`), after names have been completed
/// as Docker does (`normalize.go`): `nginx` is `docker.io/library/nginx:latest`.
public struct ImageReference: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The longest `registry/repository`, in bytes (`RepositoryNameTotalLengthMax` of distribution/reference).
  public static let maximumNameLength = 255
  /// The longest tag, in bytes.
  public static let maximumTagLength = 128
  /// The registry that a name without one means.
  public static let defaultRegistry = "docker.io"
  /// The registry hosts that images lose when they are pushed to the bundle's registry; other hosts stay as the
  /// first part of the name.
  public static let strippedRegistries: Set<String> = [
    "registry.k8s.io", "k8s.gcr.io", "gcr.io", "ghcr.io", "docker.io", "quay.io",
  ]

  /// The registry's host, with its port where one is given: `quay.io`, `localhost:5000`, `[::1]:5000`.
  public let registry: String
  /// The path within the registry: `library/nginx`.
  public let repository: String
  /// The tag; `nil` only where there is a digest.
  public let tag: String?
  /// What the manifest or index must hash to.
  public let digest: Digest?

  /// Parses a reference, short or full.
  ///
  /// - Throws: ``ImageReferenceError`` naming what is wrong with it.
  public init(_ text: String) throws(ImageReferenceError) {
    func fail(_ reason: String) -> ImageReferenceError { ImageReferenceError(text: text, reason: reason) }
    guard !text.contains("://") else { throw fail("it is a URL; write it without the scheme") }
    var rest = text[...]
    var digest: Digest?
    if let mark = rest.firstIndex(of: "@") {
      do {
        digest = try Digest(String(rest[rest.index(after: mark)...]))
      } catch {
        throw fail("\(error)")
      }
      rest = rest[..<mark]
    }
    var tag: String?
    let lastSlash = rest.lastIndex(of: "/") ?? rest.startIndex
    if let mark = rest[lastSlash...].lastIndex(of: ":") {
      let value = String(rest[rest.index(after: mark)...])
      guard Self.isTag(value) else { throw fail(Self.tagReason(value)) }
      tag = value
      rest = rest[..<mark]
    }
    guard !(rest.utf8.count == 64 && rest.utf8.allSatisfy(Self.isLowerHex)) else {
      throw fail("64 hexadecimal digits are an image's ID, and a registry does not know those")
    }
    let name = Self.completed(rest)
    guard Self.isRegistry(name.registry) else { throw fail("\"\(name.registry)\" is not a registry host") }
    if let bad = name.repository.split(separator: "/", omittingEmptySubsequences: false)
      .first(where: { !Self.isPathComponent($0) })
    {
      throw fail(Self.componentReason(bad))
    }
    guard name.registry.utf8.count + 1 + name.repository.utf8.count <= Self.maximumNameLength else {
      throw fail("registry and repository are longer than \(Self.maximumNameLength) bytes together")
    }
    registry = name.registry
    repository = name.repository
    self.tag = tag ?? (digest == nil ? "latest" : nil)
    self.digest = digest
  }

  /// A reference of parts that are known, where a text would be ambiguous: `harbor/team/app` names a repository of
  /// docker.io, though a registry may be called so.
  ///
  /// - Throws: ``ImageReferenceError`` naming what is wrong with a part.
  public init(
    registry: String, repository: String, tag: String?, digest: Digest? = nil
  ) throws(ImageReferenceError) {
    let text = "\(registry)/\(repository)\(tag.map { ":\($0)" } ?? "")"
    func fail(_ reason: String) -> ImageReferenceError { ImageReferenceError(text: text, reason: reason) }
    guard Self.isRegistry(registry) else { throw fail("\"\(registry)\" is not a registry host") }
    let parts = repository.split(separator: "/", omittingEmptySubsequences: false)
    if let bad = parts.first(where: { !Self.isPathComponent($0) }) { throw fail(Self.componentReason(bad)) }
    guard registry.utf8.count + 1 + repository.utf8.count <= Self.maximumNameLength else {
      throw fail("registry and repository are longer than \(Self.maximumNameLength) bytes together")
    }
    if let tag, !Self.isTag(tag) { throw fail(Self.tagReason(tag)) }
    guard tag != nil || digest != nil else { throw fail("it has neither a tag nor a digest") }
    self.registry = registry
    self.repository = repository
    self.tag = tag
    self.digest = digest
  }

  /// The full reference: `docker.io/library/nginx:1.29.4`, with `@sha256:…` behind it where there is a digest.
  public var description: String { name + suffix }

  /// Registry and repository without tag or digest.
  public var name: String { "\(registry)/\(repository)" }

  /// In order of bytes.
  public static func < (left: ImageReference, right: ImageReference) -> Bool {
    left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
  }

  /// `:TAG`, `@DIGEST` or both.
  private var suffix: String { (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "") }
}

extension ImageReference {
  /// The name of the image's archive: the full reference with `/` as `_` and `:` as `-`, so that FAT can keep it. One that is
  /// too long for a file system ends by digits of a digest.
  public var archiveName: String {
    let name = flatName + Self.archiveEnding
    return name.utf8.count > 255 ? distinctArchiveName : name
  }

  /// The same with digits of a digest, which no other image has.
  var distinctArchiveName: String {
    "\(flatName.prefix(220)).\(Digest(of: Array(description.utf8)).hex.prefix(12))" + Self.archiveEnding
  }

  private static let archiveEnding = ".tar.gz"

  private var flatName: String {
    var name = ""
    for character in description {
      switch character {
      case "/": name.append("_")
      case ":": name.append("-")
      default: name.append(character)
      }
    }
    return name
  }

  /// The archive's place in the bundle: `images/` and ``archiveName``.
  ///
  /// - Throws: ``BundlePathError`` when the name is longer than a file system can keep.
  public func archivePath() throws(BundlePathError) -> BundlePath {
    try BundlePath("images/\(archiveName)")
  }

  /// The name that the image has behind the bundle's registry: `docker.io/library/nginx:1` becomes
  /// `library/nginx:1`.
  ///
  /// - Parameter strippedRegistries: The registries that are left away; another one becomes the first part.
  public func pushName(strippedRegistries: Set<String> = Self.strippedRegistries) -> String {
    Self.pushRepository(registry: registry, repository: repository, strippedRegistries: strippedRegistries)
      + suffix
  }

  /// The repository that a repository of another registry becomes behind the bundle's registry.
  public static func pushRepository(
    registry: String, repository: String, strippedRegistries: Set<String>
  ) -> String {
    strippedRegistries.contains(registry) ? repository : "\(pushComponent(registry))/\(repository)"
  }

  /// A registry's host as a part of a repository's name, which has neither colons nor upper case:
  /// `My.host:5000` becomes `my.host-5000`.
  public static func pushComponent(_ registry: String) -> String {
    var component = ""
    for character in registry.lowercased() {
      if character == ":" || character == "[" || character == "]" {
        if !component.isEmpty, component.last != "-" { component.append("-") }
      } else {
        component.append(character)
      }
    }
    return component
  }

  /// Completes a name without tag or digest as Docker does (`splitDockerDomain`): the first part is a registry
  /// if it has a dot, a colon or an upper-case letter, or is `localhost`.
  public static func completed(_ name: some StringProtocol) -> (registry: String, repository: String) {
    var registry = defaultRegistry
    var repository = String(name)
    if let slash = name.firstIndex(of: "/") {
      let first = String(name[..<slash])
      if first.contains(".") || first.contains(":") || first == "localhost" || first != first.lowercased() {
        registry = first
        repository = String(name[name.index(after: slash)...])
      }
    }
    // The name that Docker's index had before 2014.
    if registry == "index.docker.io" { registry = defaultRegistry }
    if registry == defaultRegistry, !repository.contains("/") { repository = "library/\(repository)" }
    return (registry, repository)
  }
}

// The grammar of distribution/reference, `regexp.go`.
extension ImageReference {
  /// `[\w][\w.-]{0,127}`
  private static func isTag(_ text: String) -> Bool {
    guard let first = text.utf8.first, isWord(first), text.utf8.count <= maximumTagLength else {
      return false
    }
    return text.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
  }

  private static func tagReason(_ tag: String) -> String {
    if tag.isEmpty { return "the tag after the colon is empty" }
    return
      "\"\(tag)\" is not a tag: a tag has letters, digits, \"_\", \".\" and \"-\", does not begin with \".\" "
      + "or \"-\", and is at most \(maximumTagLength) long"
  }

  /// A host name, an IPv4 address or an IPv6 address in brackets, and a port.
  private static func isRegistry(_ text: String) -> Bool {
    var host = text[...]
    // The colons inside the brackets of an IPv6 address belong to the address.
    let afterBracket = text.lastIndex(of: "]") ?? text.startIndex
    if let colon = text[afterBracket...].lastIndex(of: ":") {
      let port = text[text.index(after: colon)...]
      guard port.utf8.allSatisfy(isDigit), let number = Int(port), (1...65535).contains(number) else {
        return false
      }
      host = text[..<colon]
    }
    if host.hasPrefix("[") {
      let address = host.dropFirst().dropLast()
      return host.hasSuffix("]") && address.contains(":")
        && address.utf8.allSatisfy { isLowerHex($0) || (65...70).contains($0) || $0 == UInt8(ascii: ":") }
    }
    return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
      guard let first = label.utf8.first, let last = label.utf8.last else { return false }
      return isAlphanumeric(first) && isAlphanumeric(last)
        && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }
  }

  /// `[a-z0-9]+` parts with one of `.`, `_`, `__` or any number of `-` between them.
  private static func isPathComponent(_ text: Substring) -> Bool {
    var separator: [UInt8] = []
    var hasContent = false
    for byte in text.utf8 {
      if isLowerAlphanumeric(byte) {
        guard isSeparator(separator) else { return false }
        separator = []
        hasContent = true
      } else {
        guard hasContent, [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte) else {
          return false
        }
        separator.append(byte)
      }
    }
    return hasContent && separator.isEmpty
  }

  private static func isSeparator(_ bytes: [UInt8]) -> Bool {
    bytes.count < 2 || bytes == Array("__".utf8) || bytes.allSatisfy { $0 == UInt8(ascii: "-") }
  }

  private static func componentReason(_ component: Substring) -> String {
    if component.isEmpty { return "the repository has an empty part" }
    if component != component.lowercased() { return "the repository must be in lower case" }
    return "\"\(component)\" cannot be a part of a repository's name: it has lower-case letters, digits, and "
      + "between them \".\", \"_\", \"__\" or \"-\""
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
    isDigit(byte) || (0x61...0x7a).contains(byte)
  }
  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    isLowerAlphanumeric(byte) || (0x41...0x5a).contains(byte)
  }
  private static func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == UInt8(ascii: "_") }
  private static func isLowerHex(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte) }
}

extension ImageReference: Codable {
  /// Decodes the text and checks it.
  public init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Encodes the full reference.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A text that names no image.
public struct ImageReferenceError: Error, Equatable, CustomStringConvertible {
  /// The text.
  public let text: String
  /// What is wrong with it.
  public let reason: String

  /// A sentence for people.
  public var description: String { "\"\(text)\" is not a valid image reference: \(reason)" }
}
