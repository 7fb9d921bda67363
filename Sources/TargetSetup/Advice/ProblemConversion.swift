import Console
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
  /// - Parameter subject: The file, image or step that it happened to; an error that knows better names its own.
  public init(_ error: any Error, about subject: String = "") {
    switch error {
    case let problem as Problem: self = problem
    case let error as any Advised:
      self.init(
        kind: error.problemKind, subject: error.subject ?? subject, detail: error.fact, advice: error.advice)
    case let error as Errno:
      self.init(kind: "file", subject: subject, detail: "\(error)", advice: Advice.disk)
    default: self.init(kind: "other", subject: subject, detail: "\(error)")
    }
  }

  /// The problems that an error stands for: several, where it says so.
  public static func all(_ error: any Error, about subject: String = "") -> [Problem] {
    if let failed = error as? DeltaErrors { return failed.all.flatMap { all($0, about: subject) } }
    return (error as? Problems)?.all ?? [Problem(error, about: subject)]
  }
}

/// Sentences that several errors share.
enum Advice {
  static let again = "Correct the cause and run the same command again."
  static let resend = "Run the same command again: what has arrived is not sent again."
  static let others = "The archive's other images do not wait for it."
  static let disk = "Check free space and permissions of the folder."
  static let verify = "Check the bundle with: target-setup verify"
  static let recopy = "Copy it again. If it belongs to the bundle, check that with: target-setup verify"
  static let certificate =
    "If the registry uses a private CA, pass its certificate with --ca-file. Also check this machine's clock."

  /// How to log in to a registry.
  static func login(_ registry: String, _ variables: (user: String, password: String)) -> String {
    "To log in: podman login \(registry) (or docker login), or set \(variables.user) and \(variables.password)."
  }
}
