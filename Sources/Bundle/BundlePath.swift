import Files

/// A file's place inside `outputs/`: relative, with forward slashes, and possible on every file system that a
/// bundle travels on (FAT and exFAT included).
public struct BundlePath: Hashable, Sendable, Comparable, CustomStringConvertible, Codable {
  /// The path as text, such as `files/kubernetes/v1.34.3/kubelet`.
  public let description: String

  /// Checks a path.
  ///
  /// - Throws: ``BundlePathError`` naming what is wrong with it.
  public init(_ text: String) throws(BundlePathError) {
    guard !Self.isPlain(text.utf8) else {
      description = text
      return
    }
    let segments = text.split(separator: "/", omittingEmptySubsequences: false)
    // To Swift a slash with a mark that combines with it is another character; to the system it separates names.
    guard text.utf8.count(where: { $0 == UInt8(ascii: "/") }) == segments.count - 1 else {
      throw BundlePathError(path: text, reason: "something in it combines with a slash")
    }
    for segment in segments {
      if segment.isEmpty || segment == "." || segment == ".." {
        throw BundlePathError(path: text, reason: "it has an empty, \".\" or \"..\" segment")
      }
      if segment.hasSuffix(".") || segment.hasSuffix(" ") {
        throw BundlePathError(path: text, reason: "FAT cannot keep a name that ends with a dot or a space")
      }
      if IncompleteName.matches(String(segment)) {
        throw BundlePathError(
          path: text,
          reason: "names that begin with \"\(IncompleteName.prefix)\" are those of files on their way")
      }
      if segment.utf8.count > 255 {
        throw BundlePathError(path: text, reason: "a name in it is longer than 255 bytes")
      }
      if let bad = segment.unicodeScalars.first(where: {
        $0.value < 0x20 || #":*?"<>|\"#.unicodeScalars.contains($0)
      }) {
        throw BundlePathError(path: text, reason: "FAT cannot keep the character \(bad.debugDescription)")
      }
    }
    if let first = segments.first, Self.isOwn(first) {
      throw BundlePathError(path: text, reason: "the name \"\(first)\" is for what describes a bundle")
    }
    description = text
  }

  /// Whether a path is one of those that most are, in which there is nothing to look at twice: ASCII, and no name of a sort
  /// about which there is a rule. Nothing that is refused is plain.
  private static func isPlain(_ text: String.UTF8View) -> Bool {
    var before = UInt8(ascii: "/")
    var length = 0
    for byte in text {
      switch byte {
      case UInt8(ascii: "/"):
        guard length > 0, before != UInt8(ascii: "."), before != UInt8(ascii: " ") else { return false }
        length = 0
      // A name that begins with a dot may be one of those that are not allowed.
      case UInt8(ascii: ".") where length == 0: return false
      case UInt8(ascii: ":"), UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "\""), UInt8(ascii: "<"),
        UInt8(ascii: ">"), UInt8(ascii: "|"), UInt8(ascii: "\\"):
        return false
      case 0x20..<0x7F: length += 1
      default: return false
      }
      guard length <= 255 else { return false }
      before = byte
    }
    // The names of a manifest and of what lies beside it begin with a "b".
    let mayBeOwn = text.first.map { $0 | 0x20 == UInt8(ascii: "b") } ?? true
    return length > 0 && before != UInt8(ascii: ".") && before != UInt8(ascii: " ") && !mayBeOwn
  }

  /// Whether a name at the top is that of the manifest, or of something beside it. Disks that do not tell upper from
  /// lower case do not tell them apart either.
  private static func isOwn(_ name: Substring) -> Bool {
    let name = name.lowercased()
    return name == Manifest.fileName || name.hasPrefix(Manifest.fileName + ".")
  }

  /// The key under which FAT would see this path: names that differ by case only are one name there.
  public var caseFolded: String { description.lowercased() }

  /// In order of bytes.
  public static func < (left: BundlePath, right: BundlePath) -> Bool {
    left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
  }

  /// Decodes the text and checks it.
  public init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Encodes the text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A path that cannot be in a bundle.
public struct BundlePathError: Error, Equatable, CustomStringConvertible {
  /// The path.
  public let path: String
  /// What is wrong with it.
  public let reason: String

  /// A sentence for people.
  public var description: String { "\"\(path)\" cannot be a path in a bundle: \(reason)" }
}
