import Bundle
import Files
import Integrity
import Mirrors
import Settings
import SystemPackage

/// The index of a mirror, made once for a resolution and kept in the cache.
struct MirrorIndex {
  /// How many indexes are kept for one folder of the bundle, besides the one in use.
  private static let kept = 3

  let mirror: any Mirror
  let resolved: ResolutionMemory.Resolved
  /// What decides the index beside the resolution: the key that signs it.
  let seal: String
  /// The cache folder.
  let cache: FilePath

  /// Makes the index unless it is there.
  ///
  /// - Parameter content: The folder of the mirror, with every file of the resolution.
  /// - Returns: The folder that has the files of the index, under the paths that they are to have in the mirror.
  /// - Throws: What the mirror threw; `Errno`.
  func make(of content: FilePath) async throws -> FilePath {
    let shelf = cache.appending("indexes")
      .appending(mirror.folder.description.split(separator: "/").joined(separator: "-"))
    let name = Digest(of: Array("\(programVersion)\n\(resolved.identity)\n\(seal)".utf8)).hex.prefix(32)
    let place = shelf.appending(String(name))
    if fileExists(place) { return place }
    try createDirectories(shelf)
    let unfinished = try createTemporaryFolder(in: shelf, named: String(name))
    defer { try? removeTree(unfinished) }
    try await mirror.makeIndex(of: resolved.resolution, in: content, to: unfinished)
    do {
      try moveFile(unfinished, to: place)
    } catch {
      // Another run with the same cache may have been quicker; then its index is as good.
      guard fileExists(place) else { throw error }
    }
    ResolutionMemory.prune(shelf, keeping: Self.kept)
    return place
  }
}
