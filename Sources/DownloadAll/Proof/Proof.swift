import Bundle
import Console
import Kubespray
import Settings
import Synchronization
import SystemPackage

/// The last phase: proves that a deployment from the bundle will ask for nothing that the bundle has not.
///
/// What it needs of Ansible and pip is asked while files still arrive; only the comparison waits for them.
final class Proof: Sendable {
  private let job: Job
  private let previous: PreviousBundle
  private let questions: ProofQuestions
  private let events: StageEvents
  private let isStarted = Mutex(false)

  init(_ job: Job, _ tools: RunTools) {
    self.job = job
    previous = tools.previous
    questions = ProofQuestions(job, tools)
    events = tools.events(.prove)
  }

  /// Asks what can be asked before every file has arrived, once it is clear that the last proof no longer holds.
  func anticipate(_ runner: StageRunner) async {
    guard job.includes(.files) else { return }
    if previous.manifest?.proof != nil {
      guard await previous.hasChanged() else { return }
    }
    guard let planned = try? await runner.plan(of: .files), let offline = ProofRun.offline(in: planned) else {
      return
    }
    start()
    // What goes wrong here goes wrong again, and is reported, when the answer is wanted.
    _ = try? await questions.demands(offline)
    events.wait(for: "the files")
    guard job.includes(.pypi), !job.configuration.pypi.skip, await runner.run(.pypi).outcome == .done else {
      return
    }
    _ = try? await questions.pythonFailures()
  }

  /// The proof of a bundle whose files have all arrived.
  func run(of closing: BundleClosing) async -> (report: StageReport, proof: ClosureProof?) {
    let begin = ContinuousClock.now
    start()
    var report = StageReport(.prove)
    var proof: ClosureProof?
    do {
      guard closing.unfinished.isEmpty else {
        let stages = closing.unfinished.map(\.rawValue).joined(separator: " ")
        throw UnprovableBundle(outputs: job.configuration.outputs, stages: stages)
      }
      let found = try await ProofRun(job, questions, events, previous, files: closing.files).proof()
      for remark in found.remarks { events.say(.warning, remark) }
      report.failures = found.missing.map(Problem.init)
      if !report.failures.isEmpty { report.outcome = .failed }
      proof = found
    } catch {
      if Task.isCancelled { report.outcome = .failed } else { report.fail(error) }
    }
    report.duration = .now - begin
    events.emit(
      .stageFinished(
        StageName.prove.rawValue, report.consoleOutcome, summary: proof?.summary ?? report.summary))
    return (report, proof)
  }

  /// Ends the phase where a stage failed, so that there is nothing to prove.
  func giveUp(for failed: StageReport?) {
    guard isStarted.withLock({ $0 }) else { return }
    var report = StageReport(.prove)
    if let failed { report.block(by: failed.blockedBy ?? failed.stage) }
    events.emit(.stageFinished(StageName.prove.rawValue, .skipped, summary: report.summary))
  }

  private func start() {
    let isFirst = isStarted.withLock { isStarted in
      defer { isStarted = true }
      return !isStarted
    }
    if isFirst { events.emit(.stageStarted(StageName.prove.rawValue)) }
  }
}

/// A bundle that is not finished, which cannot be proved to be enough.
struct UnprovableBundle: Error, CustomStringConvertible {
  let outputs: FilePath
  let stages: String

  var description: String {
    "\(outputs) is not a finished bundle, so nothing can be proved of it"
  }
}
