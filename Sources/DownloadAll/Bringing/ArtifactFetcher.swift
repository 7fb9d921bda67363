import Bundle
import Concurrency
import Console
import Integrity
import Settings
import SystemPackage
import Transfer

/// Brings a stage's artifacts into the bundle: skips what is there, fetches the rest side by side, and goes on when one
/// of them fails.
struct ArtifactFetcher: Sendable {
  let present: PresentFiles
  /// Who brings what, in the order in which they work.
  let bringers: [any Bringer]
  let previous: PreviousBundle
  let space: SpaceReservations
  /// Whether a host that does not answer keeps a stage from fetching anything.
  let asksHosts: Bool
  let emit: @Sendable (ConsoleEvent) -> Void

  /// What is to be fetched, when nothing stands in the way.
  struct Prepared: Sendable {
    let missing: [Artifact]
    let inquiry: Inquiry
    let reservation: SpaceReservation
    /// What will not be fetched, since its host does not answer.
    var leftOut = LeftOut()
    /// The lists of what the stage brings.
    var lists: [Artifact] = []
  }

  /// Finds out what is missing, and whether it can be had: its hosts answer, and there is room for it.
  ///
  /// - Parameter report: Gets the files that are there, after what it has already.
  /// - Throws: ``SilentHosts``, ``NotEnoughSpace``, or `CancellationError`. Failures of single artifacts are in the
  ///   report.
  func prepare(_ artifacts: [Artifact], _ report: inout StageReport) async throws -> Prepared {
    let stage = report.stage.rawValue
    let hasTotals = report.items > 0
    let intactBytes = report.files.byteSum(of: \.size)
    report.items += artifacts.count
    if report.items > 0 {
      emit(.stageTotals(stage, items: report.items, bytes: hasTotals ? intactBytes : nil))
    }
    let missing = await missing(artifacts, &report)
    try Task.checkCancellation()
    guard !missing.isEmpty else {
      return Prepared(missing: [], inquiry: Inquiry(), reservation: try space.take([]))
    }
    emit(.stageActivity(stage, "asks the servers for sizes"))
    var inquiry = await inquire(about: missing, asksHosts: asksHosts)
    try Task.checkCancellation()
    let leftOut = inquiry.leaveOut(of: missing)
    guard !asksHosts || inquiry.silentHosts.isEmpty else { throw SilentHosts(inquiry: inquiry) }
    let dispensable = Set(leftOut.artifacts.map(\.path))
    return Prepared(
      missing: missing.filter { !dispensable.contains($0.path) }, inquiry: inquiry,
      reservation: try space.take(inquiry.room), leftOut: leftOut, lists: artifacts.filter(\.isList))
  }

  private func missing(_ artifacts: [Artifact], _ report: inout StageReport) async -> [Artifact] {
    let stage = report.stage.rawValue
    var missing: [Artifact] = []
    var found = report
    await forEachConcurrently(artifacts, limit: 4) { artifact in
      await Result { try await present.file(artifact) }
    } onResult: { artifact, result in
      switch result {
      case .success(let file?):
        found.files.append(file)
        found.skipped += 1
        emit(.itemFinished(stage, item: artifact.path.description, .skipped, bytes: file.size))
      case .success: missing.append(artifact)
      case .failure(let error):
        found.failures.append(Problem(error, about: artifact.path.description))
      }
    }
    report = found
    return missing
  }

  /// What can be known of artifacts before they are fetched; see ``Bringer/inquire(about:asksHosts:)``.
  func inquire(about artifacts: [Artifact], asksHosts: Bool) async -> Inquiry {
    var inquiry = Inquiry()
    for bringer in bringers {
      let own = artifacts.filter { bringer.brings($0.source) }
      if !own.isEmpty { inquiry.add(await bringer.inquire(about: own, asksHosts: asksHosts)) }
    }
    return inquiry
  }

