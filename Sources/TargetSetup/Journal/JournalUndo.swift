import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// What taking back a journal did.
struct UndoReport: Sendable, Equatable {
  /// How many files, links and folders were removed.
  var removed = 0
  /// How many were put back as they were.
  var restored = 0
  /// What was left, and why, for people.
  var kept: [String] = []
}

extension Journal {
  /// Takes back every change, the last one first.
  ///
  /// What a step made is removed if it is still as it was made, and else left and reported. What was there before
  /// comes back byte for byte with mode, owner and extended attributes, and is compared with the backup; what somebody
  /// made of it since is kept in `changed/`. The notes stay until ``forget()``. Can be stopped at any moment and made
  /// again.
  /// - Throws: ``StepError``.
  func takeBack() throws(StepError) -> UndoReport {
    try checkBackups()
    var report = UndoReport()
    var seen: Set<String> = []
    // Of several lines for one path the first tells what was there before.
    let first = entries.filter { seen.insert("\($0.kind.rawValue) \($0.path)").inserted }
    for entry in first.reversed() {
      do { try takeBack(entry, &report) } catch { throw Self.failure(entry, error) }
    }
    let firstBackups = Set(first.compactMap(\.backup))
    for entry in entries where entry.backup.map({ !firstBackups.contains($0) }) ?? false {
      do { try settle(entry, &report) } catch { throw Self.failure(entry, error) }
    }
    return report
  }

  private static func failure(_ entry: JournalEntry, _ error: any Error) -> StepError {
    StepError("cannot take back \(entry.path): \(error)", .again)
  }

  private func takeBack(_ entry: JournalEntry, _ report: inout UndoReport) throws {
    switch entry.kind {
    case .file: try takeBackFile(entry, &report)
    case .aside: try bringBack(entry, &report)
    case .folder: takeBackFolder(entry, &report)
    case .tree: try takeBackTree(entry, &report)
    case .owned:
      let place = onDisk(FilePath(entry.path))
      if FileTree.exists(place) { report.removed += 1 }
      try removeTree(place)
    case .note, .end: break
    }
  }

  /// Something that was moved aside again, after it had come back: what it held is kept unless it is known from elsewhere.
  private func settle(_ entry: JournalEntry, _ report: inout UndoReport) throws {
    guard let backup = entry.backup else { return }
    let source = backupFolder.appending(backup)
    let original = entries.first { $0.backup != nil && $0.path == entry.path }?.backup
    if try !isKnown(source, path: entry.path, original: original.map { backupFolder.appending($0) }) {
      let kept = try keepChanged(source, path: FilePath(entry.path))
      report.kept.append("what \(entry.path) was changed into between two runs is in \(kept)")
    }
    noteRestored(backup)
  }

  /// Whether each file of a backup is one that this step wrote, or is in the first backup, too.
  private func isKnown(_ source: FilePath, path: String, original: FilePath?) throws -> Bool {
    func isKnown(_ place: FilePath, _ name: String) -> Bool {
      if FileTree.isTemporary(place) { return true }
      let first = name.isEmpty ? original : original?.pushing(FilePath(name))
      if let first, FileTree.areEqual(place, first) { return true }
      let own = lines(name.isEmpty ? path : "\(path)/\(name)")
      if let target = try? linkTarget(place) { return own.contains { $0.link == target } }
      guard let digest = try? Digest(ofFile: place) else { return false }
      return own.contains { $0.sha256 == digest }
    }
    guard try FileInfo(source).kind == .folder else { return isKnown(source, "") }
    var areKnown = true
    try walkFolder(source) { entry in
      if entry.info.kind != .folder, !isKnown(entry.path, entry.name) { areKnown = false }
    }
    return areKnown
  }

  private func takeBackFile(_ entry: JournalEntry, _ report: inout UndoReport) throws {
    let path = FilePath(entry.path)
    let place = onDisk(path)
    try FileTree.removeUnfinished(place)
    if let backup = entry.backup { return try restore(path, from: backup, ours: lines(entry.path), &report) }
    guard FileTree.exists(place) else { return }
    guard isOurs(place, lines(entry.path)) else {
      report.kept.append("\(path) was changed since, so it stays")
      return
    }
    try removeFile(place)
    report.removed += 1
  }

  private func bringBack(_ entry: JournalEntry, _ report: inout UndoReport) throws {
    guard let backup = entry.backup else { return }
    try FileTree.removeUnfinished(onDisk(FilePath(entry.path)))
    try restore(FilePath(entry.path), from: backup, ours: lines(entry.path), &report)
  }

  private func restore(
    _ path: FilePath, from backup: String, ours: [JournalEntry], _ report: inout UndoReport
  ) throws {
    let place = onDisk(path)
    let source = backupFolder.appending(backup)
    if FileTree.exists(place) {
      if FileTree.areEqual(place, source, withAttributes: true) { return noteRestored(backup) }
      if !isOurs(place, ours) {
        let kept = try keepChanged(place, path: path)
        report.kept.append("\(path) is as it was before; what it was changed into since is in \(kept)")
      }
      if (try? FileInfo(place))?.kind == .folder || (try? FileInfo(source))?.kind == .folder {
        try removeTree(place)
      }
    }
    try createDirectories(place.removingLastComponent())
    try FileTree.copy(source, to: place)
    guard FileTree.areEqual(place, source) else {
      throw StepError("\(path) is not what its backup \(source) holds", .again)
    }
    noteRestored(backup)
    report.restored += 1
  }

  private func takeBackFolder(_ entry: JournalEntry, _ report: inout UndoReport) {
    let place = onDisk(FilePath(entry.path))
    // rmdir refuses a folder that is not empty, and a mount point.
    if removeEmptyFolder(place) {
      report.removed += 1
    } else if (try? FileInfo(place))?.kind == .folder {
      report.kept.append("\(entry.path) is not empty, so it stays")
    }
  }

  private func takeBackTree(_ entry: JournalEntry, _ report: inout UndoReport) throws {
    let top = onDisk(FilePath(entry.path))
    guard (try? FileInfo(top))?.kind == .folder else { return }
    var changed = 0
    // Of several trees that took this place the last one is there.
    let last = entries.last { $0.kind == .tree && $0.path == entry.path } ?? entry
    for item in try items(of: last).reversed() {
      let place = top.appending(FilePath(item.path).components)
      guard let found = try? FileInfo(place) else { continue }
      switch found.kind {
      case .folder: removeEmptyFolder(place)
      case .file where item.sha256 != nil && (try? Digest(ofFile: place)) == item.sha256,
        .link where item.link != nil && (try? linkTarget(place)) == item.link:
        try removeFile(place)
      default: changed += 1
      }
    }
    if removeEmptyFolder(top) {
      report.removed += 1
    } else {
      let files = counted(changed, "file")
      report.kept.append("\(entry.path) stays with what was changed in it (\(files)) or added to it")
    }
  }

  /// What a tree had in it when it took its place.
  func items(of entry: JournalEntry) throws -> [TreeItem] {
    guard let list = entry.list else { return [] }
    return try JSONDecoder().decode(
      [TreeItem].self, from: Data(try readBytes(backupFolder.appending(list))))
  }

  private func lines(_ path: String) -> [JournalEntry] {
    entries.filter { $0.kind != .note && $0.path == path }
  }
}
