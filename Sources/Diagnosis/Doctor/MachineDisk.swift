import Files
import Host
import SystemPackage

/// What a folder is to hold.
public struct FolderUse: Sendable {
  /// The folder, an absolute path.
  let folder: FilePath
  /// What it is for, such as `the bundle`.
  let purpose: String
  /// The bytes that must be free.
  let needed: Int64
  /// The bytes with which nobody has to count, and what tells how many are needed.
  let ample: (bytes: Int64, next: String)?
  /// Whether programs are run from it.
  let runsPrograms: Bool
  /// The bytes of the largest file that is to lie there.
  let largestFile: Int64?

  /// A use.
  public init(
    _ folder: FilePath, _ purpose: String, needed: Int64, ample: (Int64, String)? = nil,
    runsPrograms: Bool = false, largestFile: Int64? = nil
  ) {
    self.folder = folder
    self.purpose = purpose
    self.needed = needed
    self.ample = ample
    self.runsPrograms = runsPrograms
    self.largestFile = largestFile
  }
}

extension Machine {
  /// FAT keeps the size of a file in 32 bits.
  private static let largestOnFAT: Int64 = 0xffff_ffff
  /// A bundle has some thousand files, an environment of Python ten thousand.
  private static let neededInodes: Int64 = 20_000

  /// Whether a folder can hold what it is for. `size` writes a number of bytes for people.
  public func room(for use: FolderUse, size: (Int64) -> String) -> [Finding] {
    let name = "\(use.folder) (\(use.purpose))"
    let mount = mountTable.mount(holding: use.folder)
    let place = mount?.place ?? "/"
    guard let space = space(use.folder) else {
      return [.error(.disk, "\(name) cannot be looked at", next: "ls -ld \(use.folder)")]
    }
    var found: [Finding] = []
    if space.isReadOnly || mount?.options.contains("ro") == true {
      found.append(.error(.disk, "\(name) is mounted read-only", next: "mount -o remount,rw \(place)"))
    } else if space.availableBytes < use.needed {
      found.append(
        .error(
          .disk, "\(name) has \(size(space.availableBytes)) free and needs \(size(use.needed))",
          next: "df -h \(place)"))
    } else if let inodes = space.availableInodes, inodes < Self.neededInodes {
      found.append(
        .error(
          .disk, "\(name) has room for \(counted(inodes, "more file")) only: its inodes are used up",
          next: "df -i \(place)"))
    } else if let ample = use.ample, space.availableBytes < ample.bytes {
      found.append(
        .warning(
          .disk, "\(name) has \(size(space.availableBytes)) free, which may be too little", next: ample.next))
    } else {
      found.append(.ok(.disk, "\(name) has \(size(space.availableBytes)) free"))
    }
    if let mount { found += fileSystem(use, mount, size: size) }
    return found
  }

  private func fileSystem(_ use: FolderUse, _ mount: MountTable.Mount, size: (Int64) -> String) -> [Finding] {
    var found: [Finding] = []
    if ["vfat", "msdos"].contains(mount.type) {
      let detail = "\(use.folder) is on FAT, which holds no file over 4 GiB"
      let next = "mkfs.exfat DEVICE, on another disk: this one would be erased"
      if let largest = use.largestFile, largest > Self.largestOnFAT {
        found.append(.error(.fileSystem, "\(detail); the largest file has \(size(largest))", next: next))
      } else {
        found.append(.warning(.fileSystem, detail, next: next))
      }
    }
    if use.runsPrograms, mount.options.contains("noexec") {
      found.append(
        .error(
          .programsOnDisk, "\(use.folder) (\(use.purpose)) is mounted noexec: programs cannot be run from it",
          next: "mount -o remount,exec \(mount.place)"))
    }
    return found
  }

  /// Whether temporary files have a place in which programs can be run: pip builds there.
  public func temporaryFolder() -> Finding {
    let folder = FilePath(variable("TMPDIR") ?? "/tmp")
    guard (try? FileInfo(path(folder), followsLinks: true))?.kind == .folder else {
      return .error(
        .programsOnDisk, "\(folder), the folder for temporary files, is not there",
        next: "mkdir -m 1777 \(folder)")
    }
    guard mountTable.mount(holding: folder)?.options.contains("noexec") != true else {
      return .warning(
        .programsOnDisk, "\(folder) is mounted noexec: pip and Ansible cannot run programs there",
        next: "export TMPDIR=/var/tmp")
    }
    return .ok(.programsOnDisk, "programs can be run from \(folder)")
  }
}
