import Bundle
import Console
import Files
import Kubespray
import Settings
import SystemPackage

/// The kubespray releases that one command is for, the oldest first.
///
/// Each of several has a bundle of its own, `OUTPUTS/VERSION/`: it is evaluated, proved, signed, set up and pruned by itself,
/// and no path of one can have the content of another. What they have in common lies on the disk once, see `SharedContent`.
public struct ReleaseChain: Sendable {
  /// The word in `kubespray.source` that stands for the version.
  static let placeholder = "{version}"

  /// The settings for each release: with its version, and of several its folder and its lock.
  public let configurations: [Configuration]
  /// Whether there is more than one.
  public var hasSeveral: Bool { configurations.count > 1 }
  /// The minor releases that would be skipped by who upgrades along this chain, in words; `nil` when there are none.
  public let gap: String?

  /// The chain that the setting `kubespray.version` names.
  ///
  /// - Throws: ``ReleaseChainError``, `KubesprayVersionError`.
  public init(_ configuration: Configuration) throws {
    let names = configuration.kubespray.version.split(separator: ",").map(String.init)
    let versions = try names.map { text throws(KubesprayVersionError) in try KubesprayVersion(text) }
    guard versions.count > 1 else {
      configurations = [Self.filled(configuration, names.first ?? "")]
      gap = nil
      return
    }
    if let twice = versions.first(where: { version in versions.count { $0 == version } > 1 }) {
      throw ReleaseChainError.twice(twice.name)
    }
    let source = configuration.kubespray.source
    if let source, !source.contains(Self.placeholder), try !Self.isRepository(source) {
      throw ReleaseChainError.oneSource(source)
    }
    if FileInfo(regularFile: configuration.outputs.appending(Manifest.fileName)) != nil {
      throw ReleaseChainError.isBundle(configuration.outputs)
    }
    let sorted = versions.sorted {
      ($0.releaseNumbers ?? Self.last).lexicographicallyPrecedes($1.releaseNumbers ?? Self.last)
    }
    configurations = sorted.map { version in
      var settings = Self.filled(configuration, version.name)
      settings.outputs.append(version.fileName)
      settings.lock = Self.lock(configuration.lock, version)
      return settings
    }
    gap = Self.gap(sorted)
  }

  /// Branches and commits stand behind all releases.
  private static let last = [Int.max]

  /// A git repository has all releases.
  private static func isRepository(_ source: String) throws -> Bool {
    if case .git(_, reference: nil) = try KubespraySource(source) { true } else { false }
  }

  private static func filled(_ configuration: Configuration, _ version: String) -> Configuration {
    var settings = configuration
    settings.kubespray.version = version
    settings.kubespray.source = configuration.kubespray.source.map { source in
      source.split(separator: placeholder, omittingEmptySubsequences: false).joined(separator: version)
    }
    return settings
  }

  /// `bundle-2.30.0.lock` of `bundle.lock`.
  private static func lock(_ path: FilePath, _ version: KubesprayVersion) -> FilePath {
    guard let stem = path.stem else { return path }
    let end = path.extension.map { ".\($0)" } ?? ""
    return path.removingLastComponent().appending("\(stem)-\(version.fileName)\(end)")
  }

  private static func gap(_ versions: [KubesprayVersion]) -> String? {
    let releases = versions.compactMap { version in version.releaseNumbers.map { (version, $0) } }
    for (lower, upper) in zip(releases, releases.dropFirst())
    where lower.1[0] == upper.1[0] && upper.1[1] > lower.1[1] + 1 {
      let between = (lower.1[1] + 1..<upper.1[1]).map { "\(lower.1[0]).\($0)" }.joined(separator: ", ")
      return
        "kubespray is upgraded one minor release after the other, and between \(lower.0) and \(upper.0) there is "
        + "none of \(between)"
    }
    return nil
  }
}

/// Why several releases cannot be brought by one command.
public enum ReleaseChainError: Error, Equatable, CustomStringConvertible {
  /// A version is named twice.
  case twice(String)
  /// The source is one tree, which is one release.
  case oneSource(String)
  /// The folder for the bundles is a bundle.
  case isBundle(FilePath)
  /// The command is for one bundle.
  case oneBundle(command: String, folders: [FilePath])

  /// A sentence for people.
  public var description: String {
    switch self {
    case .twice(let version): "kubespray.version names \(version) twice"
    case .oneSource(let source):
      "kubespray.source is one kubespray (\(source)), and kubespray.version names several"
    case .isBundle(let folder): "\(folder) is the bundle of one release, so it cannot hold those of several"
    case .oneBundle(let command, _):
      "\(command) is for one bundle, and kubespray.version names several releases"
    }
  }
}

extension ReleaseChain {
  /// The chain, once it is known what `latest` is; a minor release that is left out is warned of.
  ///
  /// - Throws: ``ReleaseChainError``, `KubesprayVersionError`, or what keeps the latest release from being known.
  public static func resolved(
    _ configuration: Configuration, environment: [String: String], emit: @Sendable (ConsoleEvent) -> Void
  ) async throws -> ReleaseChain {
    let chain = try ReleaseChain(
      try await LatestRelease.resolved(configuration, environment: environment, emit: emit))
    if let gap = chain.gap { emit(.message(.warning, gap, stage: nil)) }
    return chain
  }

  /// The settings for a command that is for one bundle.
  ///
  /// - Throws: ``ReleaseChainError``.
  public func only(for command: String) throws(ReleaseChainError) -> Configuration {
    guard let first = configurations.first, !hasSeveral else {
      throw .oneBundle(command: command, folders: configurations.map(\.outputs))
    }
    return first
  }
}
