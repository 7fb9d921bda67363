import Bundle
import Cache
import Files
import Integrity
import Settings
import SystemPackage

/// Removes what this program made: the cache, the remains of interrupted downloads, and on request the bundle.
public struct Cleaning {
  /// What would be removed.
  public let paths: [FilePath]
  /// How much that is, in bytes.
  public let size: Int64
  /// Files in the folder of the bundle that this program does not know, and that stay.
  public let foreign: [FilePath]

  private let configuration: Configuration

  /// Finds what is there.
  ///
  /// - Parameters:
  ///   - configuration: The settings that name the folders of the bundle and of the cache.
  ///   - includesBundle: Whether the finished files are removed, with what describes them.
  ///   - includesCache: Whether the cache is removed.
  ///   - includesRemains: Whether parts of files are removed, from which the next run would go on.
  /// - Throws: ``NotOurs`` when a folder was not made by this program.
  public init(
    _ configuration: Configuration, includesBundle: Bool, includesCache: Bool = true,
    includesRemains: Bool = true
  ) throws {
    self.configuration = configuration
    var paths: [FilePath] = []
    if includesCache, fileExists(configuration.cache) {
      guard CacheTag.marks(configuration.cache) else { throw NotOurs(folder: configuration.cache) }
      paths.append(configuration.cache)
    }
    let outputs = configuration.outputs
    var foreign: [FilePath] = []
    if includesBundle || includesRemains, fileExists(outputs) {
      let names = try BundleTree.files(below: outputs)
      let known = includesBundle ? Self.bundleFiles(configuration) : []
      let ours = names.filter { known.contains($0) || IncompleteName.matches($0) }
      if includesBundle {
        guard names.isEmpty || !ours.isEmpty else { throw NotOurs(folder: outputs) }
        foreign = Set(names).subtracting(ours).sorted().map { outputs.appending($0) }
      }
      paths += includesBundle && foreign.isEmpty ? [outputs] : ours.map { outputs.appending($0) }
    }
    self.paths = paths
    self.foreign = foreign
    size = paths.byteSum(of: Self.size)
  }

  private static func size(of path: FilePath) -> Int64 {
    if let status = FileInfo(regularFile: path) { return status.size }
    let names = (try? BundleTree.files(below: path)) ?? []
    return names.byteSum { FileInfo(regularFile: path.appending($0))?.size ?? 0 }
  }

  /// Removes everything.
  ///
  /// - Returns: What was removed.
  /// - Throws: `FileLockError` when a run works on the bundle, `Errno`, or a Foundation error naming the path that
  ///   could not be removed.
  public func execute() throws -> [FilePath] {
    let outputs = configuration.outputs
    let hasOutputs = fileExists(outputs)
    let lock = hasOutputs ? try RunLock.take(outputs: outputs, cache: configuration.cache) : nil
    defer { withExtendedLifetime(lock) {} }
    if paths.contains(configuration.cache), try Cache(configuration.cache).isInUse {
      throw CacheInUse(folder: configuration.cache)
    }
    for path in paths { try removeTree(path) }
    for path in foreign.isEmpty ? [] : paths { Self.removeEmptyFolders(above: path, upTo: outputs) }
    return paths
  }

  /// The files that this program knows to have brought into the bundle.
  private static func bundleFiles(_ configuration: Configuration) -> Set<String> {
    var known = Manifest.ownNames
    for name in [Manifest.fileName, Manifest.unfinishedFileName] {
      // A manifest that cannot be read vouches for nothing but its own name.
      let manifest = (try? Manifest.load(from: configuration.outputs, named: name)) ?? nil
      known.formUnion((manifest?.files ?? []).map(\.path.description))
    }
    let verified = VerifiedFiles(configuration.cache.appending(VerifiedFiles.fileName))
    return known.union(verified.recorded(below: configuration.outputs).map(\.path))
  }

  private static func removeEmptyFolders(above path: FilePath, upTo outputs: FilePath) {
    var folder = path.removingLastComponent()
    while folder.starts(with: outputs), folder != outputs, removeEmptyFolder(folder) {
      folder = folder.removingLastComponent()
    }
  }
}

/// A cache that another run works with.
public struct CacheInUse: Error, CustomStringConvertible {
  /// The folder.
  public let folder: FilePath

  /// A sentence for people.
  public var description: String {
    "\(folder) is used by another run; nothing was removed"
  }
}

/// A folder that this program did not make.
public struct NotOurs: Error, CustomStringConvertible {
  /// The folder.
  public let folder: FilePath

  /// An error about a folder.
  public init(folder: FilePath) {
    self.folder = folder
  }

  /// A sentence for people.
  public var description: String {
    "\(folder) was not made by this program; nothing was removed"
  }
}
