import Bundle
import Cache
import Concurrency
import Files
import Integrity
import Registry
import Synchronization
import SystemPackage
import Transfer

/// Blobs between registry and archive: each fetched once for all images that want it, and removed when the last of
/// them has been packed. A folder belongs to the runs for one bundle, which come one after another. Blobs are not
/// flushed to the disk, since most are gone before they would reach it; so what an earlier run left is hashed before it
/// is used.
final class BlobCache: Sendable {
  private let cache: Cache
  private let name: String
  private let hold = Memo<Workplace>()
  private let wanted = Mutex<[Digest: Int]>([:])

  /// - Parameter outputs: The folder of the bundle; it need not exist.
  /// - Throws: `FileError`.
  init(_ cache: Cache, outputs: FilePath) throws {
    self.cache = cache
    let place = try (try? realPath(outputs)) ?? currentFolder().pushing(outputs).lexicallyNormalized()
    name = "\(CacheKey(["outputs": place.string]))"
  }

  private var folder: FilePath { cache.folder(of: .blobs).appending(name) }

  /// Where a blob lies, or will lie.
  func place(_ digest: Digest) -> FilePath {
    folder.appending(digest.algorithm.rawValue).appending(digest.hex)
  }

  /// Makes the folder, and puts small blobs into it that are in memory already.
  ///
  /// - Throws: `Errno`.
  func keep(_ bytes: [Digest: [UInt8]]) async throws {
    _ = try await hold.value { [cache, name] in try await cache.workplace(.blobs, name) }
    for algorithm in DigestAlgorithm.allCases {
      try createDirectories(folder.appending(algorithm.rawValue))
    }
    for (digest, content) in bytes { try writeAtomically(content, to: place(digest), isDurable: false) }
  }

  /// The blobs of these that an earlier run left complete; others of the same names are removed.
  func left(of descriptors: some Sequence<Descriptor>) async -> Set<Digest> {
    var found: Set<Digest> = []
    let candidates = descriptors.filter { FileInfo(regularFile: place($0.digest)) != nil }
    await forEachConcurrently(candidates, limit: 2) { descriptor in
      let path = self.place(descriptor.digest)
      return await offload { () in try? Digest(ofFile: path, algorithm: descriptor.digest.algorithm) }
    } onResult: { descriptor, actual in
      if actual == descriptor.digest {
        found.insert(descriptor.digest)
      } else {
        try? removeFile(place(descriptor.digest))
      }
    }
    return found
  }

  /// Whether a blob lies here, by its name and size; its content may still be damaged.
  func has(_ descriptor: Descriptor) -> Bool {
    FileInfo(regularFile: place(descriptor.digest))?.size == descriptor.size
  }

  /// Bytes of an interrupted download that are here already.
  func partSize(_ descriptor: Descriptor) -> Int64 {
    FileInfo(regularFile: Download.partFile(of: place(descriptor.digest)))?.size ?? 0
  }

  /// Notes that an image needs these blobs.
  func retain(_ digests: some Sequence<Digest>) {
    wanted.withLock { wanted in
      for digest in digests { wanted[digest, default: 0] += 1 }
    }
  }

  /// Notes that an image is packed; blobs that no other one needs are removed.
  func release(_ digests: some Sequence<Digest>) {
    let free = wanted.withLock { wanted in
      digests.filter { digest in
        let left = wanted[digest, default: 1] - 1
        wanted[digest] = left == 0 ? nil : left
        return left == 0
      }
    }
    for digest in free { try? removeFile(place(digest)) }
  }
}
