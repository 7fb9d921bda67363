import CFiles
import SystemPackage

/// What files lie on, as far as it matters for reading many of them.
public struct StorageDevice: Sendable {
  /// Whether it is read faster one file after another, in the order in which they lie on it, than several files at once: a
  /// disk that turns, and whatever can be removed or hangs on a USB bus. `false` where the system does not tell.
  public let isSequential: Bool

  /// A device of which that is known.
  public init(isSequential: Bool) { self.isSequential = isSequential }

  /// The device under a file or folder.
  ///
  /// Source: the kernel's `Documentation/ABI/stable/sysfs-block`.
  ///
  /// - Parameters:
  ///   - path: The file or folder.
  ///   - sys: The folder `/sys`.
  public init(under path: FilePath, sys: FilePath = "/sys") {
    guard let number = try? FileInfo(path, followsLinks: true).device else {
      self.init(isSequential: false)
      return
    }
    self.init(number: number, sys: sys)
  }

  /// A device by its number, as `stat` gives it.
  init(number: UInt64, sys: FilePath) {
    // makedev(3).
    let major = number >> 8 & 0xfff | number >> 32 & ~0xfff
    let minor = number & 0xff | number >> 12 & ~0xff
    self.init(isSequential: Self.isSequential(sys.appending("dev/block/\(major):\(minor)")))
  }

  private static func isSequential(_ device: FilePath) -> Bool {
    let path = (try? linkTarget(device)) ?? ""
    if path.split(separator: "/").contains(where: { $0.hasPrefix("usb") }) { return true }
    // What belongs to the disk is in the folder above a partition's.
    for name in ["queue/rotational", "../queue/rotational", "removable", "../removable"]
    where (try? readText(FilePath("\(device)/\(name)"), limit: 64))?.hasPrefix("1") == true {
      return true
    }
    // What is made of other devices, such as an encrypted one.
    let parts = device.appending("slaves")
    return ((try? listFolder(parts)) ?? []).contains { isSequential(parts.appending($0)) }
  }

  /// Where files lie on their device: what comes first is read first. Where the file system does not tell, files come in the
  /// order in which they were made, as far as their numbers say.
  ///
  /// Opens every file.
  public static func order(_ paths: [FilePath]) -> [Int] {
    let places = paths.map(place)
    return paths.indices.sorted { places[$0] < places[$1] }
  }

  private static func place(_ path: FilePath) -> (isUnknown: Int, number: UInt64) {
    guard let info = FileInfo(regularFile: path) else { return (2, 0) }
    guard let descriptor = try? openFile(path, .readOnly, options: [.noFollow, .nonBlocking]) else {
      return (1, info.inode)
    }
    defer { try? descriptor.close() }
    let place = ko_place_on_device(descriptor.rawValue)
    return place == .max ? (1, info.inode) : (0, place)
  }
}
