import Files
import Integrity
import SystemPackage

/// The folder in which a registry keeps its content (distribution, `registry/storage/paths.go`, driver `filesystem`).
///
/// What is put there appears complete or not at all: it is written beside its name and renamed. Owner and modes are those
/// that the registry gives.
struct StorageFolder: Sendable {
  /// The registry's `rootdirectory`.
  let root: FilePath
  private let owner: (user: UInt32, group: UInt32)
  /// Whether files must be given to another user.
  private let givesAway: Bool

  /// - Throws: `FileError` when there is no such folder, or this user may not write into it.
  init(_ root: FilePath) throws(FileError) {
    self.root = root
    var info = try FileInfo(root, followsLinks: true)
    guard info.kind == .folder else { throw FileError(.write, root, .notDirectory) }
    try checkWritable(root)
    // What the registry made itself says best as whom it runs.
    let made = root.appending("docker/registry/v2")
    if let inner = try? FileInfo(made, followsLinks: true) {
      try checkWritable(made)
      info = inner
    }
    owner = (info.owner, info.group)
    givesAway = effectiveUser == 0 && (info.owner != 0 || info.group != 0)
    guard givesAway || effectiveUser == info.owner else { throw FileError(.write, root, .notPermitted) }
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
  /// - Throws: `FileError`.
  func link(_ path: FilePath, to digest: Digest) throws {
    let wanted = Array(digest.description.utf8)
    if (try? readBytes(path)) == wanted { return }
    try write(path) { file in try file.writeAll(wanted) }
  }

  /// What a link leads to; `nil` when there is none.
  func target(of path: FilePath) -> Digest? {
    (try? readText(path, limit: 200)).flatMap { try? Digest($0) }
  }

  /// The size of a file; `nil` when there is none.
  func size(_ path: FilePath) -> Int64? { FileInfo(regularFile: path)?.size }

  /// Writes a file beside its name and renames it.
  ///
  /// - Throws: `FileError`, or what `body` throws; the name is then as it was.
  func write(_ path: FilePath, _ body: (FileDescriptor) throws -> Void) throws {
    try makeFolders(path.removingLastComponent())
    let file = try PendingFile(for: path)
    if givesAway { try file.setOwner(owner.user, group: owner.group) }
    try FileError.naming(.write, path) { try body(file.descriptor) }
    try file.commit(isDurable: false)
  }

  /// Makes a folder and those above it within the root.
  ///
  /// - Throws: `FileError`.
  func makeFolders(_ path: FilePath) throws(FileError) {
    guard path != root, !fileExists(path) else { return }
    try makeFolders(path.removingLastComponent())
    try createDirectories(path, isDurable: false)
    if givesAway { try setOwner(owner.user, group: owner.group, of: path) }
  }

  /// Removes a file and the folders above it that are empty then.
  func remove(_ path: FilePath) {
    try? removeFile(path)
    var folder = path.removingLastComponent()
    while folder != root, removeEmptyFolder(folder) { folder.removeLastComponent() }
  }
}
