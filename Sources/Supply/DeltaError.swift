import Bundle
import Files
import SystemPackage

/// Why a delta cannot be made or merged.
public enum DeltaError: Error, Equatable, CustomStringConvertible {
  /// The folder holds no delta, or one that was not finished.
  case noDelta(FilePath)
  /// The index of a delta cannot be used.
  case malformed(FilePath, reason: String)
  /// Another version of this program wrote it.
  case otherFormat(FilePath, format: Int)
  /// A file is not a list of what is missing.
  case malformedList(FilePath)
  /// It was made for another base than the bundle in the folder.
  case otherBase(wanted: BundleIdentity, found: BundleIdentity, FilePath)
  /// A list of what is missing belongs to another bundle.
  case otherList(wanted: BundleIdentity, found: BundleIdentity, FilePath)
  /// A file of the delta is missing or has other bytes.
  case damaged(FilePath, how: String)
  /// A file of a bundle is missing or has other bytes.
  case bundleDamaged(FilePath, how: String)
  /// Neither the base nor the delta has a file of the new bundle.
  case incomplete(FilePath, lacks: BundlePath)
  /// The folder to write to holds something else.
  case occupied(FilePath, by: String)
  /// The folder to write to lies in one that is read, or the other way round.
  case overlapping(FilePath, FilePath)
  /// The disk is too small, in bytes.
  case notEnoughSpace(FilePath, needed: Int64, available: Int64)

  /// What went wrong.
  public var description: String {
    switch self {
    case .noDelta(let folder):
      "\(folder) has no \(DeltaIndex.fileName): there is no delta, or it was not finished or not copied to its end"
    case .malformed(let path, let reason): "\(path) is not the index of a delta: \(reason)"
    case .otherFormat(let path, let format):
      "\(path) has format \(format), and this program knows \(DeltaIndex.currentFormat)"
    case .malformedList(let path): "\(path) is not a list of what is damaged in a bundle"
    case .otherBase(let wanted, let found, let folder):
      "the delta is for another bundle: it was made for \(wanted), and \(folder) holds \(found)"
    case .otherList(let wanted, let found, let path):
      "\(path) is about another bundle: about \(found), and this one is \(wanted)"
    case .damaged(let path, let how), .bundleDamaged(let path, let how): "\(path): \(how)"
    case .incomplete(let folder, let path): "neither the base nor the delta in \(folder) has \(path)"
    case .occupied(let folder, let what): "\(folder) is not empty: it holds \(what)"
    case .overlapping(let inner, let outer): "\(inner) lies in \(outer), or is the same folder"
    case .notEnoughSpace(let folder, let needed, let available):
      "not enough space for \(folder): \(needed) bytes are needed and \(available) are free"
    }
  }
}

/// Everything that failed, where one thing that fails does not stop the others.
public struct DeltaErrors: Error, CustomStringConvertible {
  /// The errors, in the order in which they came.
  public let all: [any Error]

  /// Errors.
  public init(all: [any Error]) { self.all = all }

  /// One error a line.
  public var description: String { all.map { "\($0)" }.joined(separator: "\n") }
}

/// Refuses a folder to write to that lies in a folder that is read.
///
/// - Throws: ``DeltaError/overlapping(_:_:)``.
func refuse(_ inner: FilePath, within outer: FilePath) throws(DeltaError) {
  func real(_ path: FilePath) -> FilePath? {
    if let real = try? realPath(path) { return real }
    // What is not there yet lies where its nearest folder does.
    guard let name = path.lastComponent else { return nil }
    let parent = path.removingLastComponent()
    return real(parent.isEmpty ? "." : parent)?.appending(name)
  }
  guard let place = real(inner), let folder = real(outer), place.starts(with: folder) else { return }
  throw .overlapping(inner, outer)
}
