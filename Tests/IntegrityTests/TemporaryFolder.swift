import Files
import SystemPackage

/// A fresh folder that is removed with everything in it when the test is over.
final class TemporaryFolder: Sendable {
  let path: FilePath

  init() throws { path = try createTemporaryFolder(named: "integrity-test") }

  deinit { try? removeTree(path) }

  /// The text of a file; nil when it cannot be read.
  func text(_ name: String) -> String? { try? readText(path.appending(name)) }

  /// The names in the folder.
  var names: [String] { (try? listFolder(path)) ?? [] }
}
