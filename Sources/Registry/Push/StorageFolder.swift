import Files
import Glibc
import Integrity
import SystemPackage

/// The folder in which a registry keeps its content (distribution, `registry/storage/paths.go`, driver `filesystem`).
///
/// What is put there appears complete or not at all: it is written beside its name and renamed. Owner and modes are those
/// that the registry gives.
struct StorageFolder: Sendable {
  /// The registry's `rootdirectory`.
  let root: FilePath
  private let owner: (user: uid_t, group: gid_t)
  /// Whether files must be given to another user.
  private let givesAway: Bool

  /// - Throws: `Errno` when there is no such folder, or this user may not write into it.
  init(_ root: FilePath) throws {
    self.root = root
    var status = stat()
    guard stat(root.string, &status) == 0 else { throw Errno(rawValue: errno) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw Errno.notDirectory }
    guard access(root.string, W_OK | X_OK) == 0 else { throw Errno(rawValue: errno) }
    // What the registry made itself says best as whom it runs.
    var inner = stat()
    let made = root.appending("docker/registry/v2")
    if stat(made.string, &inner) == 0 {
      guard access(made.string, W_OK | X_OK) == 0 else { throw Errno(rawValue: errno) }
      status = inner
    }
    owner = (status.st_uid, status.st_gid)
    givesAway = geteuid() == 0 && (status.st_uid != 0 || status.st_gid != 0)
    guard givesAway || geteuid() == status.st_uid else { throw Errno.notPermitted }
  }

  private var base: FilePath { root.appending("docker/registry/v2") }

  /// Where the bytes of a blob or manifest lie.
  func data(_ digest: Digest) -> FilePath {
    base.appending("blobs/\(digest.algorithm.rawValue)/\(digest.hex.prefix(2))/\(digest.hex)/data")
  }

  func layerLink(_ repository: String, _ digest: Digest) -> FilePath {
    base.appending("repositories/\(repository)/_layers/\(Self.part(digest))/link")
  }

  func revisionLink(_ repository: String, _ digest: Digest) -> FilePath {
    base.appending("repositories/\(repository)/_manifests/revisions/\(Self.part(digest))/link")
  }

  /// What a tag stands for now, and the list of all that it stood for.
  func tagLinks(_ repository: String, _ tag: String, _ digest: Digest) -> (current: FilePath, index: FilePath)
  {
    let folder = base.appending("repositories/\(repository)/_manifests/tags/\(tag)")
    return (folder.appending("current/link"), folder.appending("index/\(Self.part(digest))/link"))
  }

  /// The repositories that have manifests.
  ///
  /// - Throws: ``FileError`` when a folder cannot be read.
  static func repositories(in root: FilePath) throws(FileError) -> Set<String> {
    var found: Set<String> = []
    func visit(_ folder: FilePath, _ name: String) throws(FileError) {
      for entry in try listFolder(ifPresent: folder) {
        if entry == "_manifests" {
          found.insert(name)
        } else if !entry.hasPrefix("_") {
          try visit(folder.appending(entry), name.isEmpty ? entry : "\(name)/\(entry)")
        }
      }
    }
    try visit(root.appending("docker/registry/v2/repositories"), "")
    return found
  }

  private static func part(_ digest: Digest) -> String { "\(digest.algorithm.rawValue)/\(digest.hex)" }

  /// Makes a link to content, unless it is there.
  ///
  /// - Throws: `Errno`.
  func link(_ path: FilePath, to digest: Digest) throws {
    var present: [UInt8] = []
    let wanted = Array(digest.description.utf8)
    if (try? readFile(path) { present.append(contentsOf: $0) }) != nil, present == wanted { return }
    try write(path) { file in try file.writeAll(wanted) }
  }

  /// What a link leads to; `nil` when there is none.
  func target(of path: FilePath) -> Digest? {
    var bytes: [UInt8] = []
    guard (try? readFile(path) { bytes.append(contentsOf: $0.prefix(200)) }) != nil else { return nil }
    return try? Digest(String(decoding: bytes, as: UTF8.self))
  }

  /// The size of a file; `nil` when there is none.
  func size(_ path: FilePath) -> Int64? {
    var status = stat()
    guard lstat(path.string, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int64(status.st_size)
  }

  /// Writes a file beside its name and renames it.
  ///
  /// - Throws: `Errno`, or what `body` throws; the name is then as it was.
  func write(_ path: FilePath, _ body: (FileDescriptor) throws -> Void) throws {
    try makeFolders(path.removingLastComponent())
    let temporary = FilePath(path.string + ".tmp")
    do {
      let file = try FileDescriptor.open(
        temporary, .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
      try file.closeAfter {
        // A umask may have taken bits that a registry of another user needs.
        guard fchmod(file.rawValue, 0o644) == 0 else { throw Errno(rawValue: errno) }
        if givesAway, fchown(file.rawValue, owner.user, owner.group) != 0 { throw Errno(rawValue: errno) }
        try body(file)
      }
      guard rename(temporary.string, path.string) == 0 else { throw Errno(rawValue: errno) }
    } catch {
      unlink(temporary.string)
      throw error
    }
  }

  /// Makes a folder and those above it within the root.
  ///
  /// - Throws: `Errno`.
  func makeFolders(_ path: FilePath) throws {
    if path == root || mkdir(path.string, 0o755) == 0 {
      if path != root, givesAway, chown(path.string, owner.user, owner.group) != 0 {
        throw Errno(rawValue: errno)
      }
      return
    }
    switch errno {
    case EEXIST: return
    case ENOENT:
      try makeFolders(path.removingLastComponent())
      if mkdir(path.string, 0o755) == 0 {
        if givesAway, chown(path.string, owner.user, owner.group) != 0 { throw Errno(rawValue: errno) }
      } else if errno != EEXIST {
        throw Errno(rawValue: errno)
      }
    case let code: throw Errno(rawValue: code)
    }
  }

  /// Removes a file and the folders above it that are empty then.
  func remove(_ path: FilePath) {
    unlink(path.string)
    var folder = path.removingLastComponent()
    while folder != root, rmdir(folder.string) == 0 { folder.removeLastComponent() }
  }
}
