import Glibc
import SystemPackage

/// What the file system says of a file, folder or link.
public struct FileInfo: Sendable, Equatable {
  /// What lies at a path.
  public enum Kind: Sendable {
    /// A regular file.
    case file
    /// A folder.
    case folder
    /// A symbolic link.
    case link
    /// A device, a socket or a pipe.
    case other
  }

  /// What it is.
  public let kind: Kind
  /// The size in bytes.
  public let size: Int64
  /// The permission bits, set-user-id, set-group-id and sticky included.
  public let permissions: FilePermissions
  /// The user who owns it.
  public let owner: UInt32
  /// The group that owns it.
  public let group: UInt32
  /// The modification time in nanoseconds since 1970.
  public let modified: Int64
  /// The device that it lies on.
  public let device: UInt64
  /// Its number on that device.
  public let inode: UInt64
  /// How many names it has.
  public let links: UInt64
  /// The room that it takes on the disk, in bytes.
  public let allocated: Int64

  /// Asks for what lies at a path.
  ///
  /// - Parameters:
  ///   - path: The path; links before its last component are followed.
  ///   - followsLinks: Whether a link at the end of the path stands for what it leads to.
  /// - Throws: ``FileError``; ``FileError/isMissing`` tells that there is nothing.
  public init(_ path: FilePath, followsLinks: Bool = false) throws(FileError) {
    var status = stat()
    let flags = followsLinks ? 0 : AT_SYMLINK_NOFOLLOW
    guard path.withPlatformString({ fstatat(AT_FDCWD, $0, &status, flags) }) == 0 else {
      throw FileError(.inspect, path)
    }
    self.init(status)
  }

  /// Asks for what was opened.
  ///
  /// - Throws: `Errno`.
  public init(_ descriptor: FileDescriptor) throws(Errno) {
    var status = stat()
    guard fstat(descriptor.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
    self.init(status)
  }

  /// Asks for a regular file; `nil` when there is none at that path. Links are not followed.
  public init?(regularFile path: FilePath) {
    guard let info = try? FileInfo(path), info.kind == .file else { return nil }
    self = info
  }

  private init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      case S_IFLNK: .link
      default: .other
      }
    size = Int64(status.st_size)
    permissions = FilePermissions(rawValue: status.st_mode & 0o7777)
    owner = status.st_uid
    group = status.st_gid
    modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    links = UInt64(status.st_nlink)
    // In units of 512 bytes, whatever the file system's own are (stat(2)).
    allocated = Int64(status.st_blocks) * 512
  }

  /// Gives owner, permissions and modification time to what lies at another path, a link itself included. Only root
  /// can give a file away; for others it stays theirs. Given `attributes` take the place of the extended attributes it has;
  /// `nil` leaves these.
  ///
  /// - Throws: ``FileError``.
  public func apply(to path: FilePath, _ attributes: ExtendedAttributes? = nil) throws(FileError) {
    if path.withPlatformString({ lchown($0, owner, group) }) != 0, geteuid() == 0 {
      throw FileError(.setAttributes, path)
    }
    try attributes?.apply(to: path)
    if kind != .link { try setPermissions(permissions, of: path) }
    _ = path.withPlatformString { utimensat(AT_FDCWD, $0, modificationTimes, AT_SYMLINK_NOFOLLOW) }
  }
}

extension FileInfo {
  /// Gives owner, extended attributes, permissions and modification time to an open file that nobody else can read yet.
  /// Only root can give a file away; for others it stays theirs.
  ///
  /// - Throws: `Errno`.
  public func apply(_ attributes: ExtendedAttributes, to descriptor: FileDescriptor) throws(Errno) {
    // In this order nobody ever gets more than in the end: a change of the owner takes set-user-id and capabilities away,
    // an ACL is complete by itself, and the permissions of a file with one have the mask in place of the group's.
    if fchown(descriptor.rawValue, owner, group) != 0, geteuid() == 0 { throw Errno(rawValue: errno) }
    try attributes.apply(to: descriptor)
    guard fchmod(descriptor.rawValue, permissions.rawValue) == 0 else { throw Errno(rawValue: errno) }
    _ = futimens(descriptor.rawValue, modificationTimes)
  }

