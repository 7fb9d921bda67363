import Files
import Integrity
import SystemPackage

/// The folder in which a registry keeps its content (distribution, `registry/storage/paths.go`, driver `filesystem`).
///
/// What is put there appears complete or not at all: it is written beside its name and renamed. Owner and modes are those
/// that the registry gives. The registry may have been taken over, so no link in the folder is followed: each path is
/// walked down from the descriptor of the folder above.
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
    if let inner = try? FileInfo(made), inner.kind == .folder {
      try checkWritable(made)
      info = inner
    }
    owner = (info.owner, info.group)
    givesAway = effectiveUser == 0 && (info.owner != 0 || info.group != 0)
    guard givesAway || effectiveUser == info.owner else { throw FileError(.write, root, .notPermitted) }
  }

  var base: FilePath { root.appending("docker/registry/v2") }

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
        } else if !entry.hasPrefix("_"), (try? FileInfo(folder.appending(entry)))?.kind == .folder {
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
    if target(of: path) == digest { return }
    try write(path) { file in try file.writeAll(digest.description.utf8) }
  }

  /// What a link leads to; `nil` when there is none.
  func target(of path: FilePath) -> Digest? {
    guard let file = try? opened(path) else { return nil }
    defer { try? file.close() }
    return (try? readText(Self.place(file), limit: 200)).flatMap { try? Digest($0) }
  }

  /// The size of a file; `nil` when there is none.
  func size(_ path: FilePath) -> Int64? {
    guard let file = try? opened(path) else { return nil }
    defer { try? file.close() }
    return (try? FileInfo(file))?.size
  }

  /// The digest of a file's content.
  ///
  /// - Throws: `FileError`.
  func digest(_ path: FilePath, _ algorithm: DigestAlgorithm) throws -> Digest {
    let file = try opened(path)
    defer { try? file.close() }
    return try Digest(ofFile: Self.place(file), algorithm: algorithm)
  }

  /// Writes a file beside its name and renames it.
  ///
  /// - Throws: `FileError`, or what `body` throws; the name is then as it was.
  func write(_ path: FilePath, _ body: (FileDescriptor) throws -> Void) throws {
    try within(path, isMade: true) { place in
      let file = try PendingFile(for: place)
      if givesAway { try file.setOwner(owner.user, group: owner.group) }
      try FileError.naming(.write, path) { try body(file.descriptor) }
      try file.commit(isDurable: false)
    }
  }

  /// Removes a file and the folders above it that are empty then.
  func remove(_ path: FilePath) {
    try? within(path) { try removeFile($0) }
    var folder = path.removingLastComponent()
    while folder != root {
      // One that is missing was removed by a run that was killed before it came to those above.
      let isGone = (try? within(folder) { removeEmptyFolder($0) || (try? FileInfo($0)) == nil }) ?? true
      guard isGone else { return }
      folder.removeLastComponent()
    }
  }

  /// The layers that a repository is linked to.
  func layers(of repository: String) -> [Digest] {
    digests(in: base.appending("repositories/\(repository)/_layers/sha256"))
  }

  /// The digests after which the entries of a folder are called.
  func digests(in folder: FilePath) -> [Digest] {
    names(in: folder).compactMap { try? Digest(algorithm: .sha256, hex: $0) }
  }

  /// The names in a folder; none when there is no such folder.
  func names(in folder: FilePath) -> [String] {
    (try? within(folder.appending("link")) { try listFolder($0.removingLastComponent()) }) ?? []
  }

  /// The bytes of a file; `nil` when there is none, or more than a limit.
  func bytes(_ path: FilePath, limit: Int) -> [UInt8]? {
    guard let file = try? opened(path) else { return nil }
    defer { try? file.close() }
    return try? readBytes(Self.place(file), limit: limit)
  }

  // MARK: Without links

  /// A regular file, opened for reading.
  private func opened(_ path: FilePath) throws -> FileDescriptor {
    try within(path) { place in
      let file = try openFile(place, .readOnly, options: [.noFollow, .nonBlocking])
      if (try? FileInfo(file))?.kind == .file { return file }
      try? file.close()
      throw FileError(.read, path, .notSupported)
    }
  }

  /// Walks down to the folder of a path.
  ///
  /// - Parameters:
  ///   - isMade: Whether folders that are missing are made.
  ///   - body: Gets a path by which the name is reached through the folder that was opened, whatever is moved meanwhile.
  private func within<T>(
    _ path: FilePath, isMade: Bool = false, _ body: (FilePath) throws -> T
  ) throws -> T {
    var folder = try openFile(root, .readOnly, options: .directory)
    defer { try? folder.close() }
    for component in path.removingLastComponent().components.dropFirst(root.components.count) {
      let place = Self.place(folder).appending(component)
      if isMade, (try? FileInfo(place)) == nil {
        try createFolder(place, permissions: Self.folderPermissions)
        if givesAway { try setOwner(owner.user, group: owner.group, of: place) }
      }
      let next: FileDescriptor
      do {
        next = try openFile(place, .readOnly, options: [.directory, .noFollow])
      } catch {
        throw FileError(error.action, path, error.code)
      }
      try? folder.close()
      folder = next
    }
    guard let name = path.lastComponent else { throw FileError(.read, path, .isDirectory) }
    return try body(Self.place(folder).appending(name))
  }

  private static let folderPermissions: FilePermissions = [
    .ownerReadWriteExecute, .groupReadExecute, .otherReadExecute,
  ]

  /// What was opened, as a path (proc_pid_fd(5)).
  private static func place(_ descriptor: FileDescriptor) -> FilePath {
    FilePath("/proc/self/fd/\(descriptor.rawValue)")
  }
}
