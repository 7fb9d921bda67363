import Files
import Glibc
import SystemPackage

/// The folder that receives an archive. Every operation walks down from its descriptor one component at a time
/// and never through a symbolic link, so that no name can lead outside, whatever was extracted before.
final class ExtractionFolder {
  private let root: FileDescriptor

  /// Opens a folder that exists.
  init(_ path: FilePath) throws(FileError) {
    root = try openFile(path, .readOnly, options: .directory)
  }

  deinit { try? root.close() }

  /// Makes a directory, or accepts one that is there, and gives it these permissions.
  func makeDirectory(_ path: EntryPath, permissions: mode_t) throws {
    try withDirectory(path.components[...], create: true) { directory in
      try check(fchmod(directory, permissions))
    }
  }

  /// Makes a file in place of whatever file or link has its name, and removes it again if `body` throws.
  ///
  /// - Parameter body: Receives the open file; what it throws is passed on.
  func makeFile(_ path: EntryPath, _ body: (FileDescriptor) throws -> Void) throws {
    try withParent(path) { parent, name in
      try removeFile(name, in: parent)
      let raw = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
      try check(raw)
      let file = FileDescriptor(rawValue: raw)
      do {
        try file.closeAfter { try body(file) }
      } catch {
        unlinkat(parent, name, 0)
        throw error
      }
    }
  }

  /// Makes a symbolic link; where it leads is for the caller to have checked.
  func makeSymbolicLink(_ path: EntryPath, target: String, modified: Int64) throws {
    try withParent(path) { parent, name in
      try removeFile(name, in: parent)
      try check(symlinkat(target, parent, name))
      try check(utimensat(parent, name, modificationTimes(modified), AT_SYMLINK_NOFOLLOW))
    }
  }

  /// Makes a second name of a regular file that is already in the folder.
  ///
  /// - Throws: `Errno.noSuchFileOrDirectory` when the target is missing or no regular file.
  func makeHardLink(_ path: EntryPath, target: EntryPath) throws {
    guard path != target else { return }
    try withParent(target, create: false) { targetParent, targetName in
      var status = stat()
      guard fstatat(targetParent, targetName, &status, AT_SYMLINK_NOFOLLOW) == 0,
        status.st_mode & S_IFMT == S_IFREG
      else { throw Errno.noSuchFileOrDirectory }
      try withParent(path) { parent, name in
        try removeFile(name, in: parent)
        try check(linkat(targetParent, targetName, parent, name, 0))
      }
    }
  }

  /// Sets the modification time of a directory, once nothing more will be put into it.
  func setModified(_ path: EntryPath, _ seconds: Int64) throws {
    try withDirectory(path.components[...], create: false) { directory in
      try check(futimens(directory, modificationTimes(seconds)))
    }
  }

  private func withParent(
    _ path: EntryPath, create: Bool = true, _ body: (_ parent: Int32, _ name: String) throws -> Void
  ) throws {
    guard let name = path.components.last else { throw Errno.isDirectory }
    try withDirectory(path.components.dropLast(), create: create) { try body($0, String(name)) }
  }

  private func withDirectory(
    _ components: ArraySlice<Substring>, create: Bool, _ body: (Int32) throws -> Void
  ) throws {
    var directory = root.rawValue
    defer { if directory != root.rawValue { close(directory) } }
    for component in components {
      let name = String(component)
      if create, mkdirat(directory, name, 0o755) == 0 {
        // Whatever the umask: what an archive does not list is made as 0755.
        try check(fchmodat(directory, name, 0o755, 0))
      }
      let next = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      try check(next)
      if directory != root.rawValue { close(directory) }
      directory = next
    }
    try body(directory)
  }

  private func removeFile(_ name: String, in parent: Int32) throws {
    if unlinkat(parent, name, 0) != 0, errno != ENOENT { try check(-1) }
  }
}

/// The argument of `futimens` that sets both times: when a file was last read is of no interest.
func modificationTimes(_ seconds: Int64) -> [timespec] {
  [timespec](repeating: timespec(tv_sec: Int(seconds), tv_nsec: 0), count: 2)
}

/// Turns the failure of a system call into an `Errno`.
func check(_ result: Int32) throws(Errno) {
  guard result >= 0 else { throw Errno(rawValue: errno) }
}