  /// Fetches what was prepared.
  ///
  /// - Parameters:
  ///   - report: Gets the files as they arrive.
  ///   - advice: What to do about an artifact that could not be fetched, where the stage knows more than the error.
  /// - Throws: `Errno`, or `CancellationError`. Failures of single artifacts are in the report.
  func bring(
    _ prepared: Prepared, _ report: inout StageReport,
    advice: (any Error, Artifact) -> String? = { _, _ in nil }
  ) async throws {
    defer { prepared.reservation.release() }
    guard !prepared.missing.isEmpty || !prepared.leftOut.isEmpty else { return }
    let inquiry = prepared.inquiry
    for warning in inquiry.warnings { emit(.message(.warning, warning, stage: report.stage.rawValue)) }
    let intactBytes = report.files.byteSum(of: \.size)
    emit(
      .stageTotals(
        report.stage.rawValue, items: report.items, bytes: ByteSize.sum(intactBytes, inquiry.transfer)))
    emit(.stageActivity(report.stage.rawValue, ""))
    try previous.markUnfinished()
    var found = report
    defer { report = found }
    var leftOut = prepared.leftOut
    for artifact in leftOut.artifacts { skip(artifact) }
    for bringer in bringers {
      let own = prepared.missing.filter { bringer.brings($0.source) }
      guard !own.isEmpty else { continue }
      try await bringer.bring(own, inquiry) { artifact, result in
        prepared.reservation.release(artifact.path)
        note(artifact, result, advice, &found, &leftOut)
      }
    }
    try Task.checkCancellation()
    try await tell(leftOut, of: prepared, &found)
  }

  /// Says what is left out, and takes it out of the lists.
  private func tell(
    _ leftOut: LeftOut, of prepared: Prepared, _ report: inout StageReport
  ) async throws {
    guard !leftOut.isEmpty else { return }
    for warning in leftOut.warnings { emit(.message(.warning, warning, stage: report.stage.rawValue)) }
    let lists = prepared.lists.compactMap { list -> Artifact? in
      guard case .generated(let bytes) = list.source else { return nil }
      var list = list
      list.source = .generated(leftOut.filter(bytes))
      return list
    }
    report.files.removeAll { file in lists.contains { $0.path == file.path } }
    var found = report
    for bringer in bringers where lists.contains(where: { bringer.brings($0.source) }) {
      try await bringer.bring(lists, prepared.inquiry) { list, result in
        switch result {
        case .success(let fetched): found.files.append(fetched.file)
        case .failure(let error): found.failures.append(Problem(error, about: list.path.description))
        }
      }
    }
    report = found
  }

  private func skip(_ artifact: Artifact) {
    emit(.itemFinished(artifact.stage.rawValue, item: artifact.path.description, .skipped, bytes: 0))
  }

  private func note(
    _ artifact: Artifact, _ result: Result<FetchedFile, any Error>,
    _ advice: (any Error, Artifact) -> String?, _ report: inout StageReport, _ leftOut: inout LeftOut
  ) {
    let stage = report.stage.rawValue
    let path = artifact.path.description
    switch result {
    case .success(let fetched):
      report.files.append(fetched.file)
      report.bytes += fetched.transferred
      emit(.itemFinished(stage, item: path, .done, bytes: fetched.file.size))
    case .failure(let error):
      // What an interruption stopped has not failed.
      if Task.isCancelled { return }
      if artifact.isOptional, let error = error as? TransferError, error.kind.isAboutAbsence {
        emit(.message(.warning, "left out: \(error). Nothing that was asked for needs it.", stage: stage))
        emit(.itemFinished(stage, item: path, .skipped, bytes: 0))
        return
      }
      if leftOut.add(artifact, after: error) { return skip(artifact) }
      let problem = Problem(error, about: path).advising(advice(error, artifact))
      report.failures.append(problem)
      emit(.itemFinished(stage, item: path, .failed(problem), bytes: 0))
    }
  }
}

/// Hosts that have something that is missing, and do not answer.
struct SilentHosts: Error {
  /// What was found out of all that is missing.
  let inquiry: Inquiry
}

extension TransferError.Kind {
  /// Whether the server says that it does not have the file.
  fileprivate var isAboutAbsence: Bool {
    switch self {
    case .status(404), .status(410): true
    default: false
    }
  }
}
