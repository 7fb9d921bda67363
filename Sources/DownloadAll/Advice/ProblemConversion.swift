import Console
import Registry
import Transfer

extension Problem {
  /// What an error means for the person who runs this program.
  ///
  /// - Parameter subject: The file or the stage that it happened to; an error that knows better names its own.
  init(_ error: any Error, about subject: String) {
    switch error {
    case let error as Problem: self = error
    case let error as ListedImageError:
      self = Problem(error.error, about: subject).advising("Listed in \(error.listing).")
    case let error as RegistryError:
      self.init(kind: "registry", subject: error.image, detail: error.detail, advice: error.advice)
    default: self.init(kind: "other", subject: subject, detail: "\(error)")
    }
  }

  /// The problems that an error stands for: several, where it says so.
  static func all(_ error: any Error, about subject: String) -> [Problem] {
    (error as? Problems)?.all ?? [Problem(error, about: subject)]
  }
}
