import Files
import Integrity
import SystemPackage

/// Files, folders and links, with what they are made of: content, mode, owner, time and extended attributes.
enum FileTree {
  /// Whether there is something at a path, a dangling link too.
  static func exists(_ path: FilePath) -> Bool { (try? FileInfo(path)) != nil }

  /// Copies a file, a link or a whole folder, durably and with its attributes, in place of nothing.
  ///
  /// It takes its final name when it is complete, and nobody else can read it before.
  /// - Throws: ``FileError``; also for devices and sockets.
  static func copy(_ source: FilePath, to destination: FilePath) throws {
    let info = try FileInfo(source)
    switch info.kind {
    case .file:
      let temporary = temporaryName(for: destination)
      try removeFile(temporary)
      try copyWithAttributes(source, to: temporary)
      try renameDurably(temporary, to: destination)
    case .link:
      let attributes = try ExtendedAttributes(source)
      try link(destination, to: try linkTarget(source)) { try info.apply(to: $0, attributes) }
    case .folder:
      let temporary = temporaryName(for: destination)
      try removeTree(temporary)
      try createFolder(temporary, permissions: .ownerReadWriteExecute)
      for name in try listFolder(source) {
        try copy(source.appending(name), to: temporary.appending(name))
      }
      try info.apply(to: temporary, try ExtendedAttributes(source))
      try renameDurably(temporary, to: destination)
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

  /// Whether two places hold the same: kind, content, mode and owner. Times do not count.
  ///
  /// - Parameter withAttributes: Whether ACLs, capabilities and other extended attributes count, too.
  static func areEqual(_ first: FilePath, _ second: FilePath, withAttributes: Bool = false) -> Bool {
    guard let left = try? FileInfo(first), let right = try? FileInfo(second), left.kind == right.kind,
      left.owner == right.owner, left.group == right.group
    else { return false }
    if withAttributes, (try? ExtendedAttributes(first)) != (try? ExtendedAttributes(second)) { return false }
    switch left.kind {
    case .file:
      return left.mode == right.mode && left.size == right.size
        && (try? Digest(ofFile: first) == Digest(ofFile: second)) == true
    case .link: return (try? linkTarget(first) == linkTarget(second)) == true
    case .folder:
      guard left.mode == right.mode, let names = try? listFolder(first), names == (try? listFolder(second))
      else { return false }
      return names.allSatisfy {
        areEqual(first.appending($0), second.appending($0), withAttributes: withAttributes)
      }
    case .other: return false
    }
  }

  /// The name that a file has until it is complete; always the same, so that what a kill left is overwritten.
  static func temporaryName(for path: FilePath) -> FilePath {
    path.removingLastComponent().appending(".\(path.lastComponent?.string ?? "file")\(temporarySuffix)")
  }

  private static let temporarySuffix = ".kubespray-offline"

  /// Whether a file has such a name, so that it is what a kill has left.
  static func isTemporary(_ path: FilePath) -> Bool {
    let name = path.lastComponent?.string ?? ""
    return name.hasPrefix(".") && name.hasSuffix(temporarySuffix) || IncompleteName.matches(name)
  }

  /// Removes what a kill has left of something that was to be put at a path.
  ///
  /// - Throws: ``FileError``.
  static func removeUnfinished(_ path: FilePath) throws(FileError) {
    let temporary = temporaryName(for: path)
    try removeTree(temporary)
    try removeFile(Files.temporaryName(for: temporary))
  }
}

extension FileInfo {
  /// The permission bits, up to 0o7777.
  var mode: UInt32 { UInt32(permissions.rawValue) }
}
