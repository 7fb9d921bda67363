import Bundle
import Console
import Integrity
import Kubespray
import SystemPackage

/// Runs the stages side by side, each as soon as what it needs is there, and closes the bundle when all succeeded.
public struct Pipeline: Sendable {
  let run: RunContext
  private let selection: [StageName]

  /// A pipeline over stages, those that they need included (``StageTable/selection(_:)``).
  public init(_ run: RunContext, selection: [StageName]) {
    self.run = run
    self.selection = selection
  }

  /// Runs the stages and writes the manifest.
  ///
  /// - Throws: `CancellationError` when interrupted; ``FileLockError`` when another run works on the same bundle;
  ///   ``UnusableFolder``; `Errno` or ``ManifestError`` when the bundle cannot be closed. What failed inside stages is in the report.
  public func execute() async throws -> RunReport {
    let lock = try run.lockOutputs()
    defer { withExtendedLifetime(lock) {} }
    try run.previous.checkUnchanged()
    defer { run.rate.save() }
    var stages: [StageReport] = []
    await withTaskGroup(of: StageReport.self) { group in
      for stage in selection { group.addTask { await runStage(stage) } }
      for await report in group { stages.append(report) }
    }
    try Task.checkCancellation()
    stages.sort { selection.firstIndex(of: $0.stage) ?? 0 < selection.firstIndex(of: $1.stage) ?? 0 }
    var report = RunReport(stages: stages)
    guard !report.hasFailures else { return report }
    let version = selection.contains(.kubespray) ? try await run.kubespray.source().copy.version.name : nil
    let closing = BundleClosing(
      run, stages: stages,
      kubespray: version ?? run.previous.manifest?.kubespray ?? run.configuration.kubespray.version)
    let outcome = try await offload { () throws in try closing.close() }
    report.removed = outcome.removed
    report.bundle = outcome.bundle
    return report
  }

  /// What every selected stage wants, without fetching any of it; and the stages that could not say it, with the reason.
  ///
  /// - Throws: ``ArtifactCollision`` or `CancellationError`.
  func plan() async throws -> (artifacts: [Artifact], unplanned: [PlanReport.Unplanned]) {
    let run = planning
    let stages = selection.filter { $0 != .precheck }
    var results: [StageName: Result<[Artifact], any Error>] = [:]
    await forEachConcurrently(stages, limit: max(1, stages.count)) { stage in
      await Result { try await run.plans.artifacts(of: stage, in: run) }
    } onResult: { stage, result in
      results[stage] = result
    }
    try Task.checkCancellation()
    var plan = ArtifactPlan()
    var unplanned: [PlanReport.Unplanned] = []
    for stage in stages {
      switch results[stage] {
      case .success(let artifacts): try plan.add(artifacts)
      case .failure(let error):
        unplanned.append(
          PlanReport.Unplanned(stage: stage, reason: "\(error)", isConsequence: error is StageBlocked))
      case nil: break
      }
    }
    return (plan.artifacts, unplanned)
  }

  /// The same run, of which nothing but the cache may change.
  var planning: RunContext {
    var run = run
    run.isPlanning = true
    return run
  }

  private func runStage(_ name: StageName) async -> StageReport {
    let start = ContinuousClock.now
    run.emit(.stageStarted(name.rawValue))
    var report = StageReport(stage: name, outcome: .done)
    do {
      let artifacts = try await run.plans.artifacts(of: name, in: run)
      // A stage that fetches nothing has done its work.
      if run.selected.contains(.precheck), name != .precheck, !artifacts.isEmpty {
        do {
          _ = try await run.plans.artifacts(of: .precheck, in: run)
        } catch {
          throw StageBlocked(by: .precheck)
        }
      }
      let wanted = try run.claim(artifacts)
      let stage = run.plans.stage(name)
      let fetcher = ArtifactFetcher(run: run, stage: name) { stage.failed($0, $1, run) }
      let begin = ContinuousClock.now
      try await fetcher.fetch(wanted, into: &report)
      report.fetchDuration = .now - begin
      if report.failures.isEmpty {
        let made = try run.claim(try await stage.madeArtifacts(run))
        if !made.isEmpty { try await fetcher.fetch(made, into: &report) }
      }
      if !report.failures.isEmpty { report.outcome = .failed }
    } catch let blocked as StageBlocked {
      report.outcome = .blocked
      report.blockedBy = blocked.by
    } catch let error as any SeveralProblems {
      report.outcome = .failed
      report.failures += error.problems.map { .init(item: name.rawValue, reason: $0) }
    } catch {
      report.outcome = .failed
      if !Task.isCancelled { report.failures.append(.init(item: name.rawValue, reason: "\(error)")) }
    }
    report.duration = .now - start
    run.ends.note(name, report.outcome)
    run.emit(.stageFinished(name.rawValue, report.consoleOutcome, summary: report.summary))
    return report
  }
}

extension StageReport {
  var consoleOutcome: StageOutcome {
    switch outcome {
    case .done: .done
    case .failed: .failed
    case .blocked: .skipped
    }
  }

  /// One line about what the stage did.
  public var summary: String {
    switch outcome {
    case .blocked:
      return blockedBy.map { "not started, because stage \($0.rawValue) failed" } ?? "not started"
    case .failed where items == 0: return "the reasons follow below"
    default: break
    }
    guard items > 0 else { return "" }
    var parts = ["\(items) files"]
    if skipped > 0 { parts.append("\(skipped) already whole") }
    if bytes > 0 { parts.append("\(ByteCount.format(bytes)) fetched") }
    if !failures.isEmpty { parts.append("\(failures.count) failed") }
    return parts.joined(separator: ", ")
  }
}

/// How a run went.
public struct RunReport: Sendable {
  /// The stages, in the order in which they are told.
  public var stages: [StageReport]
  /// Files that the bundle no longer needs, and that were removed.
  public var removed: [String] = []
  /// What the run made of the bundle; `nil` when something failed.
  public var bundle: BundleState?

  /// Whether anything failed.
  public var hasFailures: Bool { stages.contains { $0.outcome != .done } }
}
