import Files
import SystemPackage

/// What was there before, kept until it is back.
///
/// Each backup is a folder of its own, under a name that nobody can guess and that was never there before, with the
/// original in `content` and its path in `path`: a person can put it back without the journal.
extension Journal {
  private static let contentName = "content"
  private static let pathName = "path"

  /// Copies what lies at a place into the backup.
  ///
  /// - Returns: The name of the copy below the backup folder.
  func backUp(_ place: FilePath, path: FilePath) throws -> String {
    let folder = try makeBackupFolder("original")
    try writeAtomically("\(path)\n", to: folder.appending(Self.pathName))
    try FileTree.copy(place, to: folder.appending(Self.contentName))
    try checkpoint()
    return "\(folder.lastComponent?.string ?? "")/\(Self.contentName)"
  }

  /// Makes a folder in the backup.
  func makeBackupFolder(_ name: String) throws -> FilePath {
    // Else this folder would go with what is left of a journal that was taken back.
    try finishForgetting()
    try createDirectories(backupFolder.removingLastComponent())
    // Secrets keep their modes in it, and nobody else looks in.
    try createFolder(backupFolder, permissions: .ownerReadWriteExecute)
    return try createTemporaryFolder(in: backupFolder, named: name)
  }

  /// Makes sure that everything is there that taking back needs.
  ///
  /// - Throws: ``StepError`` that names what is missing.
  func checkBackups() throws(StepError) {
    for entry in entries {
      for name in [entry.backup, entry.list] {
        guard let name, !FileTree.exists(backupFolder.appending(name)) else { continue }
        throw StepError(
          "the backup \(backupFolder.appending(name)) of \(entry.path) is missing", file.damagedAdvice)
      }
    }
  }

  /// Removes the backups, all of which were restored, and what kills have left beside them.
  ///
  /// - Returns: What stays, and why, for people.
  func removeBackups() throws -> [String] {
    let known = Set(allEntries.flatMap { [$0.backup, $0.list] }.compactMap { $0.map(Self.folderName) })
    var kept: [String] = []
    for name in try listFolder(ifPresent: backupFolder) {
      let folder = backupFolder.appending(name)
      if known.contains(name) || isSuperfluous(folder) {
        try removeTree(folder)
      } else {
        kept.append("\(folder) is a backup that the journal does not name, so it stays")
      }
    }
    removeEmptyFolder(backupFolder)
    return kept
  }

  /// Whether a backup that no line names can go: its copy was not finished, so nothing was changed after it, or what it
  /// holds is in its place.
  private func isSuperfluous(_ folder: FilePath) -> Bool {
    // A list of format 1 is a file.
    guard (try? FileInfo(folder))?.kind == .folder else { return folder.extension == "list" }
    guard let text = try? readText(ifPresent: folder.appending(Self.pathName)),
      let path = text.split(separator: "\n").first
    else {
      return !FileTree.exists(folder.appending(Self.contentName)) && isOurName(folder)
    }
    let content = folder.appending(Self.contentName)
    return !FileTree.exists(content) || FileTree.areEqual(onDisk(FilePath(String(path))), content)
  }

  /// A folder of format 1 has a number for its name, and the original itself in it.
  private func isOurName(_ folder: FilePath) -> Bool { folder.lastComponent?.string.contains("-") == true }

  private static func folderName(_ backup: String) -> String {
    backup.split(separator: "/").first.map(String.init) ?? backup
  }
}
