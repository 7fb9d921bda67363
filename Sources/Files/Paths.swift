import Glibc
import SystemPackage

/// The absolute path of what exists, without links.
///
/// - Throws: ``FileError``.
public func realPath(_ path: FilePath) throws(FileError) -> FilePath {
  guard let resolved = path.withPlatformString({ realpath($0, nil) }) else { throw FileError(.resolve, path) }
  defer { free(resolved) }
  return FilePath(platformString: resolved)
}

/// The folder that relative paths begin at.
///
/// - Throws: ``FileError`` when it was removed.
public func currentFolder() throws(FileError) -> FilePath {
  guard let folder = getcwd(nil, 0) else { throw FileError(.resolve, ".") }
  defer { free(folder) }
  return FilePath(platformString: folder)
}

/// Where a link leads, as it is written in the link.
///
/// - Throws: ``FileError``; also for what is not a link.
public func linkTarget(_ path: FilePath) throws(FileError) -> FilePath {
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
  guard path.withPlatformString({ readlink($0, &buffer, Int(PATH_MAX)) }) >= 0 else {
    throw FileError(.readLink, path)
  }
  return FilePath(platformString: buffer)
}

/// Makes a symbolic link.
///
/// - Throws: ``FileError``; also when there is something at its path.
public func createLink(_ path: FilePath, to target: FilePath) throws(FileError) {
  guard target.withPlatformString({ target in path.withPlatformString { symlink(target, $0) } }) == 0
  else { throw FileError(.createLink, path) }
}
