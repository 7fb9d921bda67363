import SystemPackage

/// Why an archive could not be read, extracted or written.
///
/// Names that come out of an archive appear quoted, with control characters escaped.
public enum ArchiveError: Error, CustomStringConvertible {
  /// The archive file itself cannot be opened or read.
  case unreadable(archive: FilePath, reason: String)
  /// The file is something else; `looksLike` names what, where that can be told.
  case notAnArchive(archive: FilePath, looksLike: String?)
  /// The archive is cut off or its bytes are wrong, at or after `entry`.
  case damaged(archive: FilePath, entry: String?, reason: String)
  /// An entry would have an effect outside the folder, or is of a kind that is never extracted.
  case unsafeEntry(archive: FilePath, entry: String, reason: String)
  /// The archive holds more than the limits for extraction allow.
  case tooLarge(archive: FilePath, reason: String)
  /// An entry cannot be put on the disk.
  case extractionFailed(archive: FilePath, entry: String, reason: String)
  /// A file cannot be put into an archive.
  case cannotAdd(name: String, archive: FilePath, reason: String)
  /// The new archive itself cannot be written.
  case writeFailed(archive: FilePath, reason: String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .unreadable(let archive, let reason):
      "cannot read \(archive): \(reason)"
    case .notAnArchive(let archive, let looksLike):
      "\(archive) is not an archive\(looksLike.map { " (\($0))" } ?? ""): expected tar, compressed or not, or zip"
    case .damaged(let archive, let entry, let reason):
      "\(archive) is damaged\(entry.map { " at \($0.debugDescription)" } ?? ""): \(reason)"
    case .unsafeEntry(let archive, let entry, let reason):
      "\(archive) was not extracted further: its entry \(entry.debugDescription) \(reason)"
    case .tooLarge(let archive, let reason):
      "\(archive) was not extracted further: \(reason)"
    case .extractionFailed(let archive, let entry, let reason):
      "cannot extract \(entry.debugDescription) of \(archive): \(reason)"
    case .cannotAdd(let name, let archive, let reason):
      "cannot add \(name.debugDescription) to \(archive): \(reason)"
    case .writeFailed(let archive, let reason):
      "cannot write \(archive): \(reason)"
    }
  }
}
