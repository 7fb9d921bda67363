import Bundle
import Concurrency
import Console
import Files
import Glibc
import Host
import Integrity
import Registry
import SystemPackage
import Transfer

/// Decides whether an artifact's copy in the bundle is whole, and brings it there when it is not.
struct ArtifactCopies: Sendable {
  private let run: RunContext

  init(run: RunContext) {
    self.run = run
  }

  /// The manifest's line for an artifact that is in the bundle already, byte for byte as wanted.
  ///
  /// A file that this machine verified before costs one `stat`; any other is read once and remembered.
  func wholeFile(_ artifact: Artifact) async throws -> ManifestFile? {
    guard var file = try await knownFile(artifact) else { return nil }
    guard let reference = artifact.image else { return await describingImage(artifact, file) }
    let known = run.previous.file(artifact.path)
    if let known, known.sha256 == file.sha256, let image = known.image {
      file.image = image
    } else {
      // The first kilobytes tell; an archive that cannot be read is made again.
      let place = run.place(artifact.path)
      file.image = await offload { () in try? ImageArchiveReader.summary(of: place).manifestImage }
    }
    guard let image = file.image, image.reference == reference, run.images.carries(image) else {
      return nil
    }
    return file
  }

  /// The line with what is in the file, where that is an image.
  private func describingImage(_ artifact: Artifact, _ file: ManifestFile) async -> ManifestFile {
    guard artifact.archivedImage != nil else { return file }
    let place = run.place(artifact.path)
    var file = file
    file.image = await offload { () in try? ImageArchiveReader.summary(of: place).manifestImage }
    return file
  }

  private func knownFile(_ artifact: Artifact) async throws -> ManifestFile? {
    let place = run.place(artifact.path)
    if let entry = run.verified.entry(for: place) {
      return try await isWanted(entry, for: artifact)
        ? manifestFile(artifact, size: entry.size, sha256: entry.sha256) : nil
    }
    guard let status = FileInfo(regularFile: place), let expected = try await expectedDigest(artifact) else {
      return nil
    }
    let (actual, sha256) = try await offload { () throws in
      try digests(ofFile: place, expected.algorithm)
    }
    guard actual == expected else { return nil }
    run.verified.record(
      place, stage: artifact.stage, sha256: sha256, checked: expected, url: artifact.recordedOrigin)
    return manifestFile(artifact, size: status.size, sha256: sha256)
  }

  /// Bytes of an interrupted download that are on the disk already.
  func partSize(_ artifact: Artifact) -> Int64 {
    FileInfo(regularFile: FilePath(run.place(artifact.path).string + ".part"))?.size ?? 0
  }

  /// Brings the artifact into the bundle.
  ///
  /// - Throws: `TransferError`, or `Errno`.
  func bring(_ artifact: Artifact) async throws -> FetchedFile {
    let place = run.place(artifact.path)
    try createDirectories(place.removingLastComponent())
    switch artifact.source {
    case .url(let url): return try await download(artifact, from: url, to: place)
    case .local(let path, _):
      let copied = try await copy(artifact, from: path, to: place)
      return FetchedFile(
        file: await describingImage(artifact, copied.file), transferred: copied.transferred)
    case .generated(let bytes):
      try writeAtomically(bytes, to: place)
      return record(artifact, at: place, size: Int64(bytes.count), sha256: Digest(of: bytes))
    case .image:
      // Images share blobs, so they are brought together, by ImageFetcher.
      throw Errno.notSupported
    }
  }

  private func download(_ artifact: Artifact, from url: String, to place: FilePath) async throws
    -> FetchedFile
  {
    let download = Download(url: run.remote.address(of: url), destination: place, digest: artifact.digest)
    let stage = artifact.stage.rawValue
    let (emit, rate) = (run.emit, run.rate)
    rate.begin()
    let outcome = try await run.engine.download(download) { event in
      switch event {
      case .resumed(let bytes): emit(.bytes(stage, bytes))
      case .received(let bytes):
        emit(.bytes(stage, bytes))
        rate.note(bytes)
      case .discarded(let bytes): emit(.bytes(stage, -bytes))
      case .retrying(let error, let pause):
        emit(
          .message(
            .warning, "\(error.url): \(error.detail); next attempt in \(DurationText.format(pause))",
            stage: stage))
      }
    }
    guard case .downloaded(let receipt) = outcome else { throw UnaskedAnswer(url: hidingCredentials(url)) }
    run.verified.record(
      place, stage: artifact.stage, sha256: receipt.sha256, checked: artifact.digest,
      url: artifact.recordedOrigin, validator: receipt.validator)
    return FetchedFile(
      file: manifestFile(artifact, size: receipt.size, sha256: receipt.sha256),
      transferred: receipt.transferred)
  }

  private func copy(_ artifact: Artifact, from path: FilePath, to place: FilePath) async throws -> FetchedFile
  {
    do {
      let (size, sha256) = try await offload { () throws in
        try copyDurably(path, to: place, expecting: artifact.digest)
      }
      run.emit(.bytes(artifact.stage.rawValue, size))
      return record(artifact, at: place, size: size, sha256: sha256)
    } catch let error as FileError {
      throw LocalFileUnusable(path: path, place: place, reason: error.code)
    }
  }

  private func record(_ artifact: Artifact, at place: FilePath, size: Int64, sha256: Digest) -> FetchedFile {
    if artifact.isExecutable { chmod(place.string, 0o755) }
    run.verified.record(
      place, stage: artifact.stage, sha256: sha256, checked: artifact.digest, url: artifact.recordedOrigin)
    return FetchedFile(file: manifestFile(artifact, size: size, sha256: sha256), transferred: 0)
  }

  private func isWanted(_ entry: VerifiedFiles.Entry, for artifact: Artifact) async throws -> Bool {
    if artifact.url != nil || artifact.image != nil, artifact.digest == nil {
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
    case .local(let path, _):
      // A source that cannot be read is told when it is copied.
      return try? await digest(of: path, stage: artifact.stage)
    case .url, .image:
      guard let file = run.previous.file(artifact.path), file.url == artifact.recordedOrigin else {
        return nil
      }
      return file.sha256
    }
  }

  /// The digest of a local source, read once for as long as it does not change.
  private func digest(of path: FilePath, stage: StageName) async throws -> Digest {
    if let entry = run.verified.entry(for: path) { return entry.sha256 }
    let digest = try await offload { () throws in try Digest(ofFile: path) }
    run.verified.record(path, stage: stage, sha256: digest)
    return digest
  }

  private func manifestFile(_ artifact: Artifact, size: Int64, sha256: Digest) -> ManifestFile {
    ManifestFile(
      path: artifact.path, size: size, sha256: sha256, url: artifact.recordedOrigin, stage: artifact.stage,
      verification: artifact.verification)
  }
}

/// A local source that cannot be copied into the bundle.
struct LocalFileUnusable: Error, CustomStringConvertible {
  let path: FilePath
  let place: FilePath
  let reason: Errno

  var description: String {
    "\(path) cannot be copied to \(place): \(reason). Check both folders, then run the same command again."
  }
}

/// A server that answers "not modified" to a request that did not ask.
struct UnaskedAnswer: Error, CustomStringConvertible {
  let url: String

  var description: String {
    "\(url): the server sent no content, only that it has not changed. Use a mirror (mirrors:)."
  }
}
