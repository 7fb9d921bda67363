import Bundle
import Cache
import Files
import Integrity
import Mirrors
import Settings
import SystemPackage

/// The index of a mirror, made once for a resolution and kept in the cache.
struct MirrorIndex {
  let mirror: any Mirror
  let resolved: ResolutionMemory.Resolved
  /// What decides the index beside the resolution: the key that signs it.
  let seal: String
  let cache: Cache

  /// Makes the index unless it is there.
  ///
  /// - Parameter content: The folder of the mirror, with every file of the resolution.
  /// - Returns: The folder that has the files of the index, under the paths that they are to have in the mirror.
  /// - Throws: What the mirror threw; `Errno`.
  func make(of content: FilePath) async throws -> FilePath {
    let key = CacheKey([
      "program": programVersion, "resolution": "\(resolved.identity)", "seal": seal,
    ])
    return try await cache.entry(.indexes, "\(mirror.folder.shelfName)-\(key)") { folder in
      try createDirectories(folder)
      try await mirror.makeIndex(of: resolved.resolution, in: content, to: folder)
    }
  }
}
