import Glibc
import SystemPackage

/// What the system says of a file, folder or link; links are not followed.
struct FileAttributes: Sendable, Equatable {
  enum Kind: Sendable {
    case file
    case folder
    case link
    case other
  }

  let kind: Kind
  /// The permission bits, up to 0o7777.
  let mode: UInt32
  let owner: UInt32
  let group: UInt32
  let size: Int64
  /// The device that it lies on.
  let device: UInt64
  private let seconds: Int
  private let nanoseconds: Int

  /// `nil` when there is nothing at that path.
  init?(_ path: FilePath) {
    var status = stat()
    guard lstat(path.string, &status) == 0 else { return nil }
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      case S_IFLNK: .link
      default: .other
      }
    mode = UInt32(status.st_mode) & 0o7777
    owner = status.st_uid
    group = status.st_gid
    size = Int64(status.st_size)
    device = UInt64(status.st_dev)
    seconds = status.st_mtim.tv_sec
    nanoseconds = status.st_mtim.tv_nsec
  }

  /// Gives owner, mode and modification time to what lies at a path. Only root can give a file away.
  func apply(to path: FilePath) throws(Errno) {
    if lchown(path.string, owner, group) != 0, geteuid() == 0 { throw Errno(rawValue: errno) }
    if kind != .link, chmod(path.string, mode_t(mode)) != 0 { throw Errno(rawValue: errno) }
    let time = timespec(tv_sec: seconds, tv_nsec: nanoseconds)
    _ = utimensat(AT_FDCWD, path.string, [time, time], AT_SYMLINK_NOFOLLOW)
  }
}
