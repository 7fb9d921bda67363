import Files
import Glibc
import Integrity
import SystemPackage

/// Files, folders and links, with what they are made of: content, mode, owner and time.
enum FileTree {
  /// Copies a file, a link or a whole folder, durably and with its attributes, in place of nothing.
  ///
  /// A file takes its final name when it is whole.
  /// - Throws: `Errno`; also for devices and sockets.
  static func copy(_ source: FilePath, to destination: FilePath) throws {
    guard let attributes = FileAttributes(source) else { throw Errno.noSuchFileOrDirectory }
    switch attributes.kind {
    case .file:
      let temporary = temporaryName(for: destination)
      unlink(temporary.string)
      _ = try copyDurably(source, to: temporary)
      try attributes.apply(to: temporary)
      try renameDurably(temporary, to: destination)
    case .link:
      let temporary = temporaryName(for: destination)
      unlink(temporary.string)
      guard symlink(try linkTarget(source), temporary.string) == 0 else { throw Errno(rawValue: errno) }
      try attributes.apply(to: temporary)
      try renameDurably(temporary, to: destination)
    case .folder:
      guard mkdir(destination.string, 0o700) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
      for name in try names(in: source) {
        try copy(source.appending(name), to: destination.appending(name))
      }
      try attributes.apply(to: destination)
    case .other: throw Errno.notSupported
    }
  }

  /// Removes a file, a link or a whole folder; what is not there is no error.
  ///
  /// - Throws: `Errno`.
  static func remove(_ path: FilePath) throws {
    guard let attributes = FileAttributes(path) else { return }
    if attributes.kind == .folder {
      for name in try names(in: path) { try remove(path.appending(name)) }
      guard rmdir(path.string) == 0 else { throw Errno(rawValue: errno) }
    } else {
      guard unlink(path.string) == 0 || errno == ENOENT else { throw Errno(rawValue: errno) }
    }
  }

  /// Whether two places hold the same: kind, content, mode and owner. Times do not count.
  static func areEqual(_ first: FilePath, _ second: FilePath) -> Bool {
    guard let left = FileAttributes(first), let right = FileAttributes(second), left.kind == right.kind,
      left.owner == right.owner, left.group == right.group
    else { return false }
    switch left.kind {
    case .file:
      return left.mode == right.mode && left.size == right.size
        && (try? Digest(ofFile: first) == Digest(ofFile: second)) == true
    case .link: return (try? linkTarget(first) == linkTarget(second)) == true
    case .folder:
      guard left.mode == right.mode, let names = try? names(in: first),
        names == (try? self.names(in: second))
      else { return false }
      return names.allSatisfy { areEqual(first.appending($0), second.appending($0)) }
    case .other: return false
    }
  }

  /// The names in a folder, in order of bytes.
  ///
  /// - Throws: `Errno`.
  static func names(in folder: FilePath) throws(Errno) -> [String] {
    guard let stream = opendir(folder.string) else { throw Errno(rawValue: errno) }
    defer { closedir(stream) }
    var found: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      if name != ".", name != ".." { found.append(name) }
    }
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Where a link leads.
  ///
  /// - Throws: `Errno`.
  static func linkTarget(_ path: FilePath) throws(Errno) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path.string, &buffer, buffer.count)
    guard count >= 0 else { throw Errno(rawValue: errno) }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The name that a file has until it is whole; always the same, so that what a kill left is overwritten.
  static func temporaryName(for path: FilePath) -> FilePath {
    path.removingLastComponent().appending(".\(path.lastComponent?.string ?? "file").kubespray-offline")
  }
}
