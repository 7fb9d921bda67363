import Files
import Host
import SystemPackage

/// The package manager of a distribution: what makes it take its packages from the bundle, and its commands.
protocol PackageClient: Sendable {
  /// Files that list its sources, beside those in ``sourceFolders``.
  var sourceFiles: [FilePath] { get }
  /// Folders whose files with one of these extensions list sources.
  var sourceFolders: [(folder: FilePath, extensions: Set<String>)] { get }
  /// The source that leads to the bundle.
  var bundleSource: FilePath { get }

  /// The files that make it take packages from a repository.
  func files(_ repository: BundleRepositories.Repository, _ server: RepositoryFiles) -> [ClientFile]

  /// How it is asked to read a repository without a change to the host.
  ///
  /// - Parameter folder: A folder of the host's, for this process, which is empty and goes afterwards.
  func trial(
    _ repository: BundleRepositories.Repository, _ server: RepositoryFiles, in folder: FilePath
  ) -> Trial

  /// Makes it know the keys in some files of the host, where its source alone does not.
  ///
  /// - Parameter willLearn: Called with the names by which ``listInstalled`` lists those that come new, before they do.
  /// - Throws: ``StepError`` or ``Host/CommandError``.
  func learn(
    _ keys: [FilePath], _ packages: HostPackages, willLearn: ([String]) throws -> Void) async throws

  /// Asks whether it would install a package as it is configured now; `nil` where that cannot be asked.
  func simulation(of package: String) -> Command?

  /// Whether it would, as the answer to that question says.
  func wouldInstall(_ answer: CommandResult) -> Bool

  /// A package of a repository by which its use is proved: one that needs no other.
  ///
  /// - Throws: ``StepError`` when the bundle's own list of them is not as the manifest says.
  func sample(
    of repository: BundleRepositories.Repository, _ bundle: ArrivedBundle, installed: Set<String>
  ) throws(StepError) -> String?

  /// Files of sources that its own settings name beside the usual ones.
  ///
  /// - Throws: ``StepError`` when its settings keep it from reading the bundle's source.
  func configuredSources(_ host: TargetHost) async throws -> [FilePath]

  /// Which setting of the host is to blame for what it says; `nil` when that is not evident.
  func blame(_ result: CommandResult, _ host: TargetHost) -> String?

  /// Reads the sources as they are configured now, and fails when one of them is no use.
  var refresh: Command { get }

  /// Lists what is installed, as lines `installed NAME`.
  var listInstalled: Command { get }

  /// Removes packages, configuration included, unless others need them.
  func remove(_ names: [String]) -> Command

  /// Does what an interrupted command has left to do, such as the triggers of packages that it has removed; `nil` where
  /// nothing is ever left.
  var settle: Command? { get }

  /// Takes back what the package manager itself has written down of packages that are gone.
  ///
  /// - Throws: `FileError`.
  func forget(_ names: Set<String>, on host: TargetHost) throws

  /// Installs packages with what they need.
  ///
  /// - Parameter willInstall: Called with the names of all packages that come new, before the first of them does.
  /// - Throws: ``PackagesNotInstalled`` or ``Host/CommandError``.
  func install(
    _ names: [String], _ packages: HostPackages, willInstall: ([String]) throws -> Void) async throws

  /// What a command that failed says of a lock that another one holds; `nil` when it failed for another reason.
  func takenLock(_ result: CommandResult) -> String?
}

/// How a package client is asked to read a repository without a change to the host.
struct Trial: Sendable {
  /// What is put into the folder before.
  let files: [ClientFile]
  /// Commands, each of which must succeed.
  let commands: [Command]
  /// Asks whether it would install a package from there; `nil` where that cannot be asked.
  let install: @Sendable (String) -> Command?
}

/// A file of a package client, and what is to be in it.
struct ClientFile: Sendable {
  enum Content: Sendable {
    case text(String)
    /// A key of the bundle, by its path in it.
    case key(String)
    case bytes([UInt8])
  }

  let path: FilePath
  let content: Content
  /// Its permission bits.
  var mode: UInt32 = 0o644

  /// The bytes that it is to have.
  ///
  /// - Throws: ``StepError`` when a key cannot be read.
  func bytes(_ bundle: ArrivedBundle) throws(StepError) -> [UInt8] {
    switch content {
    case .text(let text): Array(text.utf8)
    case .key(let path): try bundle.bytes(path)
    case .bytes(let bytes): bytes
    }
  }
}

extension PackageClient {
  func simulation(of package: String) -> Command? { nil }

  func wouldInstall(_ answer: CommandResult) -> Bool { answer.status == 0 }

  func sample(
    of repository: BundleRepositories.Repository, _ bundle: ArrivedBundle, installed: Set<String>
  ) throws(StepError) -> String? { nil }

  func configuredSources(_ host: TargetHost) async throws -> [FilePath] { [] }

  func blame(_ result: CommandResult, _ host: TargetHost) -> String? { nil }

  func learn(
    _ keys: [FilePath], _ packages: HostPackages, willLearn: ([String]) throws -> Void
  ) async throws {}

  // dnf waits by itself.
  func takenLock(_ result: CommandResult) -> String? { nil }

  /// The environment of a trial: no proxy that this process was given leads it elsewhere.
  static var trialEnvironment: [String: String?] {
    PipClient.environment.merging(["LC_ALL": "C.UTF-8"]) { $1 }
  }

  /// Its sources on a host beside the bundle: the distribution's own and everybody else's, by their paths there.
  func otherSources(on host: TargetHost) -> [FilePath] {
    let listed = sourceFolders.flatMap { folder, extensions in
      ((try? listFolder(host.path(folder))) ?? []).map { folder.appending($0) }
        .filter { $0.extension.map(extensions.contains) ?? false }
    }
    return (sourceFiles + listed).filter { path in
      // A link is one, wherever it leads.
      guard path != bundleSource, let found = try? FileInfo(host.path(path)) else { return false }
      return found.kind != .folder
    }
  }
}

extension OSRelease.Family {
  /// The package manager of this package world; `nil` where it is none that is known.
  var packageClient: (any PackageClient)? {
    switch self {
    case .debian: AptClient()
    case .redHat: DnfClient()
    case .suse: ZypperClient()
    case .other: nil
    }
  }
}
