import Console
import Mirrors
import Supply
import SystemPackage

/// An error for which this program has advice. The conformances in this folder are the one place that words it: what is
/// thrown below states facts alone.
protocol Advised: Error {
  /// What kind of problem it is, in a word that stays the same from release to release.
  var problemKind: String { get }
  /// What it happened to, where the error knows that better than its catcher.
  var subject: String? { get }
  /// What went wrong.
  var fact: String { get }
  /// What to do next.
  var advice: String? { get }
}

extension Advised {
  var subject: String? { nil }
  var fact: String { "\(self)" }
}

extension Problem {
  /// What an error means for the person who runs this program.
  ///
  /// - Parameter subject: The file or the stage that it happened to; an error that knows better names its own.
  public init(_ error: any Error, about subject: String = "") {
    switch error {
    case let problem as Problem: self = problem
    case let error as ListedImageError:
      self = Problem(error.error, about: subject).advising("Listed in \(error.listing).")
    case let error as any Advised:
      self.init(
        kind: error.problemKind, subject: error.subject ?? subject, detail: error.fact, advice: error.advice)
    case let error as Errno:
      self.init(kind: "file", subject: subject, detail: "\(error)", advice: Advice.folder)
    default: self.init(kind: "other", subject: subject, detail: "\(error)")
    }
  }

  /// The problems that an error stands for: several, where it says so.
  public static func all(_ error: any Error, about subject: String = "") -> [Problem] {
    switch error {
    case let problems as Problems: problems.all
    case let failed as DeltaErrors: failed.all.flatMap { all($0, about: subject) }
    case let failed as ArchitecturesFailed:
      failed.errors.flatMap { architecture, error in
        all(error, about: subject).map { problem in
          var problem = problem
          problem.detail = "\(architecture): \(problem.detail)"
          return problem
        }
      }
    default: [Problem(error, about: subject)]
    }
  }
}

/// Sentences that several errors share.
enum Advice {
  static let again = "Run the same command again; it resumes."
  static let online = "Run the same command once without --offline."
  static let mirror = "Try again later, or use a mirror (mirrors:)."
  static let folder = "Check free space and permissions of the folder."
  static let refetch = "Delete it and run the same command again."
  static let changed =
    "A proxy may have changed it, or it was replaced upstream; do not use it before you know why."

  /// How to log in to a registry.
  static func login(_ registry: String, _ variables: (user: String, password: String)) -> String {
    "To log in: podman login \(registry) (or docker login), or set \(variables.user) and \(variables.password)."
  }

  /// What to write where packages of a release come from no known source.
  static func sources(_ target: String) -> String { "packages.sources (\(target): FILE)" }
}
