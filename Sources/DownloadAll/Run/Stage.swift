import Bundle
import Console

/// A part of the job. It finds out what it wants in the bundle; it never fetches: one engine does that for all.
protocol Stage: Sendable {
  /// Its name.
  var name: StageName { get }
  /// The stages whose results it reads.
  var needs: [StageName] { get }

  /// Does the stage's own work, and says which files it wants in the bundle.
  ///
  /// - Throws: An error whose description names the thing, the cause and the next action.
  func artifacts(_ run: RunContext) async throws -> [Artifact]

  /// The files that are made of the others, once every one of these lies whole in the bundle: the index of a
  /// repository. Must be quick when they were made before.
  ///
  /// - Throws: An error whose description names the thing, the cause and the next action.
  func madeArtifacts(_ run: RunContext) async throws -> [Artifact]

  /// Told that one of its artifacts could not be fetched.
  ///
  /// - Returns: What to do, where the stage knows more than the error.
  func failed(_ artifact: Artifact, _ error: any Error, _ run: RunContext) -> String?
}

extension Stage {
  func madeArtifacts(_ run: RunContext) async throws -> [Artifact] { [] }
  func failed(_ artifact: Artifact, _ error: any Error, _ run: RunContext) -> String? { nil }
}

/// A stage that could not start because one that it needs has failed.
struct StageBlocked: Error, CustomStringConvertible {
  let by: StageName

  var description: String { "not started, because stage \(by.rawValue) failed" }
}

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
  public var outcome: Outcome
  /// Files that it wants in the bundle.
  public var items = 0
  /// Files that were whole already.
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
}
