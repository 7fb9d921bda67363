import Bundle
import Console
import Host
import Settings

/// Installs what this machine lacks for the selected stages, from its own package sources, and nothing else.
struct PkgsStage: Stage {
  /// What the selected stages need.
  let needed: @Sendable () throws -> [HostProgram]
  /// Whether packages may be installed (setting `packages.install`).
  let mayInstall: Bool
  /// Whether the network is not asked (setting `transfer.offline`).
  var isOffline = false
  /// Whether nothing but the cache may change: a plan is asked for, not a run.
  let isPlanning: Bool
  let events: StageEvents
  /// The package world of this machine.
  var family: @Sendable () -> OSRelease.Family = { (try? OSRelease.current())?.family ?? .other }
  /// Runs a command, reporting its lines.
  var perform: @Sendable (Command, @escaping @Sendable (String) -> Void) async throws -> CommandResult = {
    try await $0.run(onLine: $1)
  }

  func artifacts() async throws -> [Artifact] {
    let lacking = try await lacking()
    guard !lacking.isEmpty else {
      events.say(.debug, "every program that is needed is there")
      return []
    }
    let packages = unique(lacking.flatMap { $0.packages(family()) })
    let reasons = lacking.map { "\($0.name) (to \($0.purpose))" }.joined(separator: ", ")
    guard !packages.isEmpty else { throw PkgsFailed.unknownSystem(reasons) }
    let commands = commands(packages)
    let typed = commands.map { "\($0.asRoot())" }.joined(separator: " && ")
    guard !isPlanning else {
      events.say(.info, "would install: \(packages.joined(separator: " ")), for \(reasons)")
      return []
    }
    guard mayInstall, !isOffline else {
      throw PkgsFailed.notAllowed(reasons, command: typed, isOffline: isOffline)
    }
    events.begin("installing \(packages.joined(separator: " ")), for \(reasons)")
    for command in commands { try await install(command, typed: typed) }
    let left = try await self.lacking()
    guard left.isEmpty else {
      throw PkgsFailed.stillMissing(left.map(\.name).joined(separator: ", "), command: typed)
    }
    return []
  }

  /// The packages that would be installed, in order; none when nothing is missing.
  func lackingPackages() async throws -> [String] {
    unique(try await lacking().flatMap { $0.packages(family()) })
  }

  private func lacking() async throws -> [HostProgram] {
    var lacking: [HostProgram] = []
    for program in try needed() where await !program.isPresent() { lacking.append(program) }
    return lacking
  }

  private func commands(_ packages: [String]) -> [Command] {
    guard family() == .debian else {
      return [
        Command("dnf", ["-y", "-q", "--setopt=install_weak_deps=False", "install"] + packages)
      ]
    }
    // Another apt at work, such as the one that looks for upgrades by itself, is waited for.
    let wait = ["-o", "DPkg::Lock::Timeout=300"]
    return [
      Command("apt-get", wait + ["-q", "update"]),
      Command(
        "apt-get", wait + ["-q", "-y", "--no-install-recommends", "install"] + packages,
        environment: ["DEBIAN_FRONTEND": "noninteractive"]),
    ]
  }

  private func install(_ command: Command, typed: String) async throws {
    let result: CommandResult
    do {
      result = try await perform(command.unbroken().asRoot()) {
        events.say(.debug, hidingCredentials($0))
      }
    } catch CommandError.cancelled {
      throw CancellationError()
    } catch {
      throw PkgsFailed.failed("\(error)", command: typed)
    }
    guard result.status != 0 else { return }
    let lines = (result.standardOutput + "\n" + result.standardError).split(whereSeparator: \.isNewline)
    throw PkgsFailed.failed(
      hidingCredentials(lines.suffix(8).map { "  \($0)" }.joined(separator: "\n")), command: typed)
  }

  private func unique(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }
}

/// Why a program that is needed is not there.
enum PkgsFailed: Error, CustomStringConvertible {
  /// `packages.install` is false, or the network is not asked.
  case notAllowed(String, command: String, isOffline: Bool = false)
  /// The package client failed, and said why.
  case failed(String, command: String)
  /// The packages are there, the programs are not.
  case stillMissing(String, command: String)
  /// This machine has neither apt nor dnf.
  case unknownSystem(String)

  var description: String {
    switch self {
    case .notAllowed(let programs, _, isOffline: false):
      "this machine lacks \(programs), and packages.install is false"
    case .notAllowed(let programs, _, isOffline: true):
      "this machine lacks \(programs), and the network is not asked"
    case .failed(let reason, _): "the missing programs could not be installed:\n\(reason)"
    case .stillMissing(let programs, let command): "\(programs): still missing after \(command)"
    case .unknownSystem(let programs): "this machine lacks \(programs), and has neither apt nor dnf"
    }
  }
}
