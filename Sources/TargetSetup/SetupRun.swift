import Concurrency
import Console
import Host
import SystemPackage

/// Does steps, shows their state, and takes them back.
public struct SetupRun: Sendable {
  private let context: SetupContext
  private let step: @Sendable (StepName) -> any Step

  /// Work on a host.
  public init(_ context: SetupContext) {
    self.init(context) { StepTable.step($0, context.configuration) }
  }

  /// Work on a host with other steps than the real ones.
  init(_ context: SetupContext, step: @escaping @Sendable (StepName) -> any Step) {
    self.context = context
    self.step = step
  }

  /// Does steps, in the order of ``StepName``. A failure stops those that need the failed one.
  ///
  /// - Parameters:
  ///   - names: The steps, in any order; no further ones are added.
  ///   - isForced: Whether a step is applied even when it finds nothing to do.
  /// - Throws: `CancellationError`, or ``StepError`` when another run works on this host; an error when it cannot be
  ///   written down which bundle is taken.
  public func execute(_ names: [StepName], isForced: Bool = false) async throws -> [StepReport] {
    let lock = names.contains(where: \.needsRoot) ? try HostLock(context.host) : nil
    defer { withExtendedLifetime(lock) {} }
    var reports: [StepReport] = []
    var failed: Set<StepName> = []
    var context = context
    for name in StepName.allCases where names.contains(name) {
      try Task.checkCancellation()
      let step = step(name)
      if let cause = step.needs.first(where: failed.contains) {
        failed.insert(name)
        reports.append(
          StepReport(
            step: name, outcome: .blocked,
            detail: "not started, because step \(cause.rawValue) failed", duration: .zero))
        continue
      }
      let report = try await execute(step, context, isForced: isForced)
      if report.outcome == .failed { failed.insert(name) }
      // All of the bundle was found right, or what a step used of it.
      if lock != nil, report.outcome == .done { try context.trust.record() }
      if name == .verify, report.outcome == .done, !context.isQuick { context.isVerified = true }
      reports.append(report)
      // Nothing that a bundle brings is used when the bundle is not what was sent.
      if name == .verify, report.outcome == .failed { failed.formUnion(StepName.allCases) }
      if failed.count == StepName.allCases.count {
        for rest in StepName.allCases where rest != .verify && names.contains(rest) {
          reports.append(
            StepReport(
              step: rest, outcome: .blocked, detail: "not started, because the bundle is not intact",
              duration: .zero))
        }
        break
      }
    }
    return reports
  }

  private func execute(
    _ step: any Step, _ context: SetupContext, isForced: Bool
  ) async throws -> StepReport {
    let stage = step.name.rawValue
    context.emit(.stageStarted(stage))
    let clock = ContinuousClock()
    let start = clock.now
    func finish(_ problems: [Problem]) -> StepReport {
      context.emit(.stageFinished(stage, .failed, summary: ""))
      return StepReport(step: step.name, problems: problems, duration: clock.now - start)
    }
    func finish(_ outcome: StepReport.Outcome, _ detail: String) -> StepReport {
      let drawn: StageOutcome =
        switch outcome {
        case .done: .done
        case .failed, .blocked: .failed
        case .already, .notNeeded, .leftAlone: .skipped
        }
      context.emit(.stageFinished(stage, drawn, summary: detail))
      return StepReport(step: step.name, outcome: outcome, detail: detail, duration: clock.now - start)
    }
    do {
      let journal = try context.journal(step.name)
      // The program itself came out of lib.
      let folders = step.usedFolders + ["lib"]
      try await offload { () throws(StepError) in
        try context.bundle.refuseUnexpected(below: folders)
      }
      // What a killed run has staged is of no use to one that is done.
      defer { StagingFolder.remove(of: step.name, on: context.host) }
      switch try await step.check(context, journal) {
      case .done(let detail) where !isForced: return finish(.already, detail)
      case .notApplicable(let detail): return finish(.notNeeded, detail)
      case .refused(let detail):
        context.say(.warning, detail, step: step.name)
        return finish(.leftAlone, detail)
      case .done, .needed: break
      }
      return finish(.done, try await step.apply(context, journal))
    } catch is CancellationError {
      throw CancellationError()
    } catch CommandError.cancelled {
      throw CancellationError()
    } catch {
      guard !Task.isCancelled else { throw CancellationError() }
      return finish(Problem.all(error, about: stage))
    }
  }

  /// What each step finds. Nothing is changed.
  ///
  /// - Throws: `CancellationError`.
  func status(_ names: [StepName] = StepName.allCases) async throws -> [StepStatus] {
    var found: [StepStatus] = []
    for name in names {
      try Task.checkCancellation()
      do {
        let journal = try context.journal(name)
        let state = try await step(name).check(context, journal)
        found.append(
          StepStatus(step: name, state: state.word, detail: state.detail, isUndoable: !journal.isEmpty))
      } catch {
        found.append(
          StepStatus(step: name, state: "unknown", detail: Problem(error).sentence, isUndoable: false))
      }
    }
    return found
  }

