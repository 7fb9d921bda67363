import Files
import SystemPackage

/// Writes a file and the folders above it.
///
/// - Throws: `FileError`.
public func put(_ text: String, at path: FilePath) throws {
  try createDirectories(path.removingLastComponent())
  try writeAtomically(text, to: path)
}

/// The text of a file; `nil` when there is none.
public func text(_ path: FilePath) -> String? { try? readText(path) }

/// Everything below a folder: the path with mode and content of each file, link and folder.
///
/// - Throws: `FileError`.
public func content(of folder: FilePath) throws -> [String: String] {
  var found: [String: String] = [:]
  try walkFolder(folder) { entry in
    let mode = String(entry.info.permissions.rawValue, radix: 8)
    let what =
      switch entry.info.kind {
      case .link: try linkTarget(entry.path)
      case .folder: "folder"
      case .file, .other: text(entry.path) ?? "folder"
      }
    found[entry.name] = "\(mode) \(what)"
  }
  return found
}
