import Bundle
import Files
import Host
import Settings
import SystemPackage

/// What is asked of a run: the settings and the stages, and what follows from both. A value; it does nothing.
public struct Job: Sendable {
  /// The settings.
  public let configuration: Configuration
  /// The stages that are to run, those that they need included, in the order in which they are reported.
  public let selection: [StageName]
  /// The architectures of the target machines, the main one first; never empty.
  public let architectures: [Architecture]
  /// The folder in which a run looks first for `target-scripts/`, the local patches among them, and lists.
  public let projectRoot: FilePath
  /// The folder of an installed release, which has them too.
  private let installation: FilePath?

  /// A job.
  ///
  /// - Parameters:
  ///   - configuration: The settings; they also decide which stages need others.
  ///   - stages: The stages that were named; none means all. Those that they need are added.
  ///   - projectRoot: The folder in which a run looks first for `target-scripts/` and lists.
  ///   - installation: The folder of an installed release; what `projectRoot` lacks is taken from there.
  public init(
    _ configuration: Configuration, stages: [StageName] = [], projectRoot: FilePath,
    installation: FilePath? = nil
  ) {
    self.init(
      configuration, selection: StageTable.selection(stages, configuration), projectRoot: projectRoot,
      installation: installation)
  }

  /// A job of exactly these stages.
  init(
    _ configuration: Configuration, selection: [StageName], projectRoot: FilePath,
    installation: FilePath? = nil
  ) {
    self.configuration = configuration
    self.selection = selection
    self.projectRoot = projectRoot
    self.installation = installation
    let machine = Architecture.current
    let named = configuration.architectureNames(of: machine.rawValue).compactMap(Architecture.init(rawValue:))
    architectures = named.isEmpty ? [machine] : named
  }

  /// The main architecture, which the bundle is called after.
  public var architecture: Architecture { architectures.first ?? .current }

  /// The platforms of the target machines, `linux/amd64`, the main one first.
  var platforms: [String] { architectures.map { "linux/\($0.rawValue)" } }

  /// The architectures for people: `amd64 and arm64`.
  var architectureNames: String { architectures.map(\.rawValue).joined(separator: " and ") }

  /// Whether a stage is to run.
  func includes(_ stage: StageName) -> Bool { selection.contains(stage) }

  /// A folder of the project, such as `imagelists`: one's own, or else that of the installed release.
  func folder(_ name: FilePath) -> FilePath {
    let own = projectRoot.pushing(name)
    guard let installation, !folderExists(own) else { return own }
    return installation.pushing(name)
  }

  /// Where a file of the bundle lies.
  func place(_ path: BundlePath) -> FilePath {
    configuration.outputs.appending(path.description)
  }

  /// The releases that packages are carried for; none when packages are left out.
  ///
  /// - Throws: `OSReleaseError` or `UnsupportedTarget`.
  func packageTargets() throws -> [PackageTargets.Choice] {
    guard !configuration.packages.skip else { return [] }
    return try PackageTargets(configuration.packages, system: try OSRelease.current()).choices
  }
}
