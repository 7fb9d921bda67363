import Console

/// One part of the work on the target.
///
/// A step that was applied says so in ``check(_:_:)``, and applying it again is right wherever it was stopped.
protocol Step: Sendable {
  /// Its name.
  var name: StepName { get }
  /// The steps without which it cannot work; when one of them fails in the same run, it is not started.
  var needs: [StepName] { get }

  /// The folders of the bundle that it uses; before it begins, a file in them that the manifest does not list is a
  /// failure.
  var usedFolders: [String] { get }

  /// Whether there is anything to do. Changes nothing.
  ///
  /// - Throws: An error whose description names the thing, the cause and the next action.
  func check(_ context: SetupContext, _ journal: Journal) async throws -> StepState

  /// Makes it so. Every change to the host goes through the journal, which knows it before it is made.
  ///
  /// - Returns: What there is now, for people: "registry answers on port 35000".
  /// - Throws: An error whose description names the thing, the cause and the next action.
  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String

  /// Stops what uses the files, before the journal is taken back.
  func beforeUndo(_ context: SetupContext, _ journal: Journal) async throws

  /// Lets the rest of the host know, after the journal is taken back. `journal` still tells its notes.
  func afterUndo(_ context: SetupContext, _ journal: Journal) async throws
}

extension Step {
  /// Nothing.
  var needs: [StepName] { [] }

  /// None.
  var usedFolders: [String] { [] }

  /// Does nothing.
  func beforeUndo(_ context: SetupContext, _ journal: Journal) async throws {}

  /// Does nothing.
  func afterUndo(_ context: SetupContext, _ journal: Journal) async throws {}
}

/// What a step found; the text is for people.
enum StepState: Sendable, Equatable {
  /// All is as the step would make it.
  case done(String)
  /// Something is missing or different.
  case needed(String)
  /// There is nothing for this step to do on this host or with this bundle.
  case notApplicable(String)
  /// It could be done and is not wanted here unless somebody says so.
  case refused(String)

  /// The text.
  var detail: String {
    switch self {
    case .done(let text), .needed(let text), .notApplicable(let text), .refused(let text): text
    }
  }

  /// One word for tables and scripts.
  var word: String {
    switch self {
    case .done: "done"
    case .needed: "to do"
    case .notApplicable: "not needed"
    case .refused: "left alone"
    }
  }
}

/// A problem of a step: what was to be done, to which thing, what went wrong, and which advice fits.
public struct StepError: Error, CustomStringConvertible, Equatable {
  /// What went wrong.
  public let detail: String
  /// Which advice fits; also what kind of problem it is.
  public let kind: StepAdvice

  /// A problem of a step.
  public init(_ detail: String, _ kind: StepAdvice) {
    self.detail = detail
    self.kind = kind
  }

  /// What went wrong and what to do next.
  public var description: String { Problem(self).description }
}
