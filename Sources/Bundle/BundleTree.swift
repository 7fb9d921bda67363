import Glibc
import SystemPackage

/// What lies below an `outputs/` folder.
public enum BundleTree {
  /// Every entry that is not a folder, as paths relative to `outputs`, in order of bytes. Links are listed, not
  /// followed.
  ///
  /// - Throws: `Errno` when a folder cannot be read.
  public static func files(below outputs: FilePath) throws -> [String] {
    var found: [String] = []
    try visit(outputs, prefix: "") { name, isFolder in
      if !isFolder { found.append(name) }
    }
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Removes the folders below `outputs` that hold nothing, deepest first.
  public static func removeEmptyFolders(below outputs: FilePath) {
    var folders: [String] = []
    _ = try? visit(outputs, prefix: "") { name, isFolder in
      if isFolder { folders.append(name) }
    }
    // rmdir refuses a folder that is not empty, which is what decides here.
    for folder in folders.sorted().reversed() { rmdir(outputs.appending(folder).string) }
  }

  private static func visit(_ folder: FilePath, prefix: String, _ body: (String, Bool) -> Void) throws {
    guard let stream = opendir(folder.string) else { throw Errno(rawValue: errno) }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      guard name != ".", name != ".." else { continue }
      var status = stat()
      let path = folder.appending(name)
      guard lstat(path.string, &status) == 0 else { continue }
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      body(prefix + name, isFolder)
      if isFolder { try visit(path, prefix: prefix + name + "/", body) }
    }
  }
}