  /// The argument that sets both times to that of the modification: when it was last read is of no interest.
  private var modificationTimes: [timespec] {
    let seconds = modified.quotientAndRemainder(dividingBy: 1_000_000_000)
    let time = timespec(tv_sec: Int(seconds.quotient), tv_nsec: Int(seconds.remainder))
    return [time, time]
  }
}

/// How many bytes of a file lie where those of other files lie, because one is a copy that shares them (FIEMAP of
/// linux/fiemap.h); 0 where the file system does not tell.
public func sharedBytes(of path: FilePath) -> Int64 {
  guard let file = try? openFile(path, .readOnly, options: .noFollow) else { return 0 }
  defer { try? file.close() }
  let (head, extent, count) = (32, 56, 64)
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: head + count * extent, alignment: 8)
  defer { buffer.deallocate() }
  var (start, shared) = (UInt64(0), Int64(0))
  while true {
    buffer.initializeMemory(as: UInt8.self, repeating: 0)
    buffer.storeBytes(of: start, as: UInt64.self)
    buffer.storeBytes(of: UInt64.max - start, toByteOffset: 8, as: UInt64.self)
    buffer.storeBytes(of: UInt32(count), toByteOffset: 24, as: UInt32.self)
    let request: UInt = 0xc020_660b
    guard let base = buffer.baseAddress, ioctl(file.rawValue, request, base) == 0 else { return shared }
    let found = Int(buffer.load(fromByteOffset: 20, as: UInt32.self))
    guard (1...count).contains(found) else { return shared }
    for index in 0..<found {
      let place = head + index * extent
      let length = buffer.load(fromByteOffset: place + 16, as: UInt64.self)
      let flags = buffer.load(fromByteOffset: place + 40, as: UInt32.self)
      if flags & 0x2000 != 0 { shared &+= Int64(clamping: length) }
      if flags & 1 != 0 { return shared }
      start = buffer.load(fromByteOffset: place, as: UInt64.self) &+ length
    }
  }
}

/// The time of the wall clock in seconds, as ``FileInfo/modified`` counts it in nanoseconds.
public func secondsSince1970() -> Int64 { Int64(time(nil)) }

/// The user as whom this process makes and changes files, as ``FileInfo/owner`` names users.
public var effectiveUser: UInt32 { geteuid() }

/// Makes sure that this process may make and remove files in a folder.
///
/// - Throws: ``FileError``.
public func checkWritable(_ folder: FilePath) throws(FileError) {
  guard folder.withPlatformString({ access($0, W_OK | X_OK) }) == 0 else { throw FileError(.write, folder) }
}

/// Whether there is a file or folder at a path; a link counts as what it leads to.
public func fileExists(_ path: FilePath) -> Bool { path.withPlatformString { access($0, F_OK) } == 0 }

/// Whether this process may run the file at a path as a program.
public func isExecutable(_ path: FilePath) -> Bool { path.withPlatformString { access($0, X_OK) } == 0 }

/// Whether there is a folder at a path, or a link to one.
public func folderExists(_ path: FilePath) -> Bool {
  (try? FileInfo(path, followsLinks: true))?.kind == .folder
}

/// Gives a file, folder or link to a user and a group, which only root can do. Links are not followed.
///
/// - Throws: ``FileError``.
public func setOwner(_ user: UInt32, group: UInt32, of path: FilePath) throws(FileError) {
  guard path.withPlatformString({ lchown($0, user, group) }) == 0 else {
    throw FileError(.setAttributes, path)
  }
}

/// Sets the permissions of a file or folder.
///
/// - Throws: ``FileError``.
public func setPermissions(_ permissions: FilePermissions, of path: FilePath) throws(FileError) {
  guard path.withPlatformString({ chmod($0, permissions.rawValue) }) == 0 else {
    throw FileError(.setAttributes, path)
  }
}
