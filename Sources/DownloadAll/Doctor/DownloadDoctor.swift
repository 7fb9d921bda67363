import Bundle
import Cache
import Console
import Diagnosis
import Files
import Host
import Mirrors
import Settings
import SystemPackage
import Transfer

/// Looks at the machine that makes a bundle: what would stop a run. Nothing is changed.
public struct DownloadDoctor: Sendable {
  /// Asks whether hosts answer: for each URL what the server says.
  typealias Inquirer = @Sendable ([String]) async throws -> [String: Result<RemoteFile, any Error>]

  /// Hosts that every bundle comes from. What else an inventory needs, `plan` asks.
  private static let usual = [
    "https://github.com/", "https://dl.k8s.io/", "https://registry.k8s.io/v2/",
    "https://registry-1.docker.io/v2/",
    "https://quay.io/v2/",
  ]

  /// Room for whatever kubespray could install, with which nobody has to count.
  private static let ampleRoom: Int64 = 10_000_000_000

  private let job: Job
  private let machine: Machine
  private let ask: Inquirer
  private let lacking: @Sendable () async throws -> [String]

  /// A look at this machine, with these settings.
  ///
  /// - Throws: What keeps a run from starting that is not about the machine; see ``Pipeline``.
  public init(_ job: Job, environment: [String: String]) throws {
    var transfer = TransferConfiguration(job.configuration, environment: environment)
    transfer.connectTimeout = min(transfer.connectTimeout, .seconds(10))
    transfer.stallTimeout = .seconds(10)
    transfer.retries = 0
    let mirrors = job.configuration.mirrors
    self.init(
      job, .current(environment),
      ask: { [transfer] urls in
        await RemoteFiles(engine: try TransferEngine(transfer), mirrors: mirrors).files(urls)
      },
      lacking: {
        let tools = try RunTools(job, environment: environment) { _ in }
        return try await StageTable.pkgs(job, tools, isPlanning: true).lackingPackages()
      })
  }

  init(
    _ job: Job, _ machine: Machine, ask: @escaping Inquirer,
    lacking: @escaping @Sendable () async throws -> [String]
  ) {
    self.job = job
    self.machine = machine
    self.ask = ask
    self.lacking = lacking
  }

  /// Looks.
  ///
  /// - Throws: `CancellationError`.
  public func report() async throws -> MachineReport {
    let (hosts, skew) = try await hosts()
    var found = [machine.distribution(), machine.clock(after: earliest, skew: skew)]
    found += [machine.names(needsInternet: true), machine.network()]
    found += [machine.proxy(isNeeded: true), machine.authorities(isNeeded: true)]
    found += hosts
    found += await programs()
    found += [machine.packageSources(), machine.packageManager()]
    found += targets()
    found += folders()
    found += [machine.temporaryFolder(), machine.memory(needed: 512 << 20) { ByteCount.format($0) }]
    found += [machine.fileMask(), machine.openFiles(), clients()]
    if let other = machine.holder(ofLock: FilePath(outputs.string + ".lock")) {
      found.append(
        .warning(.run, "process \(other) is working on \(outputs)", next: "tail --pid=\(other) -f /dev/null"))
    } else {
      found.append(leftovers())
    }
    return MachineReport(found)
  }

  private var outputs: FilePath { absolute(job.configuration.outputs) }
  private var cache: FilePath { absolute(job.configuration.cache) }

  private func absolute(_ path: FilePath) -> FilePath {
    ((try? currentFolder()) ?? "/").pushing(path).lexicallyNormalized()
  }

  private static func finding(_ check: MachineCheck, _ error: any Error) -> Finding {
    let problem = Problem(error)
    let detail = problem.subject.isEmpty ? problem.detail : "\(problem.subject): \(problem.detail)"
    return .error(check, detail, next: problem.advice ?? Advice.again)
  }

  private var manifest: Manifest? {
    (try? Manifest.load(from: outputs)).flatMap { $0 }
      ?? (try? Manifest.load(from: outputs, named: Manifest.unfinishedFileName)).flatMap { $0 }
  }

