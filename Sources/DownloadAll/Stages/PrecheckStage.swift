import Bundle
import Concurrency
import Console
import Files
import FoundationEssentials
import Glibc
import Host
import Registry
import Settings
import SystemPackage
import Transfer

/// Finds out before the first download what would stop the job: a missing tool, a folder that cannot be written, a
/// host that does not answer, a disk that is too small, a clock that is wrong.
struct PrecheckStage: Stage {
  let name = StageName.precheck
  let needs: [StageName] = []

  func artifacts(_ run: RunContext) async throws -> [Artifact] {
    tellMachine(run)
    var problems = try await run.machineProblems.value()
    let missing = await missingArtifacts(run)
    problems += await networkProblems(run, missing)
    guard problems.isEmpty else { throw Problems(problems) }
    return []
  }

  /// What makes the run impossible on this machine, whatever the network says. What is merely missing, the stage pkgs
  /// installs.
  static func machineProblems(_ configuration: Configuration, _ selected: Set<StageName>) -> [Problem] {
    var problems: [Problem] = []
    if selected.contains(.repo), !configuration.packages.skip {
      do {
        _ = try PackageTargets(configuration.packages, system: try OSRelease.current())
      } catch {
        problems.append(Problem(error, about: StageName.precheck.rawValue))
      }
    }
    for folder in [configuration.outputs, configuration.cache] {
      if let problem = writeProblem(folder) { problems.append(problem) }
    }
    return problems
  }

  private func tellMachine(_ run: RunContext) {
    if let system = try? OSRelease.current() {
      run.say(.info, "\(system.prettyName), \(Architecture.current.rawValue)", stage: name)
    }
    if run.architectures.count > 1 {
      run.say(
        .info,
        "the bundle is for machines of \(run.architectureNames); files lie below their original addresses",
        stage: name)
    }
    for (name, value) in [("http", run.configuration.proxy.http), ("https", run.configuration.proxy.https)] {
      if let value {
        run.say(.info, "\(name) goes through the proxy \(maskingSecrets(in: value))", stage: self.name)
      }
    }
  }

  private static func writeProblem(_ folder: FilePath) -> Problem? {
    let probe = folder.appending(".write-test.\(getpid())")
    do {
      try writeAtomically([], to: probe)
      unlink(probe.string)
      return nil
    } catch {
      return Problem(
        kind: "folder-not-writable", subject: "\(folder)", detail: "cannot be written: \(error)",
        advice: "Correct its owner or permissions, or choose another folder.")
    }
  }

  /// The lists of the package clients, the Python environment and the indexes come to some hundred megabytes.
  private func cacheProblem(_ run: RunContext) -> Problem? {
    guard let space = try? FileSystemSpace.at(run.configuration.cache),
      space.availableBytes < SpaceReservations.reserve
    else { return nil }
    return Problem(
      kind: "not-enough-space", subject: "\(run.configuration.cache)",
      detail: "not enough space: \(ByteCount.format(space.availableBytes)) are free",
      advice: "Free space, or choose a larger disk with --cache.")
  }

  /// What has still to be fetched. A stage that cannot say what it wants reports that itself.
  private func missingArtifacts(_ run: RunContext) async -> [Artifact] {
    let copies = ArtifactCopies(run: run)
    var wanted: [Artifact] = []
    for stage in run.selected where stage != name {
      wanted += (try? await run.plans.artifacts(of: stage, in: run)) ?? []
    }
    var missing: [Artifact] = []
    await forEachConcurrently(wanted, limit: 4) { artifact in
      (try? await copies.wholeFile(artifact)) != nil
    } onResult: { artifact, isWhole in
      if !isWhole { missing.append(artifact) }
    }
    return missing
  }

