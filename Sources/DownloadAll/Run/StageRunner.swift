import Bundle
import Concurrency
import Console
import Synchronization

/// Runs the stages of one run: each finds out what it wants, prepares to fetch it, and fetches it, once, whoever waits
/// for that.
final class StageRunner: Sendable {
  /// What a stage is ready to fetch.
  private struct Ready: Sendable {
    let fetch: ArtifactFetcher.Prepared
    /// With what was in the bundle already.
    let report: StageReport
  }

  private let rows: [StageTable.Row]
  private let fetcher: ArtifactFetcher
  private let lock: LockKeeper
  private let emit: @Sendable (ConsoleEvent) -> Void
  private let plans = Memos<StageName, [Artifact]>()
  private let ready = Memos<StageName, Ready>()
  private let reports = Memos<StageName, StageReport>()
  private let claimed = Mutex(ArtifactPlan())
  private let isStopped = Mutex(false)

  init(
    _ rows: [StageTable.Row], _ fetcher: ArtifactFetcher, _ lock: LockKeeper,
    emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) {
    self.rows = rows
    self.fetcher = fetcher
    self.lock = lock
    self.emit = emit
  }

  /// The stages, in the order of the rows.
  var stages: [StageName] {
    rows.map(\.name).reduce(into: []) { if $0.last != $1 { $0.append($1) } }
  }

  private func rows(of name: StageName) -> [StageTable.Row] { rows.filter { $0.name == name } }

  /// What a stage wants in the bundle, but for what it makes of fetched files.
  ///
  /// - Throws: What the stage threw; ``StageBlocked`` when one that it needs failed.
  func plan(of name: StageName) async throws -> [Artifact] {
    try await plans.value(of: name) { [self] in
      guard let row = rows(of: name).first else { return [] }
      return try await artifacts(of: row)
    }
  }

  /// What has to be fetched for a stage, when nothing stands in its way.
  ///
  /// - Throws: What kept the stage from planning; ``SilentHosts``; ``NotEnoughSpace``.
  func inquiry(of name: StageName) async throws -> Inquiry {
    try await prepared(name).fetch.inquiry
  }

  private func prepared(_ name: StageName) async throws -> Ready {
    try await ready.value(of: name) { [self] in
      var report = StageReport(name)
      let fetch = try await fetcher.prepare(try claim(try await plan(of: name)), &report)
      return Ready(fetch: fetch, report: report)
    }
  }

  /// Runs a stage to its end.
  func run(_ name: StageName) async -> StageReport {
    let report = try? await reports.value(of: name) { [self] in await execute(name) }
    return report ?? StageReport(name)
  }

  /// Makes stages that are cancelled from now on end as blocked by precheck.
  func stop() { isStopped.withLock { $0 = true } }

  // MARK: One stage

  private func execute(_ name: StageName) async -> StageReport {
    let start = ContinuousClock.now
    emit(.stageStarted(name.rawValue))
    var report = StageReport(name)
    do {
      for (index, row) in rows(of: name).enumerated() {
        let fetch: ArtifactFetcher.Prepared
        if index == 0 {
          let ready = try await prepared(name)
          (fetch, report) = (ready.fetch, ready.report)
        } else {
          fetch = try await fetcher.prepare(try claim(try await artifacts(of: row)), &report)
        }
        let begin = ContinuousClock.now
        try await fetcher.bring(fetch, &report) { row.stage.advice(on: $0, for: $1) }
        if index == 0 { report.fetchDuration = .now - begin }
        guard report.failures.isEmpty else { break }
      }
      if !report.failures.isEmpty { report.outcome = .failed }
    } catch {
      end(&report, with: error)
    }
    report.duration = .now - start
    emit(.stageFinished(name.rawValue, report.consoleOutcome, summary: report.summary))
    return report
  }

  private func end(_ report: inout StageReport, with error: any Error) {
    switch error {
    case _ where Task.isCancelled || error is CancellationError:
      // What an interruption stopped has not failed for a reason of its own.
      if isStopped.withLock({ $0 }) { report.block(by: .precheck) } else { report.outcome = .failed }
    // Precheck reports these, for all stages together.
    case is SilentHosts: report.block(by: .precheck)
    case is NotEnoughSpace where fetcher.asksHosts: report.block(by: .precheck)
    case let blocked as ProductBlocked: report.fail(blocked)
    case let blocked as StageBlocked: report.block(by: blocked.by)
    default: report.fail(error)
    }
  }

  /// Waits for what a part of a stage needs, and lets it work.
  private func artifacts(of row: StageTable.Row) async throws -> [Artifact] {
    async let preparation: Void = prepare(row)
    let events = StageEvents(stage: row.name, emit: emit)
    for need in row.needs {
      events.wait(for: need.description)
      do {
        try await meet(need)
      } catch let blocked as StageBlocked {
        if let product = row.product { throw ProductBlocked(product: product, by: blocked.by) }
        throw blocked
      }
    }
    events.show("")
    let artifacts = try await row.stage.artifacts()
    await preparation
    // What is made of the files is not found upstream.
    return row.product == nil ? try lock.pin(artifacts, of: row.name) : artifacts
  }

  private func prepare(_ row: StageTable.Row) async {
    guard !row.needs.isEmpty, (try? await meet(.findings(.pkgs))) != nil else { return }
    await row.stage.prepare()
  }

  private func meet(_ need: Need) async throws {
    switch need {
    case .findings(let stage):
      do {
        _ = try await plan(of: stage)
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        throw StageBlocked(by: (error as? StageBlocked)?.by ?? stage)
      }
    case .files(let stage):
      guard await run(stage).outcome == .done else {
        try Task.checkCancellation()
        throw StageBlocked(by: stage)
      }
    }
  }

  /// Keeps the places of a stage's artifacts from every other stage of the run.
  ///
  /// - Returns: The artifacts, each once.
  private func claim(_ artifacts: [Artifact]) throws(ArtifactCollision) -> [Artifact] {
    var own = ArtifactPlan()
    try own.add(artifacts)
    try claimed.withLock { plan throws(ArtifactCollision) in try plan.add(own.artifacts) }
    return own.artifacts
  }
}

/// Something that is made of the files of a stage that failed.
private struct ProductBlocked: Error, CustomStringConvertible {
  let product: String
  let by: StageName

  var description: String {
    "\(product) cannot be made: stage \(by.rawValue), whose files it is made of, failed."
  }
}
