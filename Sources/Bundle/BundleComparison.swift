import Integrity

/// What differs between two bundles that should be the same.
///
/// The id, the sequence, the times and the proof of a manifest are its own: they are not compared. Nor are the
/// signatures over the indexes of package repositories: each machine may have a key of its own for them, and what they
/// sign is compared.
public struct BundleComparison: Sendable, Encodable, Equatable {
  /// What differs.
  public enum What: String, Sendable, Encodable {
    /// One of them does not have the file.
    case presence
    /// Size or digest.
    case content
    /// Who vouches for the bytes.
    case label
    /// Where they come from.
    case url
    /// What the manifest says of the bundle as a whole; the path is then the key in the manifest.
    case statement
    /// The key that signs a repository; the path is then its folder.
    case key
  }

  /// One difference.
  public struct Difference: Sendable, Encodable, Equatable {
    /// The path of the file, or the key in the manifest.
    public let path: String
    /// What differs.
    public let what: What
    /// What the first says; absent when it has nothing.
    public let first: String?
    /// What the second says; absent when it has nothing.
    public let second: String?
  }

  /// How many files the first has.
  public let files: Int
  /// What differs: statements, then files in order of their paths.
  public let differences: [Difference]
  /// The repositories that are signed with other keys, which is not a difference: the folder and the fingerprints.
  public let keys: [Difference]

  /// Whether nothing differs.
  public var isEqual: Bool { differences.isEmpty }

  /// Compares two manifests.
  public init(_ first: Manifest, _ second: Manifest) {
    files = first.files.count
    let signed = Set(first.signedRepositories.keys).union(second.signedRepositories.keys)
    differences = Self.statements(first, second) + Self.files(first, second, signed)
    keys = signed.sorted().compactMap { folder in
      guard let one = first.signedRepositories[folder], let other = second.signedRepositories[folder] else {
        return nil
      }
      return Self.difference(folder, .key, one, other)
    }
  }

  private static func statements(_ first: Manifest, _ second: Manifest) -> [Difference] {
    let parts: [(String, (Manifest) -> String?)] = [
      ("architecture", { $0.architecture }), ("format", { "\($0.format)" }), ("kubespray", { $0.kubespray }),
      ("platforms", { $0.platforms.joined(separator: " ") }),
      ("signedRepositories", { $0.signedRepositories.keys.sorted().joined(separator: " ") }),
      ("source", { $0.source.map(Self.text) }),
      ("stages", { $0.stages.map(\.rawValue).joined(separator: " ") }), ("tool", { $0.tool }),
      ("toolDigest", { $0.toolDigest?.description }),
    ]
    return parts.compactMap { key, value in
      difference(key, .statement, value(first), value(second))
    }
  }

  private static func text(_ source: ManifestSource) -> String {
    "\(source.version) \(source.origin) \(source.sha256)" + (source.tree.map { " tree \($0)" } ?? "")
  }

  private static func files(
    _ first: Manifest, _ second: Manifest, _ signed: Set<String>
  ) -> [Difference] {
    let (ours, theirs) = (Manifest.sorted(first.files), Manifest.sorted(second.files))
    var differences: [Difference] = []
    var (left, right) = (0, 0)
    while left < ours.count || right < theirs.count {
      // Both are in order of paths.
      let isOurs = right == theirs.count || left < ours.count && !(theirs[right].path < ours[left].path)
      let isTheirs = left == ours.count || right < theirs.count && !(ours[left].path < theirs[right].path)
      differences += Self.differences(isOurs ? ours[left] : nil, isTheirs ? theirs[right] : nil, signed)
      if isOurs { left += 1 }
      if isTheirs { right += 1 }
    }
    return differences
  }

  /// What differs between two files of one path, of which one may not be there.
  private static func differences(
    _ first: ManifestFile?, _ second: ManifestFile?, _ signed: Set<String>
  ) -> [Difference] {
    guard let name = (first ?? second)?.path.description else { return [] }
    // It only repeats what is compared here.
    guard name != BundleChecksums.fileName else { return [] }
    guard let first, let second else {
      return [Difference(path: name, what: .presence, first: first.map(content), second: second.map(content))]
    }
    let isSignature = RepositorySignature.isOne(name, in: signed)
    return [
      isSignature || first.size == second.size && first.sha256 == second.sha256
        ? nil : difference(name, .content, content(first), content(second)),
      difference(name, .label, first.verification.rawValue, second.verification.rawValue),
      difference(name, .url, first.url, second.url),
    ].compactMap(\.self)
  }

  private static func content(_ file: ManifestFile) -> String { "\(file.size) bytes, \(file.sha256)" }

  private static func difference(
    _ path: String, _ what: What, _ first: String?, _ second: String?
  ) -> Difference? {
    first == second ? nil : Difference(path: path, what: what, first: first, second: second)
  }
}
