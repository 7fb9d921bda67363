import Bundle
import Concurrency
import Console
import Kubespray
import Settings
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
      for stage in selection where stage != .prove { group.addTask { await runStage(stage) } }
      for await report in group { stages.append(report) }
    }
    try Task.checkCancellation()
    stages.sort { selection.firstIndex(of: $0.stage) ?? 0 < selection.firstIndex(of: $1.stage) ?? 0 }
    var report = RunReport(stages: stages)
    guard !report.hasFailures else { return report }
    let version = selection.contains(.kubespray) ? try await run.kubespray.source().copy.version.name : nil
    let closing = BundleClosing(
      run, stages: stages, proves: selection.contains(.prove),
      kubespray: version ?? run.previous.manifest?.kubespray ?? run.configuration.kubespray.version)
    var proof: ClosureProof?
    if selection.contains(.prove) {
      let (proving, found) = await prove(closing)
      try Task.checkCancellation()
      report.stages.append(proving)
      proof = found
    }
    let outcome = try await offload { [proof] () throws in try closing.close(proof) }
    report.removed = outcome.removed
    report.bundle = outcome.bundle
    report.proof = proof
    return report
  }

  /// The last stage, when all that the others wanted is there.
  private func prove(_ closing: BundleClosing) async -> (StageReport, ClosureProof?) {
    let start = ContinuousClock.now
    run.emit(.stageStarted(StageName.prove.rawValue))
    var report = StageReport(stage: .prove, outcome: .done)
    var proof: ClosureProof?
    do {
      guard closing.unfinished.isEmpty else {
        let stages = closing.unfinished.map(\.rawValue).joined(separator: " ")
        throw UnprovableBundle(outputs: run.configuration.outputs, stages: stages)
      }
      let found = try await ProofRun(run, files: closing.files).proof()
      for remark in found.remarks { run.say(.warning, remark, stage: .prove) }
      report.failures = found.missing.map(Problem.init)
      proof = found
    } catch {
      if !Task.isCancelled {
        report.failures += Problem.all(error, about: StageName.prove.rawValue)
      }
    }
    if !report.failures.isEmpty || Task.isCancelled { report.outcome = .failed }
    report.duration = .now - start
    let summary = proof?.summary ?? report.summary
    run.emit(.stageFinished(StageName.prove.rawValue, report.consoleOutcome, summary: summary))
    return (report, proof)
  }

  /// Holds a plan against what kubespray will ask for: whether a bundle made by it would be enough.
  ///
  /// - Throws: ``ArtifactCollision``, `CancellationError`, `Problems` when a stage could not be planned, or what kept the question from being answered.
  public func provePlan() async throws -> ClosureProof {
    let (planned, unplanned) = try await plan()
    guard unplanned.isEmpty else {
      throw Problems(unplanned.filter { !$0.isConsequence }.map(\.problem))
    }
    return try await ProofRun(planning, planned: planned).proof()
  }

  /// What every selected stage wants, without fetching any of it; and the stages that could not say it, with the reason.
  ///
  /// - Throws: ``ArtifactCollision`` or `CancellationError`.
  func plan() async throws -> (artifacts: [Artifact], unplanned: [PlanReport.Unplanned]) {
    let run = planning
    let stages = selection.filter { $0 != .precheck && $0 != .prove }
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
          PlanReport.Unplanned(
            stage: stage, problem: Problem(error, about: stage.rawValue), isConsequence: error is StageBlocked
          ))
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
    } catch {
      report.outcome = .failed
      if !Task.isCancelled { report.failures += Problem.all(error, about: name.rawValue) }
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
  /// What the last stage proved, or what it found missing.
  public var proof: ClosureProof?

  /// Whether anything failed.
  public var hasFailures: Bool { stages.contains { $0.outcome != .done } }
}

/// A bundle that is not finished, which cannot be proved to be enough.
struct UnprovableBundle: Error, CustomStringConvertible {
  let outputs: FilePath
  let stages: String

  var description: String {
    "\(outputs) is not a finished bundle, so nothing can be proved of it. Finish it with: download-all \(stages) prove"
  }
}

extension Problem {
  /// What a proof found missing.
  init(_ missing: ClosureProof.Missing) {
    self.init(
      kind: "not-carried", subject: "\(missing.component) (\(missing.variable))",
      detail: "\(missing.wanted): \(missing.reason)")
  }
}
