import Bundle
import Concurrency
import Console
import Files
import Host
import Settings
import SystemPackage
import Transfer

/// Brings one stage's artifacts into the bundle: skips what is whole, fetches the rest side by side, and goes on
/// when one of them fails.
struct ArtifactFetcher: Sendable {
  private let run: RunContext
  private let stage: StageName
  private let copies: ArtifactCopies
  private let advice: @Sendable (Artifact, any Error) -> String?

  /// - Parameter advice: What to do about an artifact that could not be fetched, where the stage knows more than the
  ///   error.
  init(
    run: RunContext, stage: StageName,
    advice: @escaping @Sendable (Artifact, any Error) -> String? = { _, _ in nil }
  ) {
    self.run = run
    self.stage = stage
    self.advice = advice
    copies = ArtifactCopies(run: run)
  }

  /// Fetches everything, after what the report has already.
  ///
  /// - Throws: ``NotEnoughSpace``, or `CancellationError`. Failures of single artifacts are in the report.
  func fetch(_ artifacts: [Artifact], into report: inout StageReport) async throws {
    var wholeBytes = report.files.reduce(0) { $0 + $1.size }
    let known = report.items > 0 ? wholeBytes : nil
    report.items += artifacts.count
    var missing: [Artifact] = []
    var failures: [Problem] = []
    run.emit(.stageTotals(stage.rawValue, items: report.items, bytes: known))
    await forEachConcurrently(artifacts, limit: 4) { artifact in
      await Result { try await copies.wholeFile(artifact) }
    } onResult: { artifact, result in
      switch result {
      case .success(let file?):
        report.files.append(file)
        report.skipped += 1
        wholeBytes += file.size
        run.emit(
          .itemFinished(stage.rawValue, item: artifact.path.description, .skipped, bytes: file.size))
      case .success: missing.append(artifact)
      case .failure(let error): failures.append(Problem(error, about: artifact.path.description))
      }
    }
    report.failures += failures
    try Task.checkCancellation()
    guard !missing.isEmpty else { return }
    let images = missing.filter { $0.image != nil }
    missing.removeAll { $0.image != nil }
    if !missing.isEmpty { try await fetchFiles(&missing, of: report.items, wholeBytes, into: &report) }
    if !images.isEmpty {
      let fetcher = ImageFetcher(run: run, items: report.items, wholeBytes: wholeBytes)
      try await fetcher.fetch(images) { note($0, $1, in: &report) }
    }
    try Task.checkCancellation()
  }

  private func fetchFiles(
    _ missing: inout [Artifact], of count: Int, _ wholeBytes: Int64, into report: inout StageReport
  ) async throws {
    let sizes = await knownSizes(missing)
    let room = missing.map { ($0.path, max(0, (sizes[$0.path] ?? 0) - copies.partSize($0))) }
    let reservation = try run.space.take(room)
    defer { reservation.release() }
    run.emit(
      .stageTotals(
        stage.rawValue, items: count, bytes: wholeBytes + sizes.values.reduce(0, +)))
    try run.previous.markUnfinished()
    // The largest first: what is left at the end is then small, and no connection idles for long.
    missing.sort { sizes[$0.path, default: 0] > sizes[$1.path, default: 0] }
    await fetchAll(missing, reservation, into: &report)
  }

  private func fetchAll(
    _ artifacts: [Artifact], _ reservation: SpaceReservation, into report: inout StageReport
  ) async {
    // Twice as many as connections: enough to keep all busy, few enough for open files.
    await forEachConcurrently(artifacts, limit: run.configuration.transfer.parallel * 2) { artifact in
      await Result { try await copies.bring(artifact) }
    } onResult: { artifact, result in
      reservation.release(artifact.path)
      note(artifact, result, in: &report)
    }
  }

  private func note(
    _ artifact: Artifact, _ result: Result<FetchedFile, any Error>, in report: inout StageReport
  ) {
    switch result {
    case .success(let fetched):
      report.files.append(fetched.file)
      report.bytes += fetched.transferred
      run.emit(
        .itemFinished(stage.rawValue, item: artifact.path.description, .done, bytes: fetched.file.size))
    case .failure(let error):
      // What an interruption stopped has not failed.
      if Task.isCancelled { return }
      if artifact.isOptional, let error = error as? TransferError, error.kind.isAboutAbsence {
        run.say(.warning, "left out: \(error) Nothing that was asked for needs it.", stage: stage)
        run.emit(.itemFinished(stage.rawValue, item: artifact.path.description, .skipped, bytes: 0))
        return
      }
      let problem = Problem(error, about: artifact.path.description).advising(advice(artifact, error))
      report.failures.append(problem)
      run.emit(
        .itemFinished(stage.rawValue, item: artifact.path.description, .failed(problem), bytes: 0))
    }
  }

  private func knownSizes(_ artifacts: [Artifact]) async -> [BundlePath: Int64] {
    // What a repository's metadata tells is not asked of its server, file by file.
    let answers = await run.remote.files(artifacts.filter { $0.size == nil }.compactMap(\.url))
    var sizes: [BundlePath: Int64] = [:]
    for artifact in artifacts {
      switch artifact.source {
      case .url(let url): sizes[artifact.path] = artifact.size ?? (try? answers[url]?.get().size)
      case .local(let path, _): sizes[artifact.path] = FileInfo(regularFile: path)?.size
      case .generated(let bytes): sizes[artifact.path] = Int64(bytes.count)
      case .image: break
      }
    }
    return sizes
  }
}

/// A file that was brought into the bundle.
struct FetchedFile: Sendable {
  let file: ManifestFile
  /// Bytes that came over the network for it.
  let transferred: Int64
}

extension Artifact {
  /// The URL, for what comes over the network.
  var url: String? {
    if case .url(let url) = source { url } else { nil }
  }

  /// The origin as it may be written down: without credentials.
  var recordedOrigin: String? {
    switch source {
    case .url(let url): hidingCredentials(url)
    case .local(_, let origin): origin.map(hidingCredentials)
    case .generated: nil
    case .image(let reference): "docker://\(reference)"
    }
  }
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
