import Glibc
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
    let packing = FolderPacking(
      writer: writer, archive: path, excluded: Set(excluded), prefixDepth: prefix.split(separator: "/").count)
    try packing.pack(folder, as: prefix)
    try writer.finish()
  }
}

/// The walk through a folder on its way into an archive.
private struct FolderPacking {
  let writer: ArchiveWriter
  let archive: FilePath
  let excluded: Set<String>
  let prefixDepth: Int

  func pack(_ folder: FilePath, as prefix: String) throws {
    for name in try sortedNames(in: folder) where !excluded.contains(name) {
      try Task.checkCancellation()
      let path = folder.appending(name)
      let entryName = prefix.isEmpty ? name : "\(prefix)/\(name)"
      var status = stat()
      guard lstat(path.string, &status) == 0 else {
        throw ArchiveError.cannotAdd(name: entryName, archive: archive, reason: "\(Errno(rawValue: errno))")
      }
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        try writer.add(directory: entryName)
        try pack(path, as: entryName)
      case S_IFLNK: try packLink(path, as: entryName)
      case S_IFREG: try writer.add(file: path, as: entryName)
      default:
        throw ArchiveError.cannotAdd(
          name: entryName, archive: archive, reason: "\(path) is neither a file, a folder nor a link")
      }
    }
  }

  private func packLink(_ path: FilePath, as name: String) throws {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink(path.string, &buffer, buffer.count - 1)
    guard count >= 0, let target = String(validating: buffer[..<count], as: UTF8.self) else {
      throw ArchiveError.cannotAdd(
        name: name, archive: archive, reason: "the link \(path) cannot be read as UTF-8 text")
    }
    // Against the packed folder, not against the prefix around it, which another program may strip.
    do throws(EntryPath.Refusal) {
      try EntryPath(name, strippingComponents: prefixDepth).checkLinkTarget(target)
    } catch {
      throw ArchiveError.cannotAdd(
        name: name, archive: archive, reason: "\(path) \(error.reason)"
      )
    }
    try writer.add(symlink: name, target: target)
  }

  /// The names in a folder in the order of their bytes.
  private func sortedNames(in folder: FilePath) throws -> [String] {
    guard let directory = opendir(folder.string) else {
      throw ArchiveError.cannotAdd(name: folder.string, archive: archive, reason: "\(Errno(rawValue: errno))")
    }
    defer { closedir(directory) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(directory) else { break }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      guard let name else {
        throw ArchiveError.cannotAdd(
          name: folder.string, archive: archive, reason: "it has a file whose name is not UTF-8")
      }
      if name != ".", name != ".." { names.append(name) }
    }
    guard errno == 0 else {
      throw ArchiveError.cannotAdd(name: folder.string, archive: archive, reason: "\(Errno(rawValue: errno))")
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
