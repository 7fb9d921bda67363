import Bundle
import Concurrency
import Settings
import Synchronization

/// What each stage wants, found out once, whoever asks: the pipeline, precheck, or a stage that needs another.
final class StagePlans: Sendable {
  /// The stage of a name.
  let stage: @Sendable (StageName) -> any Stage
  private let memos = Mutex<[StageName: Memo<[Artifact]>]>([:])

  init(_ stage: @escaping @Sendable (StageName) -> any Stage) {
    self.stage = stage
  }

  /// The artifacts of a stage.
  ///
  /// - Throws: What the stage threw; ``StageBlocked`` when one that it needs failed.
  func artifacts(of name: StageName, in run: RunContext) async throws -> [Artifact] {
    let memo = memos.withLock { memos in
      if let memo = memos[name] { return memo }
      let stage = stage(name)
      let memo = Memo {
        for need in stage.needs {
          do {
            _ = try await run.plans.artifacts(of: need, in: run)
          } catch is CancellationError {
            throw CancellationError()
          } catch {
            throw StageBlocked(by: (error as? StageBlocked)?.by ?? need)
          }
        }
        return try await stage.artifacts(run)
      }
      memos[name] = memo
      return memo
    }
    return try await memo.value()
  }
}

/// The stages by name, and what a selection of them includes.
public enum StageTable {
  static func stage(_ name: StageName, _ configuration: Configuration) -> any Stage {
    switch name {
    case .precheck: PrecheckStage()
    case .pkgs: PkgsStage()
    case .py: PyStage()
    case .kubespray: KubesprayStage()
    case .pypi: MirrorStage.pypi(configuration)
    case .files: FilesStage()
    case .images: ImagesStage(configuration)
    case .repo: MirrorStage.repo(configuration)
    case .scripts: ScriptsStage()
    case .prove: ProveStage()
    }
  }

  /// The stages named and those that they need, in the order in which they are told. None named means all.
  public static func selection(_ named: [StageName], _ configuration: Configuration) -> [StageName] {
    var wanted = Set(named.isEmpty ? StageName.allCases : named)
    var waiting = Array(wanted)
    while let name = waiting.popLast() {
      for need in stage(name, configuration).needs where wanted.insert(need).inserted { waiting.append(need) }
    }
    return StageName.allCases.filter(wanted.contains)
  }
}
