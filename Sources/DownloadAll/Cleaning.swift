import Bundle
import FoundationEssentials
import Glibc
import Integrity
import SystemPackage

/// Removes what this program made: the cache, the remains of interrupted downloads, and on request the bundle.
public struct Cleaning {
  /// What would be removed.
  public let paths: [FilePath]

  /// Finds what is there.
  ///
  /// - Throws: ``NotOurs`` when a folder was not made by this program.
  public init(_ configuration: Configuration, includesBundle: Bool) throws {
    var paths: [FilePath] = []
    if access(configuration.cache.string, F_OK) == 0 {
      guard CacheFolder.isTagged(configuration.cache) else { throw NotOurs(folder: configuration.cache) }
      paths.append(configuration.cache)
    }
    let outputs = configuration.outputs
    if access(outputs.string, F_OK) == 0 {
      if includesBundle {
        let isBundle = [Manifest.fileName, Manifest.unfinishedFileName, "files"].contains {
          access(outputs.appending($0).string, F_OK) == 0
        }
        guard isBundle else { throw NotOurs(folder: outputs) }
        paths.append(outputs)
      } else {
        paths += try BundleTree.files(below: outputs).filter {
          $0.hasSuffix(".part") || $0.hasSuffix(".part.meta")
        }
        .map { outputs.appending($0) }
      }
    }
    self.paths = paths
  }

  /// Removes everything.
  ///
  /// - Returns: What was removed.
  /// - Throws: A Foundation error naming the path that could not be removed.
  public func execute() throws -> [FilePath] {
    for path in paths { try FileManager.default.removeItem(atPath: path.string) }
    return paths
  }
}

/// A folder that this program did not make.
public struct NotOurs: Error, CustomStringConvertible {
  /// The folder.
  public let folder: FilePath

  /// A sentence for people.
  public var description: String {
    "\(folder) was not made by this program; nothing was removed. Check --cache and --outputs, or remove it yourself."
  }
}
