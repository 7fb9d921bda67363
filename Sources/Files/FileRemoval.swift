import SystemPackage

/// Files that are to be removed, with the folders that hold nothing else.
public struct FileRemoval: Sendable {
  /// The folder that they lie in: it goes when it is empty, and none above it.
  public let top: FilePath
  /// The files and links, in the order in which they go. What tells that they are to go is the last.
  public let files: [FilePath]
  /// Whether folders go that were empty before.
  let takesEmptyFolders: Bool

  /// A removal of some files below a folder. Those that are missing are no error.
  ///
  /// - Parameters:
  ///   - files: The files and links, in the order in which they go.
  ///   - top: The folder that they lie in; it goes when it is empty.
  ///   - takesEmptyFolders: Whether folders below the top go, too, that hold nothing, as a removal that was stopped leaves
  ///     them.
  public init(_ files: [FilePath], below top: FilePath, takesEmptyFolders: Bool = true) {
    self.top = top
    self.files = files
    self.takesEmptyFolders = takesEmptyFolders
  }

  /// A removal of everything in a folder, and of the folder; of nothing when there is none.
  ///
  /// - Throws: ``FileError``.
  public init(all top: FilePath) throws {
    var files: [FilePath] = []
    if folderExists(top) {
      try walkFolder(top) { if $0.info.kind != .folder { files.append($0.path) } }
    }
    self.init(files, below: top)
  }

  /// Removes them. What is missing was removed before; a folder with something else in it stays.
  ///
  /// - Throws: ``FileError``.
  public func perform() throws {
    for file in files.dropLast() { try removeFile(file) }
    for folder in Self.deepestFirst(try folders()) { removeEmptyFolder(FilePath(folder)) }
    guard let last = files.last else { return }
    try removeFile(last)
    for folder in Self.folders(of: last.string, below: top.string) { removeEmptyFolder(FilePath(folder)) }
  }

  /// The folders that may go.
  fileprivate func folders() throws -> Set<String> {
    guard folderExists(top) else { return [] }
    var found: Set<String> = [top.string]
    if takesEmptyFolders {
      try walkFolder(top) { if $0.info.kind == .folder { found.insert($0.path.string) } }
    } else {
      for file in files { found.formUnion(Self.folders(of: file.string, below: top.string)) }
    }
    return found
  }

  /// The folders above a file, up to a top with it. As texts: there are many, and paths are slow to take apart.
  fileprivate static func folders(of file: String, below top: String) -> [String] {
    var found: [String] = []
    var rest = file[...]
    while let slash = rest.utf8.lastIndex(of: UInt8(ascii: "/")) {
      rest = rest[..<slash]
      guard rest.utf8.count >= top.utf8.count else { break }
      found.append(String(rest))
    }
    return found
  }

  /// What lies in a folder has a longer path than the folder.
  fileprivate static func deepestFirst(_ folders: Set<String>) -> [String] {
    folders.sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
  }
}

/// Counts the room that a disk gets back, over several removals together: a file with several names takes its room until
/// the last of them goes, and what other files share of it stays taken.
public struct RemovedSpace: Sendable {
  private struct File: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  private var names: [File: UInt64] = [:]
  private var removed: Set<String> = []

  /// Nothing is removed.
  public init() {}

  /// Adds a removal.
  ///
  /// - Returns: How many bytes the disk gets back by it, after those that were added before.
  /// - Throws: ``FileError`` when a folder cannot be read.
  public mutating func add(_ removal: FileRemoval) throws -> Int64 {
    // What lies on one disk does not come near the largest number.
    var bytes: Int64 = 0
    for path in removal.files {
      guard let info = try? FileInfo(path), removed.insert(path.string).inserted else { continue }
      let file = File(device: info.device, inode: info.inode)
      names[file, default: 0] += 1
      guard names[file] == info.links else { continue }
      bytes &+= max(0, info.allocated - (info.kind == .file ? sharedBytes(of: path) : 0))
    }
    for folder in FileRemoval.deepestFirst(try removal.folders()) {
      guard !removed.contains(folder), let info = try? FileInfo(FilePath(folder)),
        try listFolder(FilePath(folder)).allSatisfy({ removed.contains("\(folder)/\($0)") })
      else { continue }
      removed.insert(folder)
      bytes &+= info.allocated
    }
    return bytes
  }
}
