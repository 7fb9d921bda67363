import Glibc
import SystemPackage

/// The names in a folder, in order of bytes.
///
/// - Throws: ``FileError``; also when the folder stops listing half-way.
public func listFolder(_ path: FilePath) throws(FileError) -> [String] {
  try folderNames(path).map(\.string)
}

/// The names in a folder, in order of bytes; none when there is no such folder.
///
/// - Throws: ``FileError``; also when the folder stops listing half-way.
public func listFolder(ifPresent path: FilePath) throws(FileError) -> [String] {
  do {
    return try listFolder(path)
  } catch {
    guard error.isMissing else { throw error }
    return []
  }
}

/// What ``walkFolder(_:skipping:_:)`` finds.
public struct FolderEntry: Sendable {
  /// The path relative to the folder that is walked.
  public let name: String
  /// The path.
  public let path: FilePath
  /// What it is; links are not followed.
  public let info: FileInfo
}

/// Visits everything below a folder, each folder before its content, the names of each folder in order of bytes.
/// Links are visited, not followed. What goes away meanwhile is left out.
///
/// - Parameters:
///   - folder: The folder, which is not visited itself.
///   - skipped: Names that are passed by with all that is below them, wherever they occur.
///   - body: Called with each file, folder and link.
/// - Throws: ``FileError`` when a folder cannot be read to its end, or whatever `body` throws.
public func walkFolder(
  _ folder: FilePath, skipping skipped: Set<String> = [], _ body: (FolderEntry) throws -> Void
) throws {
  try walk(folder, prefix: "", skipping: skipped, body)
}

private func walk(
  _ folder: FilePath, prefix: String, skipping skipped: Set<String>, _ body: (FolderEntry) throws -> Void
) throws {
  for component in try folderNames(folder) where !skipped.contains(component.string) {
    let path = folder.appending(component)
    let info: FileInfo
    do {
      info = try FileInfo(path)
    } catch {
      if error.isMissing { continue }
      throw error
    }
    let name = prefix + component.string
    try body(FolderEntry(name: name, path: path, info: info))
    if info.kind == .folder { try walk(path, prefix: name + "/", skipping: skipped, body) }
  }
}

/// The names in a folder as the file system has them, in order of bytes.
///
/// - Parameters:
///   - prefix: What the names begin with. Of the others nothing is made, however many there are.
///   - next: Gives the next entry of an open folder: `readdir`, or a test's own.
/// - Throws: ``FileError``.
func folderNames(
  _ path: FilePath, startingWith prefix: String = "",
  next: (OpaquePointer) -> UnsafeMutablePointer<dirent>? = { readdir($0) }
) throws(FileError) -> [FilePath.Component] {
  guard let stream = (path.isEmpty ? "." : path).withPlatformString(opendir) else {
    throw FileError(.list, path)
  }
  defer { closedir(stream) }
  var names: [FilePath.Component] = []
  while true {
    // readdir answers nil for the end of the folder and for a failure: only errno tells them apart.
    errno = 0
    guard let entry = next(stream) else { break }
    let component = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
        strncmp($0, prefix, prefix.utf8.count) == 0 ? FilePath.Component(platformString: $0) : nil
      }
    }
    if let component, component.kind == .regular { names.append(component) }
  }
  guard errno == 0 else { throw FileError(.list, path) }
  return names.sorted { $0.string.utf8.lexicographicallyPrecedes($1.string.utf8) }
}