  /// Takes steps back, the last one first.
  ///
  /// - Throws: `CancellationError`, or ``StepError`` when another run works on this host.
  public func undo(_ names: [StepName]) async throws -> [StepReport] {
    let lock = try HostLock(context.host)
    defer { withExtendedLifetime(lock) {} }
    var reports: [StepReport] = []
    for name in StepName.allCases.reversed() where names.contains(name) {
      try Task.checkCancellation()
      reports.append(try await undo(step(name)))
      if reports.last?.outcome == .failed { break }
    }
    return reports
  }

  private func undo(_ step: any Step) async throws -> StepReport {
    let clock = ContinuousClock()
    let start = clock.now
    func report(_ problems: [Problem]) -> StepReport {
      StepReport(step: step.name, problems: problems, duration: clock.now - start)
    }
    func report(_ outcome: StepReport.Outcome, _ detail: String) -> StepReport {
      StepReport(step: step.name, outcome: outcome, detail: detail, duration: clock.now - start)
    }
    do {
      let journal = try context.journal(step.name)
      guard !journal.isEmpty else {
        StagingFolder.remove(of: step.name, on: context.host)
        for text in try journal.forget() { context.say(.warning, text, step: step.name) }
        return report(.already, "nothing to undo")
      }
      if let user = try laterStep(using: step.name) {
        throw StepError(
          "step \(user.rawValue) still uses \(step.name.rawValue)", .undoFirst(user))
      }
      // Before anything is stopped.
      try journal.checkBackups()
      try await step.beforeUndo(context, journal)
      let undone = try await offloaded { () throws in try journal.takeBack() }
      for text in undone.kept { context.say(.warning, text, step: step.name) }
      try await step.afterUndo(context, journal)
      StagingFolder.remove(of: step.name, on: context.host)
      for text in try journal.forget() { context.say(.warning, text, step: step.name) }
      return report(.done, undone.summary)
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      guard !Task.isCancelled else { throw CancellationError() }
      return report(Problem.all(error, about: step.name.rawValue))
    }
  }

  /// A step that was applied and cannot work without this one.
  private func laterStep(using name: StepName) throws -> StepName? {
    try StepName.allCases.first { other in
      guard step(other).needs.contains(name) else { return false }
      return try !context.journal(other).isEmpty
    }
  }
}

/// How one step went.
public struct StepReport: Sendable, Equatable, Encodable {
  /// How it ended.
  public enum Outcome: String, Sendable, Encodable {
    /// It was done now.
    case done
    /// There was nothing to do.
    case already = "nothing to do"
    /// It does not concern this host or bundle.
    case notNeeded = "not needed"
    /// It could be done and is not wanted here.
    case leftAlone = "left alone"
    /// It failed; the detail says why and what to do.
    case failed
    /// A step that it needs failed.
    case blocked
  }

  /// The step.
  public let step: StepName
  /// How it ended.
  public let outcome: Outcome
  /// What there is now, or what went wrong.
  public let detail: String
  /// How long it took.
  public let duration: Duration
  /// What went wrong, in its parts.
  public let problems: [Problem]

  init(step: StepName, outcome: Outcome, detail: String, duration: Duration) {
    self.step = step
    self.outcome = outcome
    self.detail = detail
    self.duration = duration
    problems = []
  }

  /// A step that failed.
  init(step: StepName, problems: [Problem], duration: Duration) {
    self.step = step
    outcome = .failed
    detail = problems.map { $0.subject == step.rawValue ? $0.sentence : $0.description }.joined(
      separator: "\n")
    self.duration = duration
    self.problems = problems
  }

  /// Encodes the duration as seconds, and the problems of a step that failed.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(step, forKey: .step)
    try container.encode(outcome, forKey: .outcome)
    try container.encode(detail, forKey: .detail)
    let parts = duration.components
    try container.encode(Double(parts.seconds) + Double(parts.attoseconds) / 1e18, forKey: .seconds)
    if !problems.isEmpty { try container.encode(problems, forKey: .problems) }
  }

  private enum Key: String, CodingKey {
    case step, outcome, detail, seconds, problems
  }
}

/// What a step finds on the host.
public struct StepStatus: Sendable, Equatable, Encodable {
  /// The step.
  public let step: StepName
  /// `done`, `to do`, `not needed`, `left alone`, or `unknown` when it could not be told.
  public let state: String
  /// What was found.
  public let detail: String
  /// Whether the step has changed anything that undo would take back.
  public let isUndoable: Bool
}

extension UndoReport {
  /// A few words for tables.
  var summary: String {
    var parts = ["\(removed) removed", "\(restored) restored"]
    if !kept.isEmpty { parts.append("\(kept.count) left, see above") }
    return parts.joined(separator: ", ")
  }
}
