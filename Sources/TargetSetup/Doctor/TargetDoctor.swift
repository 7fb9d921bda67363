import Bundle
import Console
import Diagnosis
import Files
import Host
import Integrity
import Settings
import SystemPackage

/// Looks at the machine that is to be set up, or was: what would stop the steps, or keeps nodes from being served.
/// Nothing is changed.
public struct TargetDoctor: Sendable {
  let machine: Machine
  /// What the steps would work with, or why they could not begin.
  private let context: Result<SetupContext, any Error>
  /// The time, in seconds since 1970, when nodes are asked.
  var now: @Sendable () -> Int64 = { secondsSince1970() }

  /// - Parameters:
  ///   - environment: The variables of the process.
  ///   - context: Makes what the steps would work with.
  /// - Throws: `ConfigurationError`; what else keeps the steps from beginning is one of the findings.
  public init(environment: [String: String], context: () throws -> SetupContext) throws {
    let made = Result { try context() }
    if case .failure(let error as ConfigurationError) = made { throw error }
    self.init((try? made.get())?.host.machine ?? .current(environment), made)
  }

  init(_ machine: Machine, _ context: Result<SetupContext, any Error>) {
    self.machine = machine
    self.context = context
  }

  /// Looks.
  ///
  /// - Parameter inventories: Inventories of Ansible, files or folders, whose nodes are looked at too, over ssh.
  /// - Throws: `CancellationError`.
  public func report(inventories: [String] = []) async throws -> MachineReport {
    var found = [rights(), machine.distribution()]
    found += bundle()
    found += [machine.clock(after: made), machine.names(needsInternet: false)]
    found += [addresses(), machine.proxy(isNeeded: false, own: own), machine.authorities(isNeeded: false)]
    found += uses().flatMap { machine.room(for: $0) { ByteCount.format($0) } }
    found += [medium(), machine.temporaryFolder(), machine.memory(needed: 1 << 30) { ByteCount.format($0) }]
    found += [
      machine.controlGroups(), await machine.overlay(),
      machine.services(next: "target-setup all, after each boot"),
    ]
    found += [machine.securityLabels()] + (machine.executionPolicy().map { [$0] } ?? [])
    try Task.checkCancellation()
    let servers = await servers()
    found += servers.map { machine.port(of: $0) }
    found.append(await machine.firewall(servers, opensFirewalld: !servers.contains { $0.isRunning }))
    found += [machine.packageManager()] + packages()
    found += await clients()
    found += [machine.fileMask(), await machine.locale(), machine.openFiles(), leftovers()]
    if let other = machine.holder(ofLock: HostLock.place) {
      found.append(
        .warning(.run, "process \(other) is setting up this host", next: "tail --pid=\(other) -f /dev/null"))
    }
    found += try await steps()
    found += try await nodes(inventories, nodeServers(servers))
    return MachineReport(found)
  }

  var setUp: SetupContext? { try? context.get() }

  private func rights() -> Finding {
    machine.isRoot
      ? .ok(.rights, "root")
      : .warning(
        .rights, "not root: who holds a port and what only root may read are not seen",
        next: "sudo target-setup doctor")
  }

  private func bundle() -> [Finding] {
    switch context {
    case .success(let context) where !context.bundle.isFinished:
      return [Self.finding(.bundle, StepError.unfinished(context.bundle.folder))]
    case .success(let context):
      let count = context.bundle.manifest?.files.count
      let name = context.configuration.kubespray.version
      return [
        .ok(
          .bundle,
          "\(context.bundle.folder), for kubespray \(name)"
            + (count.map { ", " + counted($0, "file") } ?? "") + "; \(context.trust.summary)")
      ]
    case .failure(let error):
      return [Self.finding(.bundle, error)]
    }
  }

  /// An error as a finding.
  static func finding(_ check: MachineCheck, _ error: any Error, subject: String = "") -> Finding {
    let problem = Problem(error, about: subject)
    let detail = problem.subject.isEmpty ? problem.detail : "\(problem.subject): \(problem.detail)"
    return .error(check, detail, next: problem.advice ?? Advice.again)
  }

  private var made: (time: Int64, event: String)? {
    guard let text = setUp?.bundle.manifest?.created, let time = ManifestTime.seconds(text) else {
      return nil
    }
    return (time, "the bundle was made")
  }

  private var own: [String] {
    guard let host = setUp?.addresses.host else { return [] }
    return [host.filter { $0 != "[" && $0 != "]" }]
  }

  private func addresses() -> Finding {
    guard let addresses = setUp?.addresses else { return machine.network() }
    guard let warning = addresses.warning else { return .ok(.addresses, addresses.host) }
    return .warning(.addresses, warning, next: "target-setup all --address ADDRESS")
  }
}

// MARK: Disks

extension TargetDoctor {
  /// Left for what is small: settings, journals, the database of packages.
  private static let reserve: Int64 = 256 << 20

  /// What the folders of the host are to hold; those of one file system together.
  private func uses() -> [FolderUse] {
    let settings = setUp?.configuration ?? Configuration()
    var wanted: [(folder: FilePath, purpose: String, bytes: Int64)] = [
      ("/var/lib/containerd", "containers", Self.reserve), ("/usr/local/bin", "programs", Self.reserve),
      (settings.target.directory, "state and served copy", copyBytes),
    ]
    if let setUp, setUp.pushesToOwnRegistry {
      wanted.append((settings.registry.directory, "registry", imageBytes))
    }
    let table = machine.mountTable
    let places = wanted.map { table.mount(holding: $0.folder)?.place }
    return wanted.indices.map { index in
      let together = wanted.indices.filter { places[$0] == places[index] }.reduce(Int64(0)) {
        ByteSize.sum($0, wanted[$1].bytes)
      }
      return FolderUse(
        wanted[index].folder, wanted[index].purpose, needed: together,
        runsPrograms: ["containers", "programs"].contains(wanted[index].purpose))
    }
  }

