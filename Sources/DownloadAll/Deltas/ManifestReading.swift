import Bundle
import Files
import Supply
import SystemPackage

extension Manifest {
  /// Reads a manifest that a person has named.
  ///
  /// - Parameter path: A `bundle.json`, an inventory, or the folder of a bundle.
  /// - Returns: The manifest, and the folder where that was named.
  /// - Throws: ``UnfinishedBundle`` for a folder without a manifest; `ManifestError`, `FileError`.
  static func named(_ path: FilePath) throws -> (manifest: Manifest, folder: FilePath?) {
    guard try FileInfo(path, followsLinks: true).kind == .folder else {
      return (try Manifest(decoding: try readBytes(path, limit: largestFile), from: path), nil)
    }
    guard let manifest = try Manifest.load(from: path) else { throw UnfinishedBundle(outputs: path) }
    return (manifest, path)
  }
}

extension BundleComparison {
  /// Compares two manifests that lie on this machine.
  ///
  /// - Parameters:
  ///   - first: A manifest, or the folder of its bundle.
  ///   - second: The other one.
  /// - Throws: `UnfinishedBundle` for a folder without a manifest; `ManifestError`, `FileError`.
  public static func read(_ first: FilePath, _ second: FilePath) throws -> BundleComparison {
    BundleComparison(try Manifest.named(first).manifest, try Manifest.named(second).manifest)
  }
}

extension BundleDifference {
  /// Compares a manifest on this machine with the one after it.
  ///
  /// - Parameters:
  ///   - old: A manifest, or the folder of its bundle.
  ///   - new: The one after it.
  /// - Throws: `UnfinishedBundle` for a folder without a manifest; `ManifestError`, `FileError`.
  public static func read(from old: FilePath, to new: FilePath) throws -> BundleDifference {
    BundleDifference(from: try Manifest.named(old).manifest, to: try Manifest.named(new).manifest)
  }
}
