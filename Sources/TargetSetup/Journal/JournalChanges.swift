import Files
import FoundationEssentials
import Glibc
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
      throw StepError("cannot \(what): \(error). Correct the cause and run the same command again.")
    }
  }

  /// Puts a file in its place unless it is there already.
  func place(
    _ path: FilePath, sha256: Digest, mode: UInt32, _ fill: (FilePath) throws -> Void
  ) throws(StepError) -> Bool {
    let place = onDisk(path)
    if let found = FileAttributes(place), found.kind == .file, found.mode == mode,
      (try? Digest(ofFile: place)) == sha256
    {
      return false
    }
    try doing("write \(path)") {
      var entry = JournalEntry(.file, path.string)
      entry.sha256 = sha256
      try prepare(&entry, at: place)
      let temporary = FileTree.temporaryName(for: place)
      unlink(temporary.string)
      try fill(temporary)
      guard chmod(temporary.string, mode_t(mode)) == 0 else { throw Errno(rawValue: errno) }
      if FileAttributes(place)?.kind == .folder { throw Errno.isDirectory }
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
    if FileAttributes(place) != nil {
      if earlier.isEmpty {
        entry.backup = try backUp(place)
      } else if !isOurs(place, earlier) {
        let kept = try keepChanged(place, path: FilePath(path))
        say("\(path) was changed since this program wrote it; its content is kept in \(kept)")
      }
    }
    try record([entry])
  }

  /// Whether a place holds what one of these lines wrote, or what was there before the first.
  func isOurs(_ place: FilePath, _ lines: [JournalEntry]) -> Bool {
    guard let found = FileAttributes(place) else { return true }
    if let backup = lines.first?.backup, FileTree.areEqual(place, backupFolder.appending(backup)) {
      return true
    }
    switch found.kind {
    case .file:
      let digest = try? Digest(ofFile: place)
      return digest != nil && lines.contains { $0.sha256 == digest }
    case .link:
      let target = try? FileTree.linkTarget(place)
      return target != nil && lines.contains { $0.link == target }
    case .folder, .other: return false
    }
  }

  /// Copies what somebody has changed to where it is out of the way and not lost.
  ///
  /// - Returns: Where it is kept, a path of the host.
  func keepChanged(_ place: FilePath, path: FilePath) throws -> FilePath {
    var number = 0
    var kept: FilePath
    repeat {
      number += 1
      kept = changedFolder.appending("\(number)").appending(path.components)
    } while FileAttributes(kept) != nil
    try createDirectories(kept.removingLastComponent())
    try FileTree.copy(place, to: kept)
    return root == "/" ? kept : FilePath(root: "/", kept.components.dropFirst(root.components.count))
  }

  func makeFolders(_ path: FilePath, mode: UInt32) throws {
    let place = onDisk(path)
    var status = stat()
    if stat(place.string, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else { throw Errno.notDirectory }
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
    guard mkdir(place.string, mode_t(mode)) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
    // Whatever the umask.
    guard chmod(place.string, mode_t(mode)) == 0 else { throw Errno(rawValue: errno) }
  }

  /// Copies what lies at a place into the backup.
  func backUp(_ place: FilePath) throws -> String {
    let name = "\(entries.count)"
    try createDirectories(backupFolder.removingLastComponent())
    // Secrets keep their modes in it, and nobody else looks in.
    if FileAttributes(backupFolder) == nil {
      guard mkdir(backupFolder.string, 0o700) == 0 else { throw Errno(rawValue: errno) }
    }
    let backup = backupFolder.appending(name)
    // What a kill left of an earlier attempt has no line.
    try FileTree.remove(backup)
    try FileTree.copy(place, to: backup)
    try checkpoint()
    return name
  }

  /// Writes down what is in a folder.
  func writeList(of folder: FilePath) throws -> String {
    var items: [TreeItem] = []
    func visit(_ folder: FilePath, _ prefix: String) throws {
      for name in try FileTree.names(in: folder) {
        let place = folder.appending(name)
        let path = prefix + name
        switch FileAttributes(place)?.kind {
        case .folder:
          items.append(TreeItem(path: path))
          try visit(place, path + "/")
        case .link: items.append(TreeItem(path: path, link: try FileTree.linkTarget(place)))
        case .file: items.append(TreeItem(path: path, sha256: try Digest(ofFile: place)))
        case .other, nil: throw Errno.notSupported
        }
      }
    }
    try visit(folder, "")
    let name = "\(entries.count).list"
    try createDirectories(backupFolder)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    try writeAtomically(Array(try encoder.encode(items)), to: backupFolder.appending(name))
    return name
  }
}
