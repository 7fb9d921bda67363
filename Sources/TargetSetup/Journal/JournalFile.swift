import Files
import SystemPackage

/// A journal on the disk. Its lines are flushed before the change that they tell is made.
struct JournalFile: Sendable {
  let path: FilePath
  /// Where the backups of its step lie, for what is said about a damaged journal.
  let backups: FilePath

  /// The copy of the lines that were written last; see ``JournalContent``.
  var copy: FilePath { FilePath(path.string + ".last") }

  /// All lines.
  ///
  /// - Throws: ``StepError`` when a file cannot be read, or is damaged in a way that no crash leaves behind.
  func read() throws(StepError) -> JournalContent {
    do {
      return try JournalContent(journal: try bytes(path), copy: try bytes(copy))
    } catch let damage as JournalContent.Damage {
      let file = damage.isInCopy ? copy : path
      let place = damage.line.map { "line \($0) of \(file)" } ?? "\(file)"
      throw StepError("the journal is damaged at \(place): \(damage.reason)", damagedAdvice)
    } catch let error as StepError {
      throw error
    } catch {
      throw StepError("the journal \(path) cannot be read: \(error)", .asRoot(command: nil))
    }
  }

  /// What to do about a journal that cannot be followed.
  var damagedAdvice: StepAdvice { .damagedJournal(journal: path, backups: backups) }

  private func bytes(_ file: FilePath) throws(StepError) -> [UInt8]? {
    do {
      return try readBytes(ifPresent: file)
    } catch {
      throw StepError(
        "the journal \(file) cannot be read: \(FileError.reason(error))", .asRoot(command: nil))
    }
  }

  /// Adds lines and waits until they are on the disk.
  ///
  /// - Throws: ``FileError``; `content` is then as it was.
  func append(_ entries: [JournalEntry], to content: inout JournalContent) throws {
    if !content.missing.isEmpty {
      try write(content.missing, at: content.length)
      content.complete()
    }
    let addition = try content.adding(entries)
    // Before the lines themselves: what lacks them can be told from what had them.
    try writeAtomically(addition.copy, to: copy)
    if let whole = addition.whole {
      try writeAtomically(whole, to: path)
    } else {
      try write(addition.lines, at: content.length)
    }
    content = addition.content
  }

  /// Removes the files. The journal itself goes last, with the line that says that nothing more is needed of it.
  ///
  /// - Throws: ``FileError``.
  func remove() throws(FileError) {
    // What a kill has left that came before the first line.
    for file in [copy, path] { try removeFile(temporaryName(for: file)) }
    try removeFile(copy)
    try removeFile(path)
  }

  private func write(_ bytes: [UInt8], at length: Int) throws {
    let isNew = !FileTree.exists(path)
    let descriptor = try openFile(
      path, .readWrite, options: [.create, .noFollow], permissions: .publicFile)
    try descriptor.closeAfter {
      try FileError.naming(.write, path) {
        // What follows is the beginning of a line that was not announced.
        try descriptor.resize(to: Int64(length))
        _ = try descriptor.writeAll(toAbsoluteOffset: Int64(length), bytes)
        try synchronize(descriptor)
      }
    }
    if isNew { try Self.synchronizeFolder(path.removingLastComponent()) }
  }

  private static func synchronizeFolder(_ folder: FilePath) throws {
    let descriptor = try openFile(folder, .readOnly)
    try descriptor.closeAfter { try FileError.naming(.write, folder) { try synchronize(descriptor) } }
  }
}
