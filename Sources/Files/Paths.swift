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

/// Where a link leads, exactly as it is written in the link.
///
/// - Throws: ``FileError``; also for what is not a link, and for a target that is not UTF-8.
public func linkTarget(_ path: FilePath) throws(FileError) -> String {
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = path.withPlatformString { readlink($0, &buffer, buffer.count) }
  guard count >= 0 else { throw FileError(.readLink, path) }
  guard let target = String(validating: buffer[..<count], as: UTF8.self) else {
    throw FileError(.readLink, path, .illegalByteSequence)
  }
  return target
}

/// Makes a symbolic link with exactly this text as its target.
///
/// - Throws: ``FileError``; also when there is something at its path.
public func createLink(_ path: FilePath, to target: String) throws(FileError) {
  guard path.withPlatformString({ symlink(target, $0) }) == 0 else { throw FileError(.createLink, path) }
}
