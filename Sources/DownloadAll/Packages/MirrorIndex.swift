import Bundle
import Files
import FoundationEssentials
import Glibc
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
  /// - Returns: The folder that has the files of the index, under the paths that they shall have in the mirror.
  /// - Throws: What the mirror threw; `Errno`.
  func make(of content: FilePath) async throws -> FilePath {
    let shelf = cache.appending("indexes")
      .appending(mirror.folder.description.split(separator: "/").joined(separator: "-"))
    let name = Digest(of: Array("\(programVersion)\n\(resolved.identity)\n\(seal)".utf8)).hex.prefix(32)
    let place = shelf.appending(String(name))
    if access(place.string, F_OK) == 0 { return place }
    try createDirectories(shelf)
    var template = Array(shelf.appending("\(name).XXXXXX").string.utf8CString)
    guard let made = mkdtemp(&template) else { throw Errno(rawValue: errno) }
    let unfinished = FilePath(String(cString: made))
    do {
      try await mirror.makeIndex(of: resolved.resolution, in: content, to: unfinished)
      // Another run with the same cache may have been quicker; then its index is as good.
      if rename(unfinished.string, place.string) != 0, access(place.string, F_OK) != 0 {
        throw Errno(rawValue: errno)
      }
    } catch {
      try? FileManager.default.removeItem(atPath: unfinished.string)
      throw error
    }
    try? FileManager.default.removeItem(atPath: unfinished.string)
    ResolutionMemory.prune(shelf, keeping: Self.kept)
    return place
  }
}
