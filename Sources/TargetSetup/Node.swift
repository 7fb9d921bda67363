import Bundle
import Console
import Glibc
import Host
import Settings
import SystemPackage

/// What starts and watches the services of a host.
public enum InitSystem: Sendable, Equatable {
  /// systemd is process 1 (sd_booted(3)).
  case systemd
  /// Something else: services run under a script of ours.
  case none
}

/// How the registry that images are pushed to is spoken to.
public struct PushOptions: Sendable, Equatable {
  /// The CA certificates that its own is checked with; `nil` for those of the system.
  public var certificateAuthority: FilePath?
  /// Whether its certificate is not checked, and plain HTTP is fine.
  public var isInsecure: Bool
  /// Archives whose images are pushed instead of the bundle's.
  public var archives: [FilePath]

  /// Options.
  public init(certificateAuthority: FilePath? = nil, isInsecure: Bool = false, archives: [FilePath] = []) {
    self.certificateAuthority = certificateAuthority
    self.isInsecure = isInsecure
    self.archives = archives
  }
}

/// Runs a command, with the lines of its output as they come.
public typealias CommandRunner =
  @Sendable (Command, (@Sendable (String) -> Void)?) async throws -> CommandResult

/// The host that is set up, and the bundle that it is set up from.
public struct Node: Sendable {
  /// The bundle's folder, an absolute path.
  public var bundle: FilePath
  /// The settings: those of the bundle, changed by environment and flags.
  public var configuration: Configuration
  /// What the bundle says of itself; `nil` for one that was made by the shell project.
  public let manifest: Manifest?
  /// What a bundle of the shell project is known by; `nil` for one of ours.
  let shell: ShellBundle?
  /// The files of the manifest, by path.
  let manifestFiles: [String: ManifestFile]
  /// The distribution.
  public var system: OSRelease
  /// The processor architecture.
  public var architecture: Architecture
  /// Where the host's root is: `/`, or a temporary folder in tests.
  public var root: FilePath
  /// What starts services.
  public var initSystem: InitSystem
  /// The network interfaces, for the choice of this host's address.
  public var interfaces: NetworkInterfaces
  /// How a registry is spoken to.
  public var push = PushOptions()
  /// The environment of the process: logins for registries, the home folder.
  public var environment: [String: String] = [:]
  /// Shows a table of results: names of columns, and rows.
  public var showTable: @Sendable ([String], [[String]]) -> Void = { _, _ in }
  /// Runs commands; tests put in their own.
  public var runner: CommandRunner
  /// Where every event goes.
  public var emit: @Sendable (ConsoleEvent) -> Void

  /// A host.
  public init(
    bundle: FilePath, configuration: Configuration, manifest: Manifest?, shell: ShellBundle? = nil,
    system: OSRelease, architecture: Architecture = .current, root: FilePath = "/", initSystem: InitSystem,
    interfaces: NetworkInterfaces,
    runner: @escaping CommandRunner = { try await $0.run(onLine: $1) },
    emit: @escaping @Sendable (ConsoleEvent) -> Void = { _ in }
  ) {
    self.bundle = bundle
    self.configuration = configuration
    self.manifest = manifest
    self.shell = shell
    manifestFiles = Dictionary((manifest?.files ?? []).map { ($0.path.description, $0) }) { first, _ in first
    }
    self.system = system
    self.architecture = architecture
    self.root = root
    self.initSystem = initSystem
    self.interfaces = interfaces
    self.runner = runner
    self.emit = emit
  }

  /// Where a path of the host lies for this process: below ``root``.
  public func path(_ path: FilePath) -> FilePath {
    root == "/" ? path : root.appending(path.components)
  }

  /// The folder of the program's own state on the host: journal, backups, the served copy.
  public var stateFolder: FilePath { configuration.target.directory }

  /// Runs a command; an exit status other than 0 is a result.
  ///
  /// - Throws: ``Host/CommandError``.
  public func run(
    _ command: Command, onLine: (@Sendable (String) -> Void)? = nil
  ) async throws -> CommandResult { try await runner(command, onLine) }

  /// Runs a command and returns what it wrote to standard output.
  ///
  /// - Throws: ``Host/CommandError``, also when the exit status is not 0.
  @discardableResult
  public func output(_ command: Command) async throws -> String {
    let result = try await run(command)
    guard result.status == 0 else {
      throw CommandError.failed(command: command.description, result: result)
    }
    return result.standardOutput
  }

  /// Whether a command ends with status 0; false also when it cannot be started.
  public func succeeds(_ command: Command) async -> Bool { (try? await run(command))?.status == 0 }

  /// Tells something about a step.
  public func say(_ level: MessageLevel, _ text: String, step: StepName? = nil) {
    emit(.message(level, text, stage: step?.rawValue))
  }

  /// Whether there is something at a path of the host, a dangling link too.
  public func exists(_ path: FilePath) -> Bool { FileAttributes(self.path(path)) != nil }
}
