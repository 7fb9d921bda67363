import Files
import SystemPackage

extension ArchiveWriter {
  /// Packs a folder. The same files give the same bytes, whatever the order of the directory, the umask, the
  /// owners and the times.
  ///
  /// - Parameters:
  ///   - folder: What to pack: its files, folders and symbolic links.
  ///   - path: The archive to write.
  ///   - prefix: The folder inside the archive that holds everything; empty for none.
  ///   - excluded: Names of files and folders to leave out wherever they occur, such as `.git`.
  ///   - modified: The modification time of all entries, in seconds since 1970.
  ///   - compression: How to compress.
  /// - Throws: ``ArchiveError``, for a link that leaves the folder and anything that is neither file, folder
  ///   nor link too; `CancellationError` when the task is cancelled.
  public static func tarball(
    of folder: FilePath, as path: FilePath, prefix: String, excluding excluded: [String], modified: Int64,
    compression: ArchiveCompression = .gzip(level: 6)
  ) throws {
    let writer = try ArchiveWriter(path, compression: compression, modified: modified)
    if !prefix.isEmpty { try writer.add(directory: prefix) }
    let packing = FolderPacking(writer: writer, archive: path, excluded: Set(excluded), prefix: prefix)
    try packing.pack(folder)
    try writer.finish()
  }
}

/// The walk through a folder on its way into an archive.
private struct FolderPacking {
  let writer: ArchiveWriter
  let archive: FilePath
  let excluded: Set<String>
  let prefix: String

  func pack(_ folder: FilePath) throws {
    do {
      try walkFolder(folder, skipping: excluded) { entry in
        try Task.checkCancellation()
        try pack(entry, as: prefix.isEmpty ? entry.name : "\(prefix)/\(entry.name)")
      }
    } catch let error as FileError {
      throw ArchiveError.cannotAdd(name: error.path.string, archive: archive, reason: "\(error.code)")
    }
  }

  private func pack(_ entry: FolderEntry, as name: String) throws {
    guard let last = entry.path.lastComponent, String(validating: last) != nil else {
      throw ArchiveError.cannotAdd(name: name, archive: archive, reason: "its name is not UTF-8")
    }
    switch entry.info.kind {
    case .folder: try writer.add(directory: name)
    case .link: try packLink(entry.path, as: name)
    case .file: try writer.add(file: entry.path, as: name)
    case .other:
      throw ArchiveError.cannotAdd(
        name: name, archive: archive, reason: "\(entry.path) is neither a file, a folder nor a link")
    }
  }

  private func packLink(_ path: FilePath, as name: String) throws {
    let target = try linkTarget(path)
    // Against the packed folder, not against the prefix around it, which another program may strip.
    let depth = prefix.split(separator: "/").count
    do throws(EntryPath.Refusal) {
      try EntryPath(name, strippingComponents: depth).checkLinkTarget(target)
    } catch {
      throw ArchiveError.cannotAdd(
        name: name, archive: archive, reason: "\(path) \(error.reason)"
      )
    }
    try writer.add(symlink: name, target: target)
  }
}
