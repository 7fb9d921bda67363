import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// The parts that changes are made of.
extension Journal {
  /// Turns what the system says into a sentence.
  func doing(_ what: String, _ work: () throws -> Void) throws(StepError) {
    do {
      try work()
    } catch let error as StepError {
      throw error
    } catch {
      throw StepError("cannot \(what): \(error)", .again)
    }
  }

  /// Puts a file in its place unless it is there already.
  func place(
    _ path: FilePath, sha256: Digest, mode: UInt32, group: UInt32? = nil, _ fill: (FilePath) throws -> Void
  ) throws(StepError) -> Bool {
    let place = onDisk(path)
    if let found = try? FileInfo(place), found.kind == .file, found.mode == mode,
      group == nil || found.group == group, (try? Digest(ofFile: place)) == sha256
    {
      return false
    }
    try doing("write \(path)") {
      var entry = JournalEntry(.file, path.string)
      entry.sha256 = sha256
      try prepare(&entry, at: place)
      let temporary = FileTree.temporaryName(for: place)
      try FileTree.removeUnfinished(place)
      try fill(temporary)
      if (try? FileInfo(place))?.kind == .folder { throw FileError(.write, place, .isDirectory) }
      try checkpoint()
      try renameDurably(temporary, to: place)
      try checkpoint()
    }
    return true
  }

  /// Writes down that a path gets a new content: its folders, the backup of what is there, and the line.
  func prepare(_ entry: inout JournalEntry, at place: FilePath) throws {
    try makeFolders(FilePath(entry.path).removingLastComponent(), mode: 0o755)
    let path = entry.path
    let earlier = entries.filter { $0.kind == .file && $0.path == path }
    if FileTree.exists(place) {
      if earlier.isEmpty {
        entry.backup = try backUp(place, path: FilePath(path))
      } else if !isOurs(place, earlier) {
        let kept = try keepChanged(place, path: FilePath(path))
        say("\(path) was changed since this program wrote it; its content is kept in \(kept)")
      }
    }
    try record([entry])
  }

  /// Whether a place holds what one of these lines wrote, or what was there before the first.
  func isOurs(_ place: FilePath, _ lines: [JournalEntry]) -> Bool {
    guard let found = try? FileInfo(place) else { return true }
    if let backup = lines.first?.backup, FileTree.areEqual(place, backupFolder.appending(backup)) {
      return true
    }
    switch found.kind {
    case .file:
      let digest = try? Digest(ofFile: place)
      return digest != nil && lines.contains { $0.sha256 == digest }
    case .link:
      let target = try? linkTarget(place)
      return target != nil && lines.contains { $0.link == target }
    case .folder, .other: return false
    }
  }

  /// Copies what somebody has changed to where it is out of the way and not lost, unless it is kept there already.
  ///
  /// - Returns: Where it is kept, a path of the host.
  func keepChanged(_ place: FilePath, path: FilePath) throws -> FilePath {
    var number = 1
    var kept = changedFolder.appending("1").appending(path.components)
    while FileTree.exists(kept), !FileTree.areEqual(place, kept) {
      number += 1
      kept = changedFolder.appending("\(number)").appending(path.components)
    }
    if !FileTree.exists(kept) {
      try createDirectories(kept.removingLastComponent())
      try FileTree.copy(place, to: kept)
    }
    return root == "/" ? kept : FilePath(root: "/", kept.components.dropFirst(root.components.count))
  }

  func makeFolders(_ path: FilePath, mode: UInt32) throws {
    let place = onDisk(path)
    if let found = try? FileInfo(place, followsLinks: true) {
      guard found.kind == .folder else { throw FileError(.createFolder, place, .notDirectory) }
      return
    }
    // The folder of the journals themselves goes with the last of them.
    if place == file.path.removingLastComponent().removingLastComponent() {
      return try createDirectories(place)
    }
    if !path.removingLastComponent().isEmpty, path.removingLastComponent() != path {
      try makeFolders(path.removingLastComponent(), mode: 0o755)
    }
    try record([JournalEntry(.folder, path.string)])
    try createFolder(place, permissions: FilePermissions(rawValue: CModeT(mode)))
    // Whatever the umask.
    try setPermissions(FilePermissions(rawValue: CModeT(mode)), of: place)
  }

  /// Writes down what is in a folder.
  func writeList(of folder: FilePath) throws -> String {
    var items: [TreeItem] = []
    try walkFolder(folder) { entry in
      switch entry.info.kind {
      case .folder: items.append(TreeItem(path: entry.name))
      case .link: items.append(TreeItem(path: entry.name, link: try linkTarget(entry.path)))
      case .file: items.append(TreeItem(path: entry.name, sha256: try Digest(ofFile: entry.path)))
      case .other: throw FileError(.read, entry.path, .notSupported)
      }
    }
    let folder = try makeBackupFolder("tree")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    try writeAtomically(Array(try encoder.encode(items)), to: folder.appending("list"))
    return "\(folder.lastComponent?.string ?? "")/list"
  }
}
