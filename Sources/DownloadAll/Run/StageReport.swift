import Bundle
import Console
import Files

/// How one stage went.
public struct StageReport: Sendable {
  /// How it ended.
  public enum Outcome: String, Sendable {
    /// All it wants is in the bundle.
    case done
    /// Something failed; see ``StageReport/failures``.
    case failed
    /// A stage that it needs failed.
    case blocked
  }

  /// The stage.
  public let stage: StageName
  /// How it ended.
  public var outcome: Outcome = .done
  /// Files that it wants in the bundle.
  public var items = 0
  /// Files that were intact already.
  public var skipped = 0
  /// Bytes that came over the network.
  public var bytes: Int64 = 0
  /// The stage whose failure kept this one from starting.
  public var blockedBy: StageName?
  /// How long it took.
  public var duration: Duration = .zero
  /// How long of that was fetching.
  public var fetchDuration: Duration = .zero
  /// What failed.
  public var failures: [Problem] = []
  /// The files that are in the bundle.
  public var files: [ManifestFile] = []

  init(_ stage: StageName) {
    self.stage = stage
  }

  /// One line about what the stage did.
  public var summary: String {
    switch outcome {
    case .blocked:
      let event = items > 0 ? "stopped" : "not started"
      return blockedBy.map { "\(event), because stage \($0.rawValue) failed" } ?? event
    case .failed where items == 0: return "the reasons follow below"
    default: break
    }
    guard items > 0 else { return "" }
    var parts = [counted(items, "file")]
    if skipped > 0 { parts.append("\(skipped) already intact") }
    if bytes > 0 { parts.append("\(ByteCount.format(bytes)) fetched") }
    if !failures.isEmpty { parts.append("\(failures.count) failed") }
    return parts.joined(separator: ", ")
  }

  var consoleOutcome: StageOutcome {
    switch outcome {
    case .done: .done
    case .failed: .failed
    case .blocked: .skipped
    }
  }

  /// Notes what kept the stage from its work.
  mutating func fail(_ error: any Error) {
    outcome = .failed
    failures += Problem.all(error, about: stage.rawValue)
  }

  /// Notes that another stage kept this one from its work.
  mutating func block(by other: StageName) {
    outcome = .blocked
    blockedBy = other
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
