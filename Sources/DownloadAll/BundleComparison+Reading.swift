import Bundle
import Files
import SystemPackage

extension BundleComparison {
  /// Compares two manifests that lie on this machine.
  ///
  /// - Parameters:
  ///   - first: A manifest, or the folder of its bundle.
  ///   - second: The other one.
  /// - Throws: ``UnfinishedBundle`` for a folder without a manifest; `ManifestError`, `FileError`.
  public static func read(_ first: FilePath, _ second: FilePath) throws -> BundleComparison {
    BundleComparison(try manifest(first), try manifest(second))
  }

  private static func manifest(_ path: FilePath) throws -> Manifest {
    guard try FileInfo(path, followsLinks: true).kind == .folder else {
      return try Manifest(decoding: try readBytes(path, limit: Manifest.largestFile), from: path)
    }
    guard let manifest = try Manifest.load(from: path) else { throw UnfinishedBundle(outputs: path) }
    return manifest
  }
}
