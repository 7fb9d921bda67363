import Files
import Glibc
import SystemPackage

/// The text of a file.
func text(of path: FilePath) throws -> String { try readText(path) }

/// What `lstat` says; nil when there is nothing.
func status(of path: FilePath) -> stat? {
  var result = stat()
  return lstat(path.string, &result) == 0 ? result : nil
}

/// Everything below a folder, in the order of names.
func names(in folder: FilePath) -> [String] {
  var found: [String] = []
  try? walkFolder(folder) { found.append($0.name) }
  return found.sorted()
}