  private func isToDo(_ step: StepName) -> Bool {
    guard let setUp else { return false }
    return (try? setUp.journal(step).isEmpty) ?? false
  }

  private func bytes(below folder: String) -> Int64 {
    (setUp?.bundle.manifest?.files ?? []).filter { $0.path.description.hasPrefix(folder + "/") }
      .byteSum(of: \.size)
  }

  private var imageBytes: Int64 {
    isToDo(.loadPush) ? ByteSize.sum(bytes(below: "images"), Self.reserve) : Self.reserve
  }

  private var copyBytes: Int64 {
    guard let setUp, isToDo(.nginx), ServedTree(setUp).reasonToCopy != nil else { return Self.reserve }
    return ServedTree.Part.allCases.reduce(Self.reserve) { ByteSize.sum($0, bytes(below: $1.rawValue)) }
  }

  private func medium() -> Finding {
    guard let setUp else { return .ok(.fileSystem, "there is no bundle to look at") }
    let medium = Medium(of: setUp.bundle.folder)
    if setUp.configuration.target.copy == .never, let reason = medium?.reasonToLeave {
      return .warning(
        .fileSystem, "the bundle is served from \(setUp.bundle.folder), and \(reason)",
        next: "target-setup nginx --copy auto")
    }
    guard let reason = ServedTree(setUp).reasonToCopy else {
      return .ok(.fileSystem, "\(setUp.bundle.folder) is served where it is, and must stay")
    }
    return .ok(.fileSystem, "the bundle is copied before it is served: \(reason)")
  }
}

// MARK: Servers, packages, clients, steps

extension TargetDoctor {
  private func servers() async -> [ServerPort] {
    let settings = setUp?.configuration ?? Configuration()
    func runs(_ name: String) async -> Bool {
      guard let setUp else { return false }
      return await Service("kubespray-offline-\(name)", setUp.host).isRunning
    }
    let web = ServerPort(
      "the web server", port: settings.webServerPort, bind: settings.nginx.bind,
      isRunning: await runs("nginx"),
      option: "--nginx-port PORT")
    if let setUp, !setUp.pushesToOwnRegistry { return [web] }
    return [
      web,
      ServerPort(
        "the registry", port: settings.registry.port, bind: settings.registry.bind,
        isRunning: await runs("registry"), option: "--registry-port PORT"),
    ]
  }

  private func packages() -> [Finding] {
    guard let setUp, setUp.bundle.isFinished else { return [] }
    do {
      guard let repository = try setUp.repositories.repository(for: setUp.host.system) else {
        return [.ok(.packageSources, "the bundle has no packages for this distribution, and none are used")]
      }
      return [.ok(.packageSources, "the bundle has \(repository.path) for this host")]
    } catch {
      return [Self.finding(.packageSources, error)]
    }
  }

  private func clients() async -> [Finding] {
    guard let setUp, let journal = try? setUp.journal(.registryClient),
      let registry = try? ClientRegistry(setUp)
    else { return [] }
    var titles: [String] = []
    var found: [Finding] = []
    for client in RegistryClientStep.clients {
      do {
        if try await client.settings(registry, setUp.host, journal) != nil { titles.append(client.title) }
      } catch {
        found.append(Self.finding(.clients, error, subject: client.title))
      }
    }
    let text = titles.isEmpty ? "none is here" : titles.joined(separator: ", ")
    return found + [.ok(.clients, text)]
  }

  private func leftovers() -> Finding {
    let folders = machine.abandoned(
      named: ".target-setup.", in: ["/run", "/tmp", "/var/tmp", "/dev/shm", "/var/lib"])
    guard folders.isEmpty, let setUp else {
      return machine.leftovers(folders, next: "rm -rf \(folders.map(\.string).joined(separator: " "))")
    }
    let staged = StepName.allCases.filter { StagingFolder.remains(of: $0, on: setUp.host) }
    return machine.leftovers(
      staged.map { setUp.host.stateFolder.appending("tmp").appending($0.rawValue) },
      next: "target-setup \(staged.map(\.rawValue).joined(separator: " "))")
  }

  /// What was set up and is no longer as it was.
  private func steps() async throws -> [Finding] {
    guard let setUp else { return [] }
    var found: [Finding] = []
    if let warning = (try? AccessReport(setUp))?.warning {
      found.append(.warning(.steps, warning, next: "target-setup nginx registry"))
    }
    for name in StepName.allCases {
      do {
        guard try !setUp.journal(name).isEmpty else { continue }
      } catch {
        found.append(Self.finding(.steps, error, subject: name.rawValue))
        continue
      }
      let status = try await SetupRun(setUp).status([name])[0]
      if status.state == "to do" || status.state == "unknown" {
        found.append(
          .warning(
            .steps, "\(name.rawValue) was done and is not as it was: \(status.detail)",
            next: "target-setup \(name.rawValue)"))
      } else {
        found.append(.ok(.steps, "\(name.rawValue): \(status.detail)"))
      }
    }
    return found.isEmpty ? [.ok(.steps, "nothing was set up here yet")] : found
  }
}
