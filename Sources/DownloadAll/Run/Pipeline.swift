import Bundle
import Concurrency
import Console
import Integrity
import Kubespray
import Settings
import SystemPackage

/// A run: precheck, then the stages side by side, each as soon as what it needs is there, then the proof, and at last
/// the closing of the bundle when all succeeded.
public struct Pipeline: Sendable {
  private let job: Job
  private let tools: RunTools
  private let rows: [StageTable.Row]

  /// Prepares a run: nothing is written below `outputs`.
  ///
  /// - Throws: `ConfigurationError`, `TransferError`, `ManifestError`, ``SigningFailed`` or ``UnusableFolder``
  ///   when the run cannot start.
  public init(
    _ job: Job, environment: [String: String], emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) throws {
    let tools = try RunTools(job, environment: environment, emit: emit)
    self.init(job, tools, try StageTable.rows(job, tools, isPlanning: false))
  }

  /// A run of these stages.
  init(_ job: Job, _ tools: RunTools, _ rows: [StageTable.Row]) {
    self.job = job
    self.tools = tools
    self.rows = rows
  }

  /// Runs the stages and writes the manifest.
  ///
  /// - Throws: `CancellationError` when interrupted; `FileLockError` when another run works on the same bundle;
  ///   ``UnusableFolder``; `Errno` or `ManifestError` when the bundle cannot be closed; `LockContradicted` when a
  ///   locked run has made another bundle than that of the lock; ``SigningFailed``,
  ///   ``UnsignableBundle`` or `CommandError` when it is complete and cannot be signed. What failed inside stages is in the report.
  public func execute() async throws -> RunReport {
    let lock = try RunLock.take(job)
    defer { withExtendedLifetime(lock) {} }
    let start = ContinuousClock.now
    try tools.previous.checkUnchanged()
    defer { tools.rate.save() }
    let proof = job.includes(.prove) ? Proof(job, tools) : nil
    var report = RunReport(stages: try await runStages(proof))
    guard !report.hasFailures else {
      proof?.giveUp(for: report.stages.first { $0.outcome != .done })
      return report
    }
    let closing = BundleClosing(job, tools, stages: report.stages, statement: try await statement())
    if let proof {
      let proved = await proof.run(of: closing)
      try Task.checkCancellation()
      report.stages.append(proved.report)
      report.proof = proved.proof
    }
    let lockClosing = LockClosing(job: job, keeper: tools.lock, kubespray: tools.kubespray, emit: tools.emit)
    let found = try await lockClosing.lock(of: closing.files)
    report = try await closing.finish(report, report.proof, since: start)
    if report.bundle == .complete { lockClosing.write(found) }
    return report
  }

  /// What is to be said of the bundle.
  private func statement() async throws -> BundleStatement {
    let source = job.includes(.kubespray) ? try await tools.kubespray.source() : nil
    return BundleStatement(
      kubespray: source?.copy.version.name ?? tools.previous.manifest?.kubespray
        ?? job.configuration.kubespray.version,
      source: source, signedRepositories: tools.signatures.byFolder,
      expiresAfter: job.configuration.signing.expiresAfter)
  }

  /// What can come to its end while stages run.
  private enum Ended {
    case stage(StageReport)
    case precheck(Precheck.Outcome)
    case anticipation
  }

  /// Precheck and the stages, and what can be known of the proof while files arrive.
  private func runStages(_ proof: Proof?) async throws -> [StageReport] {
    var reports: [StageReport] = []
    let runner = StageRunner(rows, tools.fetcher(job), tools.lock, emit: tools.emit)
    let precheck =
      job.includes(.precheck)
      ? Precheck(job: job, rate: tools.rate, events: tools.events(.precheck)) : nil
    let start = ContinuousClock.now
    if let precheck {
      tools.emit(.stageStarted(StageName.precheck.rawValue))
      let problems = precheck.machineProblems()
      guard problems.isEmpty else { return refusal(problems, runner.stages) }
    }
    await withTaskGroup(of: Ended.self) { group in
      for stage in runner.stages { group.addTask { .stage(await runner.run(stage)) } }
      if let precheck { group.addTask { .precheck(await precheck.follow(runner)) } }
      if let proof {
        group.addTask {
          await proof.anticipate(runner)
          return .anticipation
        }
      }
      var left = runner.stages.count
      for await ended in group {
        switch ended {
        case .stage(let report):
          reports.append(report)
          left -= 1
          if left == 0 { tools.previous.stayed() }
          if left == 0, reports.contains(where: { $0.outcome != .done }) { group.cancelAll() }
        case .precheck(var outcome):
          outcome.report.duration = .now - start
          finish(outcome.report)
          reports.append(outcome.report)
          if outcome.stopsRun { group.cancelAll() }
        case .anticipation: break
        }
      }
    }
    try Task.checkCancellation()
    return reports.sorted { order(of: $0) < order(of: $1) }
  }

  /// The reports of a run that cannot be done on this machine.
  private func refusal(_ problems: [Problem], _ stages: [StageName]) -> [StageReport] {
    var precheck = StageReport(.precheck)
    precheck.fail(Problems(problems))
    let blocked = stages.map { stage in
      var report = StageReport(stage)
      report.block(by: .precheck)
      return report
    }
    let reports = ([precheck] + blocked).sorted { order(of: $0) < order(of: $1) }
    for report in reports { finish(report) }
    return reports
  }

  private func finish(_ report: StageReport) {
    tools.emit(.stageFinished(report.stage.rawValue, report.consoleOutcome, summary: report.summary))
  }

  private func order(of report: StageReport) -> Int { job.selection.firstIndex(of: report.stage) ?? 0 }
}

/// How a run went.
public struct RunReport: Sendable {
  /// The stages, in the order in which they are reported.
  public var stages: [StageReport]
  /// Files that the bundle no longer needs, and that were removed.
  public var removed: [String] = []
  /// What is in the bundle now; `nil` when something failed.
  public var contents: Contents?
  /// How long it took.
  public var duration: Duration = .zero

  /// How much a bundle holds.
  public struct Contents: Sendable {
    /// The kubespray version that it is for.
    public let kubespray: String
    /// How many files.
    public let files: Int
    /// How many bytes.
    public let bytes: Int64
    /// Whether what sets up the admin host is among them.
    public let setsUpTarget: Bool
  }

  /// What the run made of the bundle; `nil` when something failed.
  public var bundle: BundleState?
  /// The fingerprints of the keys that have signed the bundle; whose they are is not looked at.
  public var signers: [String] = []
  /// What the last stage proved, or what it found missing.
  public var proof: ClosureProof?

  /// Whether anything failed.
  public var hasFailures: Bool { stages.contains { $0.outcome != .done } }
}
