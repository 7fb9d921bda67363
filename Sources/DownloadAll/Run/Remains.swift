import Files
import Transfer

/// The names that files have while they are brought into the bundle.
enum Remains {
  /// Whether a file is what an interrupted run left.
  ///
  /// - Parameter known: The files that are, or were, brought into the bundle. Only this program downloads to `.part`
  ///   in a bundle, but anybody may have a `.tmp`.
  static func contains(_ name: String, known: Set<String>) -> Bool {
    Download.isPart(name) || finalName(of: name).map(known.contains) ?? false
  }
}
