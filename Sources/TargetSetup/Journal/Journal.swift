import Files
import Integrity
import Synchronization
import SystemPackage

/// What one step has changed on the host, so that it can be taken back exactly.
///
/// A change is written down, and what was there is in the backup, before the change is made. So a kill at any
/// moment leaves a journal that knows at least what was done, and the same call made again goes on from there.
/// No backup goes before what it holds was restored and compared. A journal that is damaged otherwise than by a kill is
/// not followed at all.
/// All paths are those of the host; its root stands before them on the disk.
///
/// Its methods wait for the disk: call those that handle large files by `offload`.
final class Journal: Sendable {
  /// The step.
  let step: StepName

  let root: FilePath
  let backupFolder: FilePath
  let changedFolder: FilePath
  let file: JournalFile
  let say: @Sendable (String) -> Void
  let checkpoint: @Sendable () throws -> Void
  private let willChange: @Sendable () throws -> Void
  private let allowed: [String]
  private let state: Mutex<JournalContent>
  /// The backups of which it was seen that what they hold is back.
  private let restored = Mutex<Set<String>>([])

  /// Opens the journal of a step; there need not be one yet.
  ///
  /// - Parameters:
  ///   - say: Hears of what a person should know.
  ///   - allowed: What had to be said explicitly so that this is done; it is written down before the first change.
  ///   - willChange: Called before a change is written down.
  ///   - checkpoint: Called between the parts of each change: a test ends it there.
  /// - Throws: ``StepError`` when it is there and cannot be read.
  init(
    _ step: StepName, on host: TargetHost, say: @escaping @Sendable (String) -> Void = { _ in },
    allowed: [String] = [], willChange: @escaping @Sendable () throws -> Void = {},
    checkpoint: @escaping @Sendable () throws -> Void = {}
  ) throws(StepError) {
    self.step = step
    self.say = say
    self.allowed = allowed
    self.willChange = willChange
    self.checkpoint = checkpoint
    root = host.root
    let folder = host.path(host.stateFolder)
    backupFolder = folder.appending("backup").appending(step.rawValue)
    changedFolder = folder.appending("changed").appending(step.rawValue)
    file = JournalFile(
      path: folder.appending("journal").appending("\(step.rawValue).jsonl"), backups: backupFolder)
    state = Mutex(try file.read())
  }

  /// The lines of what was not taken back.
  var entries: [JournalEntry] { state.withLock { $0.isClosed ? [] : $0.entries } }

  /// All lines.
  var allEntries: [JournalEntry] { state.withLock { $0.entries } }

  /// Whether the step has changed nothing, or all of it was taken back.
  var isEmpty: Bool { entries.isEmpty }

  // MARK: Changes

  /// Writes a file.
  ///
  /// - Parameters:
  ///   - path: Where; folders that are missing are made.
  ///   - mode: Its permission bits.
  ///   - group: The group that it belongs to, where root runs this; `nil` is that of this process.
  /// - Returns: Whether anything had to be changed.
  /// - Throws: ``StepError``.
  @discardableResult
  func write(
    _ path: FilePath, _ bytes: [UInt8], mode: UInt32 = 0o644, group: UInt32? = nil
  ) throws(StepError) -> Bool {
    let group = effectiveUser == 0 ? group : nil
    return try place(path, sha256: Digest(of: bytes), mode: mode, group: group) { temporary in
      let file = try PendingFile(for: temporary, permissions: FilePermissions(rawValue: CModeT(mode)))
      if let group { try file.setOwner(effectiveUser, group: group) }
      try FileError.naming(.write, temporary) { _ = try file.descriptor.writeAll(bytes) }
      try file.commit()
    }
  }

  /// Writes a text file; see ``write(_:_:mode:group:)-([UInt8])``.
  @discardableResult
  func write(
    _ path: FilePath, _ text: String, mode: UInt32 = 0o644, group: UInt32? = nil
  ) throws(StepError) -> Bool {
    try write(path, Array(text.utf8), mode: mode, group: group)
  }

