import Glibc
import SystemPackage

/// Removes a file or a link. That it is missing is not an error.
///
/// - Throws: ``FileError``; also for a folder.
public func removeFile(_ path: FilePath) throws(FileError) {
  guard path.withPlatformString(unlink) == 0 || errno == ENOENT || errno == ENOTDIR else {
    throw FileError(.remove, path)
  }
}

/// Removes a file, a link, or a folder with everything in it. That it is missing is not an error. Links are removed,
/// not followed.
///
/// - Throws: ``FileError`` for the first thing that cannot be removed.
public func removeTree(_ path: FilePath) throws(FileError) {
  let kind: FileInfo.Kind
  do {
    kind = try FileInfo(path).kind
  } catch {
    if error.isMissing { return }
    throw error
  }
  guard kind == .folder else { return try removeFile(path) }
  for name in try folderNames(path) { try removeTree(path.appending(name)) }
  guard path.withPlatformString(rmdir) == 0 || errno == ENOENT else { throw FileError(.remove, path) }
}

/// Removes a folder that is empty.
///
/// - Returns: Whether it was removed; a folder with something in it stays.
@discardableResult public func removeEmptyFolder(_ path: FilePath) -> Bool {
  path.withPlatformString(rmdir) == 0
}
