/// Where an image runs: operating system, processor architecture, and that architecture's variant.
///
/// Source: OCI image-spec, image-index.md; the names and defaults are those of github.com/containerd/platforms
/// (`database.go`), by which a node chooses what it runs.
public struct Platform: Hashable, Sendable, CustomStringConvertible {
  /// The operating system as Go names it: `linux`.
  public let os: String
  /// The architecture as Go names it: `amd64`, `arm64`.
  public let architecture: String
  /// The variant, such as `v7` of `arm`; `nil` is the architecture's default.
  public let variant: String?
  /// The version of the operating system, which Windows images have.
  let osVersion: String?

  /// A platform; other names of an architecture (`x86_64`, `aarch64`) are changed to Go's, and a variant that is
  /// the default becomes `nil`.
  public init(os: String = "linux", architecture: String, variant: String? = nil, osVersion: String? = nil) {
    let normal = Self.normalized(architecture.lowercased(), variant?.lowercased())
    self.os = os.lowercased() == "macos" ? "darwin" : os.lowercased()
    self.architecture = normal.architecture
    self.variant = normal.variant
    self.osVersion = osVersion
  }

  /// Parses `OS/ARCHITECTURE[/VARIANT]`.
  ///
  /// - Throws: ``PlatformError`` for any other shape.
  public init(parsing text: String) throws(PlatformError) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard (2...3).contains(parts.count),
      parts.allSatisfy({ part in
        !part.isEmpty
          && part.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
              || "._-".utf8.contains(byte)
          }
      })
    else { throw PlatformError(text: text) }
    self.init(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
  }

  /// `linux/arm64`, `linux/arm/v7`.
  public var description: String {
    let base = "\(os)/\(architecture)"
    return variant.map { "\(base)/\($0)" } ?? base
  }

  /// How well a machine of this platform runs an image of another one: the higher the better, `nil` if it does not.
  ///
  /// A variant runs what was built for it and for lower ones. Unlike containerd, a 32-bit image is not a stand-in for
  /// a 64-bit one.
  public func fitness(of image: Platform) -> Int? {
    guard image.os == os, image.architecture == architecture else { return nil }
    if let osVersion, let other = image.osVersion, osVersion != other { return nil }
    if image.variant == variant { return .max }
    guard let mine = level, let other = image.level, other <= mine else { return nil }
    return other
  }

  /// The variant as a number by which variants of one architecture compare.
  private var level: Int? {
    let standard = ["amd64": "v1", "arm64": "v8", "arm": "v7"][architecture]
    guard let text = variant ?? standard, text.hasPrefix("v") else { return nil }
    let parts = text.dropFirst().split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(parts.count), let major = parts[0], (0..<1000).contains(major) else { return nil }
    guard parts.count == 2 else { return major * 1000 }
    guard let minor = parts[1], (0..<1000).contains(minor) else { return nil }
    return major * 1000 + minor
  }

  private static func normalized(
    _ architecture: String, _ variant: String?
  ) -> (architecture: String, variant: String?) {
    var variant = variant.flatMap { $0.isEmpty ? nil : $0 }
    if let text = variant, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { variant = "v\(text)" }
    switch architecture {
    case "amd64", "x86_64", "x86-64": return ("amd64", variant == "v1" ? nil : variant)
    case "arm64", "aarch64": return ("arm64", variant == "v8" || variant == "v8.0" ? nil : variant)
    case "arm": return ("arm", variant == "v7" ? nil : variant)
    case "armhf": return ("arm", nil)
    case "armel": return ("arm", "v6")
    case "i386", "i486", "i586", "i686": return ("386", nil)
    default: return (architecture, variant)
    }
  }
}

extension Platform: Codable {
  private enum CodingKeys: String, CodingKey {
    case os, architecture, variant
    case osVersion = "os.version"
  }

  /// Decodes the object of a descriptor.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      os: try container.decode(String.self, forKey: .os),
      architecture: try container.decode(String.self, forKey: .architecture),
      variant: try container.decodeIfPresent(String.self, forKey: .variant),
      osVersion: try container.decodeIfPresent(String.self, forKey: .osVersion))
  }

  /// Encodes the object of a descriptor; the default variant is left out.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(os, forKey: .os)
    try container.encode(architecture, forKey: .architecture)
    try container.encodeIfPresent(variant, forKey: .variant)
    try container.encodeIfPresent(osVersion, forKey: .osVersion)
  }
}

/// A text that names no platform.
public struct PlatformError: Error, Equatable, CustomStringConvertible {
  /// The text.
  public let text: String

  /// A sentence for people.
  public var description: String {
    "\"\(text)\" is not a platform: write OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as linux/arm64"
  }
}
