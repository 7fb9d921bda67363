import Glibc
import SystemPackage

/// One archive on its way into a folder.
struct Extraction {
  private let source: ReadHandle
  private let destination: ExtractionFolder
  private let stripped: Int
  private let limits: ExtractionLimits
  private var entryCount = 0
  private var byteCount: Int64 = 0
  private var directoryTimes: [(EntryPath, Int64)] = []

  init(source: ReadHandle, destination: ExtractionFolder, stripped: Int, limits: ExtractionLimits) {
    self.source = source
    self.destination = destination
    self.stripped = stripped
    self.limits = limits
  }

  /// Puts the entry at which the archive stands on the disk.
  ///
  /// - Throws: ``ArchiveError``.
  mutating func extract(_ entry: ArchiveEntry) throws(ArchiveError) {
    entryCount += 1
    guard entryCount <= limits.entries else {
      throw .tooLarge(archive: source.path, reason: "it has more than \(limits.entries) entries")
    }
    do {
      let path = try EntryPath(entry.path, strippingComponents: stripped)
      guard !path.components.isEmpty else { return }
      try place(entry, at: path)
    } catch let error as ArchiveError {
      throw error
    } catch let refusal as EntryPath.Refusal {
      throw .unsafeEntry(archive: source.path, entry: entry.path, reason: refusal.reason)
    } catch Errno.tooManySymbolicLinkLevels, Errno.notDirectory {
      // What openat answers for a component that is a link (Linux: ENOTDIR with O_DIRECTORY) or a file.
      throw .unsafeEntry(
        archive: source.path, entry: entry.path, reason: "has a path through something that is not a folder")
    } catch {
      throw .extractionFailed(archive: source.path, entry: entry.path, reason: "\(error)")
    }
  }

  /// Gives the directories their times, which the files put into them have changed.
  ///
  /// - Throws: ``ArchiveError/extractionFailed(archive:entry:reason:)``.
  func finish() throws(ArchiveError) {
    for (path, modified) in directoryTimes.reversed() {
      do {
        try destination.setModified(path, modified)
      } catch {
        throw .extractionFailed(archive: source.path, entry: path.string, reason: "\(error)")
      }
    }
  }

  private mutating func place(_ entry: ArchiveEntry, at path: EntryPath) throws {
    switch entry.kind {
    case .directory:
      try destination.makeDirectory(path, permissions: mode_t(entry.permissions & 0o755 | 0o700))
      directoryTimes.append((path, entry.modified))
    case .file:
      try destination.makeFile(path) { file in try write(entry, to: file) }
    case .symbolicLink(let target):
      try path.checkLinkTarget(target)
      try destination.makeSymbolicLink(path, target: target, modified: entry.modified)
    case .hardLink(let target):
      let targetPath = try EntryPath(target, strippingComponents: stripped)
      do {
        try destination.makeHardLink(path, target: targetPath)
      } catch Errno.noSuchFileOrDirectory {
        throw EntryPath.Refusal(
          reason: "is a hard link to \(target.debugDescription), which was not extracted before it")
      }
    case .other:
      throw EntryPath.Refusal(reason: "is a device node, a named pipe or a socket")
    }
  }

  private mutating func write(_ entry: ArchiveEntry, to file: FileDescriptor) throws {
    let allowance = limits.totalBytes - byteCount
    guard entry.size <= allowance else { throw tooManyBytes }
    var end: Int64 = 0
    try source.readContent { bytes, offset in
      // A zip entry need not say its size in advance, and a sparse one leaves holes.
      let (pieceEnd, overflow) = offset.addingReportingOverflow(Int64(bytes.count))
      guard !overflow, pieceEnd <= allowance else { throw tooManyBytes }
      end = max(end, pieceEnd)
      _ = try file.writeAll(toAbsoluteOffset: offset, bytes)
    }
    if entry.size > end {
      end = entry.size
      try file.resize(to: end)
    }
    byteCount += end
    try check(fchmod(file.rawValue, mode_t(entry.permissions & 0o755 | 0o600)))
    try check(futimens(file.rawValue, modificationTimes(entry.modified)))
  }

  private var tooManyBytes: ArchiveError {
    .tooLarge(archive: source.path, reason: "its files have more than \(limits.totalBytes) bytes")
  }
}
