import Bundle
import Concurrency
import Console
import Host
import Kubespray
import Settings
import Synchronization

/// Finds out what a run would do, of which nothing but the cache may change.
public struct Planning: Sendable {
  private let job: Job
  private let tools: RunTools
  private let runner: StageRunner
  private let said: SaidWarnings

  /// Prepares the work.
  ///
  /// - Throws: What keeps a run from starting; see ``Pipeline``.
  public init(
    _ job: Job, environment: [String: String], emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) throws {
    // Stages that only plan do not start, and show no progress.
    let said = SaidWarnings()
    let tools = try RunTools(job, environment: environment) { event in
      guard case .message(let level, let text, _) = event else { return }
      if level == .warning { said.add(text) }
      emit(event)
    }
    self.init(job, tools, try StageTable.rows(job, tools, isPlanning: true), said)
  }

  /// The plan of these stages.
  init(_ job: Job, _ tools: RunTools, _ rows: [StageTable.Row], _ said: SaidWarnings = SaidWarnings()) {
    self.job = job
    self.tools = tools
    self.said = said
    runner = StageRunner(rows, tools.fetcher(job), tools.lock, emit: tools.emit)
  }

  /// Plans, and asks the servers for sizes.
  ///
  /// - Throws: `ArtifactCollision`, or `CancellationError`. A stage that cannot be planned is in the report.
  public func report() async throws -> PlanReport {
    let (planned, unplanned) = try await plan()
    let items = try await items(planned)
    let source = job.includes(.kubespray) ? try? await tools.kubespray.source() : nil
    let catalog = job.includes(.py) ? try? await tools.kubespray.catalog() : nil
    let lacking =
      job.includes(.pkgs) ? try? await StageTable.pkgs(job, tools, isPlanning: true).lackingPackages() : nil
    return PlanReport(
      install: lacking ?? [],
      unplanned: unplanned,
      kubespray: source?.copy.version.name ?? job.configuration.kubespray.version,
      architecture: job.architecture.rawValue, platforms: job.platforms,
      artifacts: items.list.sorted { $0.path < $1.path },
      images: catalog?.selecting(job.configuration.kubespray.selection).images.map(\.reference) ?? [],
      warnings: Self.once((catalog?.warnings ?? []) + items.warnings + said.all),
      signer: tools.signer?.fingerprint, removed: unplanned.isEmpty ? removed(planned) : [])
  }

  /// What a run will remove. What is made of fetched files, such as the index of a repository, is not planned yet, so
  /// nothing is said of it.
  private func removed(_ planned: [Artifact]) -> [PlanReport.Removed] {
    let paths = Set(planned.map(\.path))
    let stages = Set(runner.stages)
    return (tools.previous.manifest?.files ?? []).filter { file in
      stages.contains(file.stage) && !paths.contains(file.path)
        && ![.generated, .local].contains(file.verification)
    }.map { PlanReport.Removed(stage: $0.stage, path: $0.path.description) }
  }

  private static func once(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
  }

  /// Holds the plan against what kubespray will ask for: whether a bundle made by it would be enough.
  ///
  /// - Throws: `ArtifactCollision`, `CancellationError`, `Problems` when a stage could not be planned, or what kept the
  ///   question from being answered.
  public func prove() async throws -> ClosureProof {
    let (planned, unplanned) = try await plan()
    guard unplanned.isEmpty else {
      throw Problems(unplanned.filter { !$0.isConsequence }.map(\.problem))
    }
    return try await ProofRun(job, ProofQuestions(job, tools), tools.events(.prove), planned: planned).proof()
  }

  /// What every selected stage wants, without fetching any of it; and the stages that could not say it, with the reason.
  private func plan() async throws -> (artifacts: [Artifact], unplanned: [PlanReport.Unplanned]) {
    let stages = runner.stages
    var results: [StageName: Result<[Artifact], any Error>] = [:]
    await forEachConcurrently(stages, limit: max(1, stages.count)) { stage in
      await Result { try await runner.plan(of: stage) }
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

  private func items(_ planned: [Artifact]) async throws -> (list: [PlanReport.Item], warnings: [String]) {
    let fetcher = tools.fetcher(job)
    var whole: [BundlePath: ManifestFile] = [:]
    for artifact in planned { whole[artifact.path] = try await fetcher.present.file(artifact) }
    let inquiry = await fetcher.inquire(
      about: planned.filter { whole[$0.path] == nil }, asksHosts: false)
    for warning in inquiry.warnings { tools.events(.images).say(.warning, warning) }
    let items = planned.map { artifact in
      let there = whole[artifact.path]
      return PlanReport.Item(
        stage: artifact.stage, path: artifact.path.description, url: artifact.recordedOrigin,
        size: there?.size ?? inquiry.sizes[artifact.path], digest: artifact.digest,
        verification: artifact.verification, isWhole: there != nil,
        isChanged: there == nil && tools.previous.file(artifact.path) != nil)
    }
    return (items, inquiry.warnings)
  }
}

/// What stages warn of while they plan: who reads the plan as JSON sees nothing else of it.
final class SaidWarnings: Sendable {
  private let texts = Mutex<[String]>([])

  var all: [String] { texts.withLock { $0 } }

  func add(_ text: String) { texts.withLock { $0.append(text) } }
}
