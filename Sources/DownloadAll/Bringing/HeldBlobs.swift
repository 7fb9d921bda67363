import Bundle
import Integrity
import Registry
import Synchronization
import SystemPackage

/// Which archives of the bundle, as it lies there, have a blob: what is there under another name or version is not fetched
/// again.
final class HeldBlobs: Sendable {
  private let outputs: FilePath
  private let archives: Mutex<[Digest: BundlePath]>

  init(_ previous: PreviousBundle, outputs: FilePath) {
    self.outputs = outputs
    var archives: [Digest: BundlePath] = [:]
    for file in previous.manifest?.files ?? [] {
      for blob in file.image?.blobs ?? [] { archives[blob] = file.path }
    }
    self.archives = Mutex(archives)
  }

  /// Notes an archive that lies in the bundle.
  func note(_ image: ManifestImage?, at path: BundlePath) {
    archives.withLock { archives in
      for blob in image?.blobs ?? [] { archives[blob] = path }
    }
  }

  /// The archive that should have a blob. Nothing of it is proved, and it may be gone.
  func archive(of digest: Digest) -> FilePath? {
    archives.withLock { $0[digest] }.map { outputs.appending($0.description) }
  }

  /// Fills the place of a blob from the archive that has it.
  ///
  /// May take long: call it off the cooperative threads.
  /// - Returns: Whether there is one, and the blob in it is what its digest says.
  func fill(_ place: BlobPlace, with blob: Descriptor) -> Bool {
    guard let source = archive(of: blob.digest) else { return false }
    do {
      try place.fill(from: source) { try ImageArchiveReader.read(blob, in: source, $0) }
      return true
    } catch {
      // The registry has it. What is wrong with the disk comes out when it is written.
      place.discard()
      return false
    }
  }
}
