import Bundle
import Integrity
import Registry
import Synchronization
import SystemPackage

/// The archives of a run that are not complete, each planned once.
final class ImagesOnTheirWay: Sendable {
  private let record: BundleRecord
  private let archives = Mutex<[BundlePath: PartialArchive]>([:])

  init(_ record: BundleRecord) { self.record = record }

  /// The archive of an image.
  ///
  /// - Throws: `ArchiveError` or `ImageArchiveError`.
  func archive(of artifact: Artifact, _ image: ArchivedImage) throws -> PartialArchive {
    if let planned = archives.withLock({ $0[artifact.path] }), planned.image == image { return planned }
    let archive = try PartialArchive(image, at: record.place(artifact))
    archives.withLock { $0[artifact.path] = archive }
    return archive
  }
}