  /// Copies a file to a path of the host.
  ///
  /// - Parameter source: The file, by its path for this process: the host's root is not put before it.
  /// - Returns: Whether anything had to be changed.
  /// - Throws: ``StepError``.
  @discardableResult
  func copy(_ source: FilePath, to path: FilePath, mode: UInt32 = 0o644) throws(StepError) -> Bool {
    let digest: Digest
    do {
      digest = try Digest(ofFile: source)
    } catch {
      throw StepError("\(source) cannot be read: \(FileError.reason(error))", .verify)
    }
    return try place(path, sha256: digest, mode: mode) { temporary in
      _ = try copyDurably(
        source, to: temporary, permissions: FilePermissions(rawValue: CModeT(mode)), expecting: digest)
    }
  }

  /// Makes a symbolic link.
  ///
  /// - Returns: Whether anything had to be changed.
  /// - Throws: ``StepError``.
  @discardableResult
  func link(_ path: FilePath, to target: String) throws(StepError) -> Bool {
    let place = onDisk(path)
    if (try? FileInfo(place))?.kind == .link, (try? linkTarget(place)) == target { return false }
    try doing("make the link \(path)") {
      var entry = JournalEntry(.file, path.string)
      entry.link = target
      try prepare(&entry, at: place)
      try FileTree.link(place, to: target)
    }
    return true
  }

  /// Moves a file, link or folder out of the way, into the backup.
  ///
  /// - Returns: Whether there was anything.
  /// - Throws: ``StepError``.
  @discardableResult
  func moveAside(_ path: FilePath) throws(StepError) -> Bool {
    let place = onDisk(path)
    guard FileTree.exists(place) else { return false }
    try doing("move \(path) aside") {
      var entry = JournalEntry(.aside, path.string)
      entry.backup = try backUp(place, path: path)
      try record([entry])
      try removeTree(place)
    }
    return true
  }

  /// Makes a folder and those above it that are missing.
  ///
  /// - Throws: ``StepError``.
  func makeFolder(_ path: FilePath, mode: UInt32 = 0o755) throws(StepError) {
    try doing("make the folder \(path)") { try makeFolders(path, mode: mode) }
  }

  /// Gives a folder that was prepared beside it its final place, in one move.
  ///
  /// What undo removes is what is in it now; files that come into it later are left.
  /// - Parameters:
  ///   - prepared: The folder, a path of the host on the same file system, best a hidden neighbour of `path`.
  ///   - path: Where nothing must be.
  /// - Throws: ``StepError``.
  func placeTree(_ prepared: FilePath, at path: FilePath) throws(StepError) {
    try doing("put the folder \(path) in its place") {
      guard !FileTree.exists(onDisk(path)) else { throw FileError(.move, onDisk(path), .fileExists) }
      try makeFolders(path.removingLastComponent(), mode: 0o755)
      var entry = JournalEntry(.tree, path.string)
      entry.list = try writeList(of: onDisk(prepared))
      try record([entry])
      try renameDurably(onDisk(prepared), to: onDisk(path))
    }
  }

  /// Says that what will come to be at a path, where nothing is now, is the work of a service that this step
  /// starts: undo removes it with everything in it.
  ///
  /// - Returns: False when there is something that this step has not claimed before.
  /// - Throws: ``StepError``.
  @discardableResult
  func own(_ path: FilePath) throws(StepError) -> Bool {
    if entries.contains(where: { $0.kind == .owned && $0.path == path.string }) { return true }
    guard !FileTree.exists(onDisk(path)) else { return false }
    try doing("write down \(path)") { try record([JournalEntry(.owned, path.string)]) }
    return true
  }

  // MARK: Notes

  /// Writes down something that is not a file: a service enabled, packages installed, a port opened.
  ///
  /// - Throws: ``StepError``.
  func note(_ kind: NoteKind, _ value: String) throws(StepError) {
    guard !notes(kind).contains(value) else { return }
    try replaceNote(kind, value)
  }