  private var earliest: (time: Int64, event: String)? {
    guard let text = manifest?.created, let time = ManifestTime.seconds(text) else { return nil }
    return (time, "the bundle in \(outputs) was finished")
  }

  private func hosts() async throws -> (found: [Finding], skew: Int64?) {
    guard !job.configuration.transfer.offline else { return ([.ok(.hosts, "not asked")], nil) }
    try Task.checkCancellation()
    let answers: [String: Result<RemoteFile, any Error>]
    do {
      answers = try await ask(Self.usual)
    } catch {
      return ([Self.finding(.hosts, error)], nil)
    }
    try Task.checkCancellation()
    // Those that fail alike are one line.
    var failed: [String: (hosts: [String], error: TransferError)] = [:]
    for (url, answer) in answers {
      guard case .failure(let error as TransferError) = answer, error.kind.isAboutTheHost else { continue }
      let host = url.dropFirst("https://".count).prefix { $0 != "/" }
      failed[error.kind.code, default: ([], error)].hosts.append(String(host))
    }
    let skew = answers.values.compactMap { try? $0.get().serverTime }.map { machine.now - $0 }
      .min { abs($0) < abs($1) }
    let errors = failed.values.sorted { $0.hosts.min() ?? "" < $1.hosts.min() ?? "" }.map { hosts, error in
      Finding.error(
        .hosts, "\(hosts.sorted().joined(separator: ", ")) cannot be reached: \(error.detail)",
        next: Problem(error).advice ?? Advice.again)
    }
    let reached = answers.count - failed.values.flatMap(\.hosts).count
    return (errors + (reached == 0 ? [] : [.ok(.hosts, "\(reached) of \(answers.count) answer")]), skew)
  }

  private func programs() async -> [Finding] {
    do {
      let packages = try await lacking()
      guard !packages.isEmpty else { return [.ok(.programs, "every program that is needed is there")] }
      let words = packages.joined(separator: " ")
      let next = machine.installing(words, words)
      return [
        job.configuration.packages.install
          ? .warning(.programs, "a run will install first: \(words)", next: next)
          : .error(.programs, "lacking, and packages.install is false: \(words)", next: next)
      ]
    } catch {
      return [Self.finding(.programs, error)]
    }
  }

  private func targets() -> [Finding] {
    do {
      let names = try job.packageTargets().map(\.target.name)
      return names.isEmpty
        ? [] : [.ok(.packageSources, "packages are carried for \(names.joined(separator: ", "))")]
    } catch {
      return [Self.finding(.packageSources, error)]
    }
  }

  private func folders() -> [Finding] {
    let known = manifest
    let uses = [
      FolderUse(
        outputs, "the bundle", needed: known == nil ? 1 << 30 : SpaceReservations.reserve,
        ample: known == nil ? (Self.ampleRoom, "download-all plan, which says how much it will be") : nil,
        largestFile: known?.files.map(\.size).max()),
      FolderUse(cache, "the cache", needed: 1 << 30, runsPrograms: true),
    ]
    let refused = [
      machine.access(to: outputs, "the bundle", next: "another folder: --outputs DIR"),
      machine.access(to: cache, "the cache", next: "another folder: --cache DIR"),
    ].compactMap(\.self)
    return uses.flatMap { machine.room(for: $0) { ByteCount.format($0) } } + refused
  }

  private func clients() -> Finding {
    let found = ["docker", "podman", "nerdctl"].filter { machine.hasProgram($0) }
    return .ok(.clients, "none is needed" + (found.isEmpty ? "" : "; here: \(found.joined(separator: ", "))"))
  }

  private func leftovers() -> Finding {
    let names = (try? BundleTree.files(below: machine.path(outputs))) ?? []
    let parts = names.filter { IncompleteName.matches($0) }
    return machine.leftovers(
      parts.map { outputs.appending($0) },
      next: "download-all goes on with it; download-all clean --keep-cache removes it")
  }
}
