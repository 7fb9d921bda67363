import Files
import SystemPackage

/// Why media cannot be written or read.
public enum MediaError: Error, Equatable, CustomStringConvertible {
  /// The folder holds no medium, or one that was not finished.
  case noMedium(FilePath)
  /// The index of a medium cannot be used.
  case malformed(FilePath)
  /// Another version of this program wrote it.
  case otherFormat(FilePath, format: Int)
  /// Two media, or a medium and what was begun, are of different sets.
  case otherSet(FilePath, wanted: BundleIdentity, found: BundleIdentity)
  /// The folder to carry is neither a bundle nor a delta.
  case nothingToCarry(FilePath)
  /// More media are needed than folders were named.
  case tooFewFolders(needed: Int, named: Int)
  /// There is no medium of that number.
  case noPart(Int, of: Int)
  /// The room on a medium is too small for anything.
  case tooSmall(Int64)
  /// The file system of a medium has less room than was planned with, in bytes.
  case lessRoom(FilePath, needed: Int64, available: Int64)
  /// The folder to write to holds something else.
  case occupied(FilePath, by: String)
  /// What was read back from a medium is not what was written.
  case otherBytes(FilePath, how: String)
  /// A piece on a medium is missing or has other bytes.
  case damaged(FilePath, how: String)

  /// What went wrong.
  public var description: String {
    switch self {
    case .noMedium(let folder):
      "\(folder) has no \(MediaIndex.fileName): it is not a medium of a bundle, or it was not finished"
    case .malformed(let path): "\(path) is damaged: it is not the index of a medium"
    case .otherFormat(let path, let format):
      "\(path) has format \(format), and this program knows \(MediaIndex.currentFormat)"
    case .otherSet(let place, let wanted, let found):
      "\(place) belongs to another set: it holds a part of \(found), and what was begun is \(wanted)"
    case .nothingToCarry(let folder): "\(folder) is neither a finished bundle nor a finished delta"
    case .tooFewFolders(let needed, let named):
      "\(counted(needed, "medium is", "media are")) needed, and \(counted(named, "folder was", "folders were")) named"
    case .noPart(let part, let count): "there is no medium \(part): there are \(count)"
    case .tooSmall(let size): "a medium of \(size) bytes is too small"
    case .lessRoom(let folder, let needed, let available):
      "\(folder) has room for \(available) bytes, and \(needed) go there"
    case .occupied(let folder, let what): "\(folder) is not empty: it holds \(what)"
    case .otherBytes(let path, let how):
      "\(path) was read back, and \(how): the medium does not keep what is written"
    case .damaged(let path, let how): "\(path): \(how)"
    }
  }
}