  /// Writes down something of which only the newest counts; see ``lastNote(_:)``.
  ///
  /// - Throws: ``StepError``.
  func replaceNote(_ kind: NoteKind, _ value: String) throws(StepError) {
    guard lastNote(kind) != value else { return }
    try doing("write down \(kind.rawValue) \(value)") {
      try record([JournalEntry(kind, value)])
    }
  }

  /// The notes of a kind, oldest first.
  func notes(_ kind: NoteKind) -> [String] {
    entries.compactMap { $0.kind == .note && $0.path == kind.rawValue ? $0.value : nil }
  }

  /// The last note of a kind.
  func lastNote(_ kind: NoteKind) -> String? { notes(kind).last }

  // MARK: Looking

  /// Whether every file and link that this step wrote is still there as it was written.
  var isIntact: Bool {
    var last: [String: JournalEntry] = [:]
    for entry in entries {
      if entry.kind == .file { last[entry.path] = entry }
      // What was pruned since is not missed.
      if let folder = PrunedNote(entry)?.folder {
        last = last.filter { !FilePath($0.key).starts(with: folder) }
      }
    }
    return last.values.allSatisfy { entry in
      let place = onDisk(FilePath(entry.path))
      if let link = entry.link { return (try? linkTarget(place)) == link }
      return (try? FileInfo(place))?.kind == .file && (try? Digest(ofFile: place)) == entry.sha256
    }
  }

  /// The paths that this step wrote: files, links and trees.
  var writtenPaths: [FilePath] {
    var seen: Set<String> = []
    return entries.filter { [.file, .tree].contains($0.kind) && seen.insert($0.path).inserted }
      .map { FilePath($0.path) }
  }

  // MARK: Inside

  /// Where a path of the host lies for this process.
  func onDisk(_ path: FilePath) -> FilePath { root == "/" ? path : root.appending(path.components) }

  /// Says that a backup is no longer needed: what it holds is back, or kept elsewhere.
  func noteRestored(_ backup: String) { restored.withLock { _ = $0.insert(backup) } }

  /// Forgets everything, once it has been taken back. The last step takes the state folder with it.
  ///
  /// - Returns: What stays of the backups, and why, for people.
  /// - Throws: ``StepError`` when a backup was not restored; everything is then kept.
  @discardableResult
  func forget() throws -> [String] {
    let known = restored.withLock { $0 }
    if let entry = entries.first(where: { $0.backup.map { !known.contains($0) } ?? false }) {
      throw StepError("\(entry.path) was not restored, so the journal stays", .again)
    }
    // From here on a kill leaves only files that the next call removes.
    if !isEmpty { try record([JournalEntry(.end, "")]) }
    return try removeRest()
  }

  /// Removes the files, and what a kill has left of a step that had changed nothing yet.
  ///
  /// - Returns: What stays of the backups, and why, for people.
  private func removeRest() throws -> [String] {
    let kept = try removeBackups()
    try checkpoint()
    try file.remove()
    state.withLock { $0 = JournalContent() }
    for folder in [file.path, backupFolder, changedFolder].map({ $0.removingLastComponent() }) {
      removeEmptyFolder(folder)
    }
    removeEmptyFolder(file.path.removingLastComponent().removingLastComponent())
    return kept
  }

  /// Removes what a kill has left of a journal that was taken back, before it is used again.
  func finishForgetting() throws {
    guard state.withLock({ $0.isClosed }) else { return }
    for text in try removeRest() { say(text) }
  }

  /// Writes lines down before what they tell is done.
  func record(_ lines: [JournalEntry]) throws {
    var permissions: [JournalEntry] = []
    if lines.contains(where: \.announcesChange) {
      try willChange()
      let known = notes(.allowed)
      permissions = allowed.filter { !known.contains($0) }.map { JournalEntry(.allowed, $0) }
    }
    try finishForgetting()
    try createDirectories(file.path.removingLastComponent())
    try state.withLock { try file.append(permissions + lines, to: &$0) }
    try checkpoint()
  }
}
