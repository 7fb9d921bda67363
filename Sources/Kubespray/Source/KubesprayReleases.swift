import Integrity

/// The releases of kubespray that this program knows by their content: for each the id that git gives to its files.
///
/// The table `releases.txt` is written by `scripts/kubespray-releases`.
public enum KubesprayReleases {
  private static let table: [String: Digest] = {
    let lines = String(decoding: PackageResources.releases_txt, as: UTF8.self).split(separator: "\n")
    return lines.reduce(into: [:]) { table, line in
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 2, let digest = try? Digest(algorithm: .sha256, hex: words[1]) else { return }
      table[words[0]] = digest
    }
  }()

  /// The id of the files of a release; `nil` for what is no release, and for one that is newer than this program.
  public static func tree(of version: KubesprayVersion) -> Digest? {
    version.kind == .release || version.kind == .tree ? table[version.name] : nil
  }

  /// The newest of them.
  public static let newest = table.keys.max { numbers($0).lexicographicallyPrecedes(numbers($1)) } ?? ""

  /// Whether a release is newer than all of them, so that this program cannot know its content.
  public static func areOlder(than version: KubesprayVersion) -> Bool {
    version.kind == .release && numbers(newest).lexicographicallyPrecedes(numbers(version.name))
  }

  /// Whether one release is older than another.
  public static func isOlder(_ one: KubesprayVersion, than other: KubesprayVersion) -> Bool {
    numbers(one.name).lexicographicallyPrecedes(numbers(other.name))
  }

  private static func numbers(_ name: String) -> [Int] {
    name.prefix { $0 != "-" }.split(separator: ".").map { Int($0) ?? .max }
  }
}
