import Glibc
import SystemPackage

/// The room on the file system that holds a path.
public struct FileSystemSpace: Sendable {
  /// Bytes that this user may still write.
  public let availableBytes: Int64
  /// The size of the file system in bytes.
  public let totalBytes: Int64
  /// Whether it is mounted for reading only.
  public let isReadOnly: Bool
  /// How many more files it can hold; `nil` where only its bytes limit that.
  public let availableInodes: Int64?

  /// Room, as something else tells it.
  public init(availableBytes: Int64, totalBytes: Int64, isReadOnly: Bool, availableInodes: Int64? = nil) {
    self.availableBytes = availableBytes
    self.totalBytes = totalBytes
    self.isReadOnly = isReadOnly
    self.availableInodes = availableInodes
  }

  /// Asks the file system of a path; for a path that does not exist yet, that of its nearest existing parent.
  ///
  /// - Throws: ``FileError``.
  public static func at(_ path: FilePath) throws(FileError) -> FileSystemSpace {
    var candidate = path.isEmpty ? FilePath(".") : path
    while true {
      var status = statvfs()
      if candidate.withPlatformString({ statvfs($0, &status) }) == 0 {
        let unit = UInt64(status.f_frsize)
        return FileSystemSpace(
          availableBytes: Int64(clamping: unit &* UInt64(status.f_bavail)),
          totalBytes: Int64(clamping: unit &* UInt64(status.f_blocks)),
          isReadOnly: status.f_flag & UInt(ST_RDONLY) != 0,
          availableInodes: status.f_files == 0 ? nil : Int64(clamping: status.f_favail))
      }
      let code = Errno(rawValue: errno)
      let parent = candidate.removingLastComponent()
      guard code == .noSuchFileOrDirectory, parent != candidate else {
        throw FileError(.measureSpace, candidate, code)
      }
      candidate = parent.isEmpty ? "." : parent
    }
  }
}