  private func networkProblems(_ run: RunContext, _ missing: [Artifact]) async -> [Problem] {
    let answers = await run.remote.files(Self.questions(missing, run))
    var problems: [Problem] = []
    var reached: Set<String> = []
    var unreached: [String: Problem] = [:]
    var bytes: Int64 = 0
    for artifact in missing {
      guard let url = artifact.url else { continue }
      bytes += artifact.size ?? (try? answers[url]?.get().size) ?? 0
    }
    for (url, answer) in answers {
      let host = Self.host(of: run.remote.address(of: url))
      switch answer {
      case .success: reached.insert(host)
      case .failure(let error as TransferError) where error.kind.isAboutTheHost:
        unreached[host] = Problem(unreachable: host, error.detail, error)
      case .failure: reached.insert(host)
      }
    }
    var sizes: [BundlePath: Int64] = [:]
    await forEachConcurrently(missing.filter { $0.image != nil }, limit: run.configuration.transfer.parallel)
    {
      artifact in
      await Result { try await run.images.content(of: artifact) }
    } onResult: { artifact, result in
      let registry = artifact.image?.registry ?? ""
      switch result {
      case .success(let image):
        reached.insert(registry)
        sizes[artifact.path] = image.content.totalSize
        bytes += image.content.totalSize
      case .failure(let error as RegistryError):
        if case .transfer(let kind) = error.kind, kind.isAboutTheHost {
          unreached[registry] = Problem(unreachable: registry, error.detail, error)
        } else {
          reached.insert(registry)
        }
      case .failure: break
      }
    }
    for (host, problem) in unreached.sorted(by: { $0.key < $1.key }) where !reached.contains(host) {
      problems.append(problem)
    }
    if missing.contains(where: { $0.url != nil || $0.image != nil }) {
      let known = "\(reached.count) hosts answer; \(ByteCount.format(bytes)) to fetch"
      run.say(.info, known + Self.estimate(bytes, rate: run.rate.ofLastRun), stage: name)
    }
    if let skew = clockSkew(answers.values), abs(skew) > 300 {
      run.say(
        .warning,
        "the clock of this machine is off by \(abs(skew)) seconds; TLS may fail. Set it, or start an NTP client.",
        stage: name)
    }
    let copies = ArtifactCopies(run: run)
    let room = missing.map { artifact in
      let size =
        sizes[artifact.path] ?? artifact.size ?? artifact.url.flatMap { try? answers[$0]?.get().size } ?? 0
      return (artifact.path, max(0, size - copies.partSize(artifact)))
    }
    do {
      try run.space.take(room).release()
    } catch {
      problems.append(Problem(error, about: name.rawValue))
    }
    if let problem = cacheProblem(run) { problems.append(problem) }
    return problems
  }

  /// What to ask: every file whose size nobody knows, and of the others one for each host, to see that it answers.
  private static func questions(_ missing: [Artifact], _ run: RunContext) -> [String] {
    var urls = missing.filter { $0.size == nil }.compactMap(\.url)
    var hosts = Set(urls.map { host(of: run.remote.address(of: $0)) })
    for url in missing.filter({ $0.size != nil }).compactMap(\.url)
    where hosts.insert(host(of: run.remote.address(of: url))).inserted { urls.append(url) }
    return urls
  }

  /// How long it takes at the rate of the last run, if there was one.
  static func estimate(_ bytes: Int64, rate: Double?) -> String {
    guard let rate, rate >= 1, bytes > 0 else { return "" }
    let seconds = Double(bytes) / rate
    let time = seconds < 60 ? "less than a minute" : "about \(Int64((seconds / 60).rounded())) min"
    return ", \(time) at \(ByteCount.format(bytesPerSecond: rate)), the rate of the last run"
  }

  private func clockSkew(_ answers: some Sequence<Result<RemoteFile, any Error>>) -> Int64? {
    let now = Int64(time(nil))
    // The smallest difference: an answer may come from a cache and be old, but none comes from the future.
    return answers.compactMap { try? $0.get().serverTime }.map { now - $0 }.min { abs($0) < abs($1) }
  }

  private static func host(of url: String) -> String {
    (try? TransferURL(url))?.origin.description ?? url
  }
}

extension Problem {
  /// A host that does not answer, with the advice for the error.
  fileprivate init(unreachable host: String, _ detail: String, _ error: any Error) {
    self.init(
      kind: "host-unreachable", subject: host, detail: "cannot be reached: \(detail)",
      advice: Problem(error, about: host).advice)
  }
}

extension TransferError.Kind {
  /// Whether the error says something about the host and the way to it, rather than about one file.
  var isAboutTheHost: Bool {
    switch self {
    case .nameNotResolved, .connection, .stalled, .tls, .status(407), .badURL: true
    default: false
    }
  }
}
