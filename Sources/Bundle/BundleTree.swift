import Files
import SystemPackage

/// What lies below an `outputs/` folder.
public enum BundleTree {
  /// Every entry that is not a folder, as paths relative to `outputs`, in order of bytes. Links are listed, not
  /// followed.
  ///
  /// - Parameters:
  ///   - outputs: The folder.
  ///   - isIncluded: Which of them are wanted.
  /// - Throws: `FileError` when a folder cannot be read to its end.
  public static func files(
    below outputs: FilePath, where isIncluded: (String) -> Bool = { _ in true }
  ) throws -> [String] {
    var found: [String] = []
    try walkFolder(outputs) { if $0.info.kind != .folder, isIncluded($0.name) { found.append($0.name) } }
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Removes the folders below `outputs` that hold nothing, deepest first.
  public static func removeEmptyFolders(below outputs: FilePath) {
    var folders: [FilePath] = []
    try? walkFolder(outputs) { if $0.info.kind == .folder { folders.append($0.path) } }
    for folder in folders.reversed() { removeEmptyFolder(folder) }
  }
}
