import Files
import Synchronization
import SystemPackage

/// Lets files of the new bundle share their bytes on the disk with those of the base, as long as the file system can.
final class BaseSharing: Sendable {
  private let possible = Mutex(true)

  /// Whether it has not failed yet.
  var isPossible: Bool { possible.withLock(\.self) }

  /// Gives an open file another name, or a copy that shares its bytes.
  ///
  /// - Returns: Whether that was possible; if not, nobody tries it again.
  /// - Throws: `FileError` when something else stands in its place.
  func share(_ descriptor: FileDescriptor, at path: FilePath) throws(FileError) -> Bool {
    // Something that is not right lies there: it is not the base's, since that was read and found right.
    try removeFile(path)
    let isShared = shareFile(descriptor, at: path)
    if !isShared { possible.withLock { $0 = false } }
    return isShared
  }
}
