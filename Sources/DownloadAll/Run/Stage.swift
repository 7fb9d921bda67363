import Bundle

/// A part of the job. It finds out what it wants in the bundle; it never fetches: one engine does that for all.
protocol Stage: Sendable {
  /// Does what needs nothing of what the stage waits for but the programs of this machine. What goes wrong is for
  /// ``artifacts()`` to report, which is called whether this has ended or not.
  func prepare() async

  /// Does the stage's own work, and says which files it wants in the bundle.
  ///
  /// - Throws: An error whose description names the thing, the cause and the next action.
  func artifacts() async throws -> [Artifact]

  /// Called when one of its artifacts could not be fetched.
  ///
  /// - Returns: What to do, where the stage knows more than the error.
  func advice(on error: any Error, for artifact: Artifact) -> String?
}

extension Stage {
  func prepare() async {}

  func advice(on error: any Error, for artifact: Artifact) -> String? { nil }
}

/// What a stage waits for.
enum Need: Sendable, Hashable {
  /// What another stage finds out.
  case findings(StageName)
  /// All files of another stage.
  case files(StageName)

  /// The other stage.
  var stage: StageName {
    switch self {
    case .findings(let stage), .files(let stage): stage
    }
  }

  /// What is waited for, for people.
  var description: String {
    switch self {
    case .findings(.pkgs): "the programs that this machine lacks"
    case .findings(.kubespray): "kubespray's source"
    case .findings(.py): "the catalog"
    case .files(.pypi): "the Python packages"
    case .files(.repo): "the operating-system packages"
    case .findings(let stage), .files(let stage): "stage \(stage.rawValue)"
    }
  }
}

/// A stage that could not start because one that it needs has failed.
struct StageBlocked: Error, CustomStringConvertible {
  let by: StageName

  var description: String { "not started, because stage \(by.rawValue) failed" }
}
