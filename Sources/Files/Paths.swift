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

/// A regular file below a folder, opened for reading. No part of its path may be a link, so that it leads nowhere else.
///
/// - Parameters:
///   - path: Relative to the folder, without `..`.
///   - folder: The folder; links in its own path are followed.
/// - Throws: ``FileError``; its code is `tooManySymbolicLinkLevels` for a link or a file in place of a folder, and
///   `notSupported` for what is not a regular file.
public func openFile(_ path: FilePath, beneath folder: FilePath) throws(FileError) -> FileDescriptor {
  let place = folder.appending(path.components)
  let names = path.components.map(\.string)
  guard !path.isAbsolute, !names.isEmpty, path.components.allSatisfy({ $0.kind == .regular }) else {
    throw FileError(.read, place, .invalidArgument)
  }
  var opened = folder.withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
  guard opened >= 0 else { throw FileError(.read, place) }
  for (index, name) in names.enumerated() {
    let isLast = index == names.count - 1
    // Without O_NONBLOCK a pipe would wait for somebody who writes into it.
    let next = openat(opened, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (isLast ? O_NONBLOCK : O_DIRECTORY))
    let code = errno
    close(opened)
    guard next >= 0 else {
      // With O_DIRECTORY a link is not a folder (open(2)).
      throw FileError(.read, place, code == ENOTDIR ? .tooManySymbolicLinkLevels : Errno(rawValue: code))
    }
    opened = next
  }
  let descriptor = FileDescriptor(rawValue: opened)
  guard (try? FileInfo(descriptor))?.kind == .file else {
    try? descriptor.close()
    throw FileError(.read, place, .notSupported)
  }
  return descriptor
}
