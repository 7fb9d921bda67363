import Bundle
import Cache
import Files
import Integrity
import Mirrors
import Settings
import SystemPackage

/// The index of a mirror, made once for a resolution and kept in the cache together with its signature: who asks for
/// the same index again gets the same bytes, though the key that signed them is gone.
struct MirrorIndex {
  /// An index in the cache.
  struct Made {
    /// The folder that has its files, under the paths that they are to have in the mirror.
    let folder: FilePath
    /// The fingerprint of the key that signed it; `nil` for one that nobody signs.
    let signer: String?
  }

  private static let files = "files"
  private static let signer = "signer"

  let mirror: any Mirror
  let resolved: ResolutionMemory.Resolved
  /// What decides the index beside the resolution: the key that signs it.
  let seal: String
  let cache: Cache

  /// Makes the index unless it is there.
  ///
  /// - Parameter content: The folder of the mirror, with every file of the resolution.
  /// - Throws: What the mirror threw; `FileError`, `Errno`.
  func make(of content: FilePath) async throws -> Made {
    let key = CacheKey([
      "program": programVersion, "resolution": "\(resolved.identity)", "seal": seal,
    ])
    let entry = try await cache.entry(.indexes, "\(mirror.folder.shelfName)-\(key)") { entry in
      let folder = entry.appending(Self.files)
      try createDirectories(folder)
      let signer = try await mirror.makeIndex(of: resolved.resolution, in: content, to: folder)
      if let signer { try writeAtomically(signer, to: entry.appending(Self.signer)) }
    }
    return Made(
      folder: entry.appending(Self.files), signer: try readText(ifPresent: entry.appending(Self.signer)))
  }
}
