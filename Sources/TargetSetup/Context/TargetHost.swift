import Diagnosis
import Files
import Host
import SystemPackage

/// What starts and watches the services of a host.
enum InitSystem: Sendable, Equatable {
  /// systemd is process 1 (sd_booted(3)).
  case systemd
  /// Something else: services run under a script of ours.
  case none
}

/// Runs a command, with the lines of its output as they come.
typealias CommandRunner =
  @Sendable (Command, (@Sendable (String) -> Void)?) async throws -> CommandResult

/// The machine that is set up: the admin host.
struct TargetHost: Sendable {
  /// Where its root is for this process: `/`, or a temporary folder in tests.
  let root: FilePath
  /// The folder of the program's own state, a path of the host: journals, backups, the served copy.
  let stateFolder: FilePath
  /// The distribution.
  let system: OSRelease
  /// The processor architecture.
  let architecture: Architecture
  /// What starts services.
  let initSystem: InitSystem
  /// The network interfaces, for the choice of the host's address.
  let interfaces: NetworkInterfaces
  /// The environment of the process: logins for registries, the home folder.
  let environment: [String: String]
  private let runner: CommandRunner

  /// A host.
  ///
  /// - Parameter runner: Runs commands; tests put in their own.
  init(
    root: FilePath = "/", stateFolder: FilePath, system: OSRelease, architecture: Architecture = .current,
    initSystem: InitSystem, interfaces: NetworkInterfaces, environment: [String: String] = [:],
    runner: @escaping CommandRunner = { try await $0.run(onLine: $1) }
  ) {
    self.root = root
    self.stateFolder = stateFolder
    self.system = system
    self.architecture = architecture
    self.initSystem = initSystem
    self.interfaces = interfaces
    self.environment = environment
    self.runner = runner
  }
}

extension TargetHost {
  /// The same machine, to be looked at.
  var machine: Machine {
    Machine(
      root: root, environment: environment, interfaces: interfaces, now: secondsSince1970(),
      isRoot: Privilege.isRoot, space: { try? FileSystemSpace.at(path($0)) }, run: { try? await run($0) })
  }
}

// MARK: Paths

extension TargetHost {
  /// Where a path of the host lies for this process: below ``root``.
  func path(_ path: FilePath) -> FilePath {
    root == "/" ? path : root.appending(path.components)
  }

  /// Whether there is something at a path of the host, a dangling link too.
  func exists(_ path: FilePath) -> Bool { FileTree.exists(self.path(path)) }

  /// The bytes of a file of the host; `nil` when there is none.
  ///
  /// - Throws: ``StepError`` when it cannot be read.
  func file(_ path: FilePath) throws(StepError) -> [UInt8]? {
    do {
      return try readBytes(ifPresent: self.path(path))
    } catch {
      throw StepError(
        "\(path) cannot be read: \((error as? FileError)?.code ?? .ioError)", .correctFile)
    }
  }

  /// Whether one of these programs is on the host.
  func hasProgram(_ names: String...) -> Bool {
    names.contains { name in
      ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"].contains {
        exists(FilePath($0).appending(name))
      }
    }
  }
}

// MARK: Commands

extension TargetHost {
  /// Runs a command; an exit status other than 0 is a result.
  ///
  /// - Throws: ``Host/CommandError``.
  func run(
    _ command: Command, onLine: (@Sendable (String) -> Void)? = nil
  ) async throws -> CommandResult { try await runner(command, onLine) }

  /// Runs a command and returns what it wrote to standard output.
  ///
  /// - Throws: ``Host/CommandError``, also when the exit status is not 0.
  @discardableResult
  func output(_ command: Command) async throws -> String {
    let result = try await run(command)
    guard result.status == 0 else {
      throw CommandError.failed(command: command.description, result: result)
    }
    return result.standardOutput
  }

  /// Whether a command ends with status 0; false also when it cannot be started.
  func succeeds(_ command: Command) async -> Bool { (try? await run(command))?.status == 0 }
}
