/// A Helm chart that a role installs from a chart repository, which `downloads` does not know.
public struct CatalogChart: Codable, Hashable, Sendable {
  /// The chart's name in its repository.
  public var name: String
  /// Its version, without constraints.
  public var version: String
  /// The repository's URL, without a slash at the end.
  public var repository: String
  /// The release that the role installs, such as `cilium`.
  public var release: String
  /// Whether kubespray itself gives the chart every image that it runs.
  public var hasOwnImages: Bool
  /// Whether a cluster of this inventory installs it.
  public var isEnabled: Bool
  /// Where it was found, for people.
  public var origin: String

  /// Makes a value of its parts.
  public init(
    name: String, version: String, repository: String, release: String, hasOwnImages: Bool, isEnabled: Bool,
    origin: String
  ) {
    self.name = name
    self.version = version
    self.repository = repository
    self.release = release
    self.hasOwnImages = hasOwnImages
    self.isEnabled = isEnabled
    self.origin = origin
  }

  /// The folder below outputs/files that serves its repository: host and path, as kubespray's own documentation lays
  /// out such mirrors (docs/operations/offline-environment.md).
  public var folder: String { Self.folder(of: repository) }

  /// The folder below outputs/files that serves a repository.
  static func folder(of repository: String) -> String {
    let rest = repository.firstRange(of: "://").map { repository[$0.upperBound...] } ?? repository[...]
    return rest.split(separator: "/").map { $0.replacing(":", with: "_") }.joined(separator: "/")
  }
}
