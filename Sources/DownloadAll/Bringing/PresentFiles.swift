import Bundle
import Concurrency
import Files
import Host
import Integrity
import Registry
import SystemPackage

/// Decides whether an artifact lies in the bundle already, byte for byte as wanted.
struct PresentFiles: Sendable {
  let record: BundleRecord
  let previous: PreviousBundle
  let images: ImageSource
  /// Gets the archives that are there, wanted or not.
  let held: HeldBlobs

  /// The manifest's line for an artifact that is there.
  ///
  /// A file that this machine verified before costs one `stat`; any other is read once and remembered.
  func file(_ artifact: Artifact) async throws -> ManifestFile? {
    guard var file = try await knownFile(artifact) else {
      // An archive of a run that was killed before it could remember it, or one of another version: its blobs are good.
      if artifact.pulledImage != nil {
        held.note(await Self.image(in: record.place(artifact)), at: artifact.path)
      }
      return nil
    }
    guard let reference = artifact.pulledImage ?? artifact.assembledImage else { return file }
    let known = previous.file(artifact.path)
    if let known, known.sha256 == file.sha256, let image = known.image {
      file.image = image
    } else {
      file.image = await Self.image(in: record.place(artifact))
      let served = record.verified.entry(for: record.place(artifact))?.validator
      if let served = served.flatMap({ try? Digest($0) }) { file.image?.noteServed(served) }
    }
    held.note(file.image, at: file.path)
    guard artifact.pulledImage != nil else { return file }
    guard let image = file.image, image.reference == reference, images.carries(image) else { return nil }
    return file
  }

  /// What the archive of an image says of itself, in its first kilobytes; `nil` when it cannot be read.
  static func image(in archive: FilePath) async -> ManifestImage? {
    await offload { () in try? ImageArchiveReader.summary(of: archive).manifestImage }
  }

  private func knownFile(_ artifact: Artifact) async throws -> ManifestFile? {
    let place = record.place(artifact)
    if let entry = record.verified.entry(for: place) {
      return try await isWanted(entry, for: artifact)
        ? artifact.manifestFile(size: entry.size, sha256: entry.sha256) : nil
    }
    guard let status = FileInfo(regularFile: place), let expected = try await expectedDigest(artifact) else {
      return nil
    }
    let (actual, sha256) = try await offload { () throws in
      try digests(ofFile: place, expected.algorithm)
    }
    guard actual == expected else { return nil }
    record.verified.record(
      place, stage: artifact.stage, sha256: sha256, checked: expected, url: artifact.recordedOrigin)
    return artifact.manifestFile(size: status.size, sha256: sha256)
  }

  private func isWanted(_ entry: VerifiedFiles.Entry, for artifact: Artifact) async throws -> Bool {
    if artifact.url != nil || artifact.pulledImage != nil, artifact.digest == nil {
      return entry.url == artifact.recordedOrigin
    }
    let expected = try await expectedDigest(artifact)
    return expected == entry.sha256 || expected != nil && expected == entry.checked
  }

  /// What the bytes must hash to: published, or known from the source at hand, or from the last manifest for the
  /// same URL.
  private func expectedDigest(_ artifact: Artifact) async throws -> Digest? {
    if let digest = artifact.digest { return digest }
    switch artifact.source {
    case .generated(let bytes): return Digest(of: bytes)
    case .local(let path, _), .assembledImage(let path, _):
      // A source that cannot be read is reported when it is copied.
      return try? await digest(of: path, stage: artifact.stage)
    case .url, .image:
      guard let file = previous.file(artifact.path), file.url == artifact.recordedOrigin else {
        return nil
      }
      return file.sha256
    }
  }

  /// The digest of a local source, read once for as long as it does not change.
  private func digest(of path: FilePath, stage: StageName) async throws -> Digest {
    if let entry = record.verified.entry(for: path) { return entry.sha256 }
    let digest = try await offload { () throws in try Digest(ofFile: path) }
    record.verified.record(path, stage: stage, sha256: digest)
    return digest
  }
}
