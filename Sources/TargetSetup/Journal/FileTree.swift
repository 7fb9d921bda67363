import Files
import Glibc
import Integrity
import SystemPackage

/// Files, folders and links, with what they are made of: content, mode, owner and time.
enum FileTree {
  /// Whether there is something at a path, a dangling link too.
  static func exists(_ path: FilePath) -> Bool { (try? FileInfo(path)) != nil }

  /// Copies a file, a link or a whole folder, durably and with its attributes, in place of nothing.
  ///
  /// A file takes its final name when it is complete.
  /// - Throws: ``FileError``; also for devices and sockets.
  static func copy(_ source: FilePath, to destination: FilePath) throws {
    let info = try FileInfo(source)
    switch info.kind {
    case .file:
      let temporary = temporaryName(for: destination)
      try removeFile(temporary)
      _ = try copyDurably(source, to: temporary)
      try info.apply(to: temporary)
      try renameDurably(temporary, to: destination)
    case .link:
      try link(destination, to: try linkTarget(source)) { try info.apply(to: $0) }
    case .folder:
      try makeFolder(destination, mode: 0o700)
      for name in try listFolder(source) {
        try copy(source.appending(name), to: destination.appending(name))
      }
      try info.apply(to: destination)
    case .other: throw FileError(.read, source, .notSupported)
    }
  }

  /// Makes a link, in place of a file or link of that name.
  ///
  /// - Parameter finish: Called with the link before it takes its final name.
  /// - Throws: ``FileError``.
  static func link(
    _ path: FilePath, to target: String, finish: (FilePath) throws -> Void = { _ in }
  ) throws {
    let temporary = temporaryName(for: path)
    try removeFile(temporary)
    try createLink(temporary, to: target)
    try finish(temporary)
    try renameDurably(temporary, to: path)
  }

  /// Makes a folder; that there is something of that name is not an error.
  ///
  /// - Throws: ``FileError``.
  static func makeFolder(_ path: FilePath, mode: UInt32) throws(FileError) {
    guard mkdir(path.string, mode_t(mode)) == 0 || errno == EEXIST else {
      throw FileError(.createFolder, path, Errno(rawValue: errno))
    }
  }

  /// Whether two places hold the same: kind, content, mode and owner. Times do not count.
  static func areEqual(_ first: FilePath, _ second: FilePath) -> Bool {
    guard let left = try? FileInfo(first), let right = try? FileInfo(second), left.kind == right.kind,
      left.owner == right.owner, left.group == right.group
    else { return false }
    switch left.kind {
    case .file:
      return left.mode == right.mode && left.size == right.size
        && (try? Digest(ofFile: first) == Digest(ofFile: second)) == true
    case .link: return (try? linkTarget(first) == linkTarget(second)) == true
    case .folder:
      guard left.mode == right.mode, let names = try? listFolder(first), names == (try? listFolder(second))
      else { return false }
      return names.allSatisfy { areEqual(first.appending($0), second.appending($0)) }
    case .other: return false
    }
  }

  /// The name that a file has until it is complete; always the same, so that what a kill left is overwritten.
  static func temporaryName(for path: FilePath) -> FilePath {
    path.removingLastComponent().appending(".\(path.lastComponent?.string ?? "file").kubespray-offline")
  }
}

extension FileInfo {
  /// The permission bits, up to 0o7777.
  var mode: UInt32 { UInt32(permissions.rawValue) }
}
