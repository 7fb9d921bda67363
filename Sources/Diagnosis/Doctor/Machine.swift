import Files
import FoundationEssentials
import Host
import SystemPackage

/// A machine, as it is looked at: what it tells in its files, and what its programs answer. Nothing is changed.
public struct Machine: Sendable {
  /// Runs a command; `nil` where it cannot be started.
  public typealias Runner = @Sendable (Command) async -> CommandResult?

  /// Where its root is for this process: `/`, or a temporary folder in tests.
  let root: FilePath
  /// The environment of the process.
  public var environment: [String: String]
  /// The distribution; `nil` when the machine does not tell.
  public let system: OSRelease?
  /// The network interfaces.
  public var interfaces: NetworkInterfaces
  /// The time, in seconds since 1970.
  public var now: Int64
  /// Whether this process is root.
  public var isRoot: Bool
  /// The room for a path of the machine; `nil` where it cannot be told.
  public var space: @Sendable (FilePath) -> FileSystemSpace?
  /// Runs a command.
  public var run: Runner

  /// This machine.
  public static func current(_ environment: [String: String]) -> Machine {
    Machine(
      root: "/", environment: environment, interfaces: .current(), now: secondsSince1970(),
      isRoot: Privilege.isRoot, space: { try? FileSystemSpace.at($0) }, run: { try? await $0.run() })
  }

  /// A machine below a folder.
  public init(
    root: FilePath, environment: [String: String], interfaces: NetworkInterfaces, now: Int64, isRoot: Bool,
    space: @escaping @Sendable (FilePath) -> FileSystemSpace?, run: @escaping Runner
  ) {
    self.root = root
    self.environment = environment
    self.interfaces = interfaces
    self.now = now
    self.isRoot = isRoot
    self.space = space
    self.run = run
    let files: [FilePath] = ["/etc/os-release", "/usr/lib/os-release"]
    let text = files.lazy.compactMap { try? readText(root.appending($0.components), limit: 64 << 10) }.first
    system = text.map(OSRelease.parse)
  }
}

extension Machine {
  /// Where a path of the machine lies for this process.
  public func path(_ path: FilePath) -> FilePath { root == "/" ? path : root.appending(path.components) }

  /// Whether there is something at a path.
  func exists(_ path: FilePath) -> Bool { fileExists(self.path(path)) }

  /// The text of a file; `nil` when it cannot be read.
  func text(_ path: FilePath) -> String? { try? readText(self.path(path), limit: 4 << 20) }

  /// The lines of a file; none when it cannot be read.
  func lines(_ path: FilePath) -> [Substring] { (text(path) ?? "").split(whereSeparator: \.isNewline) }

  /// The names in a folder; none when it cannot be listed.
  func names(in folder: FilePath) -> [String] { ((try? listFolder(path(folder))) ?? []).sorted() }

  /// Whether one of these programs is there.
  public func hasProgram(_ names: String...) -> Bool {
    names.contains { name in
      ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin"].contains {
        exists(FilePath($0).appending(name))
      }
    }
  }

  /// The variables of the environment that are set and not empty.
  func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// The mounted file systems.
  public var mountTable: MountTable { MountTable(proc: path("/proc")) }

  /// The processes, by number and short name (proc(5), `comm`).
  func processes() -> [(id: Int32, name: String)] {
    names(in: "/proc").compactMap { name in
      guard let id = Int32(name), let comm = lines(FilePath("/proc/\(name)/comm")).first else { return nil }
      return (id, String(comm))
    }
  }

  /// The command that installs a package of the distribution, which SUSE calls as the RHEL family does.
  public func installing(_ debian: String, _ redHat: String) -> String {
    switch system?.family {
    case .redHat: "dnf install \(redHat)"
    case .suse: "zypper install \(redHat)"
    case .debian, .other, nil: "apt-get install \(debian)"
    }
  }
}
