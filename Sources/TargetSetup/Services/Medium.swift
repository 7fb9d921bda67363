import Files
import Host
import SystemPackage

/// What a folder lies on: a built-in disk, or something that will be unplugged.
struct Medium: Sendable, Equatable {
  /// File systems of what is carried or reached over a network, by the kernel's names for them.
  private static let unreliable: Set<String> = [
    "vfat", "msdos", "exfat", "iso9660", "udf", "ntfs", "ntfs3", "fuseblk", "nfs", "nfs4", "cifs", "smb3",
    "9p", "tmpfs", "ramfs",
  ]
  /// Folders whose content goes by itself, with what is told of each.
  private static let places: [(folder: FilePath, reason: String)] = [
    ("/media", "where disks are mounted for a while"), ("/run", "where disks are mounted for a while"),
    ("/mnt", "where disks are mounted for a while"), ("/tmp", "which is emptied now and then"),
    ("/var/tmp", "which is emptied now and then"),
  ]

  /// Why it cannot be relied on; `nil` when it can.
  let reasonToLeave: String?

  private init(reasonToLeave: String) { self.reasonToLeave = reasonToLeave }

  /// `nil` when the system does not tell.
  init?(of folder: FilePath) {
    guard let device = (try? FileInfo(folder))?.device else { return nil }
    if let reason = Self.reason(place: folder) {
      self.init(reasonToLeave: reason)
      return
    }
    if (try? FileSystemSpace.at(folder))?.isReadOnly == true {
      self.init(reasonToLeave: "it lies on a disk that is mounted read-only")
      return
    }
    self.init(device: device, proc: "/proc", sys: "/sys")
  }

  /// Why a path cannot be relied on, wherever it is mounted.
  static func reason(place folder: FilePath) -> String? {
    places.first { folder.starts(with: $0.folder) }.map { "it lies below \($0.folder), \($0.reason)" }
  }

  /// The medium of a device, by what `/proc` and `/sys` say of it.
  init(device: UInt64, proc: FilePath, sys: FilePath) {
    let major = (device >> 8) & 0xfff | (device >> 32) & ~0xfff
    let minor = device & 0xff | (device >> 12) & ~0xff
    let number = "\(major):\(minor)"
    if let type = MountTable(proc: proc).type(onDevice: number), Self.unreliable.contains(type) {
      reasonToLeave = "it lies on a file system of type \(type)"
      return
    }
    // A partition has no such file; its disk, the folder above, has.
    let entry = sys.appending("dev").appending("block").appending(number).string
    let isRemovable = ["\(entry)/removable", "\(entry)/../removable"].contains {
      Self.text(FilePath($0)).hasPrefix("1")
    }
    reasonToLeave = isRemovable ? "it lies on a removable disk" : nil
  }

  private static func text(_ path: FilePath) -> String { (try? readText(path)) ?? "" }
}
