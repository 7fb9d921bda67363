import Bundle
import Synchronization

/// How the stages of a run ended, for a stage that makes something of what others have brought.
final class StageEnds: Sendable {
  private struct State {
    var outcomes: [StageName: StageReport.Outcome] = [:]
    var waiting: [StageName: [CheckedContinuation<StageReport.Outcome, Never>]] = [:]
  }

  private let state = Mutex(State())

  /// Notes that a stage has ended.
  func note(_ stage: StageName, _ outcome: StageReport.Outcome) {
    let waiting = state.withLock { state in
      state.outcomes[stage] = outcome
      return state.waiting.removeValue(forKey: stage) ?? []
    }
    for continuation in waiting { continuation.resume(returning: outcome) }
  }

  /// Waits until a stage has ended. It must be one of the run, and must not wait for the one that asks.
  ///
  /// A run that is cancelled ends all its stages, so nobody waits longer than that.
  func outcome(of stage: StageName) async -> StageReport.Outcome {
    await withCheckedContinuation { continuation in
      let known = state.withLock { state in
        if let outcome = state.outcomes[stage] { return Optional(outcome) }
        state.waiting[stage, default: []].append(continuation)
        return nil
      }
      if let known { continuation.resume(returning: known) }
    }
  }
}
