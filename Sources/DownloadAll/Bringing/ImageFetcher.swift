import Bundle
import Concurrency
import Console
import Files
import Host
import Integrity
import Registry
import Settings
import SystemPackage
import Transfer

/// Brings images into the bundle: all blobs through one queue, those of the largest image first and each once, and an
/// archive as soon as its last blob is here.
struct ImageFetcher: Sendable {
  /// An image on its way.
  private struct Image: Sendable {
    let artifact: Artifact
    let content: ArchivedImage
    let lacking: [Platform]

    /// The digests of its blobs.
    var digests: [Digest] { content.blobs.map(\.digest) }
  }

  /// A blob, and the images that want it; any of their repositories may be asked.
  private struct Blob: Sendable {
    let descriptor: Descriptor
    var wantedBy: [ImageReference]
  }

  /// Something that came to its end.
  private enum Event: Sendable {
    case blob(Blob, Result<Int64, any Error>)
    case archive(Image, Result<ManifestFile, any Error>)
  }

  /// Packing is bound by the disk and one core; two at a time keep both busy.
  private static let packers = 2

  private let run: RunContext
  private let stage = StageName.images
  private let blobs: BlobCache
  private let items: Int
  private let wholeBytes: Int64

  /// - Parameters:
  ///   - items: How many files the stage wants in all.
  ///   - wholeBytes: The size of those that are in the bundle already, in bytes.
  init(run: RunContext, items: Int, wholeBytes: Int64) {
    self.run = run
    self.items = items
    self.wholeBytes = wholeBytes
    blobs = BlobCache(cache: run.configuration.cache)
  }

  /// Fetches images that are not in the bundle.
  ///
  /// - Parameter note: Called with each finished image.
  /// - Throws: ``NotEnoughSpace``, `Errno`, or `CancellationError`. Failures of single images are noted.
  func fetch(_ artifacts: [Artifact], note: (Artifact, Result<FetchedFile, any Error>) -> Void) async throws {
    var configurations: [Digest: [UInt8]] = [:]
    let images = await resolve(artifacts, &configurations, note: note)
    try Task.checkCancellation()
    guard !images.isEmpty else { return }
    try blobs.keep(configurations)
    for image in images { blobs.retain(image.digests) }
    let missing = await missingBlobs(images)
    let room = missing.map { max(0, $0.descriptor.size - blobs.partSize($0.descriptor)) }.reduce(0, +)
    // Archives beside the blobs they are made of.
    let needed = images.map { ($0.artifact.path, $0.content.totalSize) }
    let reservation = try run.space.take(needed + [(try BundlePath("images/blobs"), room)])
    defer { reservation.release() }
    let bytes = missing.reduce(0) { $0 + $1.descriptor.size }
    run.emit(.stageTotals(stage.rawValue, items: items, bytes: wholeBytes + bytes))
    try run.previous.markUnfinished()
    try createDirectories(run.configuration.outputs.appending("images"))
    await bring(images, missing, note: note)
    try Task.checkCancellation()
  }

  private func resolve(
    _ artifacts: [Artifact], _ configurations: inout [Digest: [UInt8]],
    note: (Artifact, Result<FetchedFile, any Error>) -> Void
  ) async -> [Image] {
    var names = ImagePlan(
      strippedRegistries: run.configuration.registry.stripped)
    var images: [Image] = []
    await forEachConcurrently(artifacts, limit: run.configuration.transfer.parallel) { artifact in
      await Result { try await run.images.content(of: artifact) }
    } onResult: { artifact, result in
      do {
        let image = try result.get()
        // A tag, and the same tag with the digest of its index, are one image.
        try names.bind(image.content.reference, to: image.served)
        if let warning = image.warning { run.say(.warning, warning, stage: stage) }
        images.append(Image(artifact: artifact, content: image.content, lacking: image.lacking))
        configurations.merge(image.configurations) { first, _ in first }
      } catch {
        note(artifact, .failure(listed(error, artifact)))
      }
    }
    return images
  }

  private func missingBlobs(_ images: [Image]) async -> [Blob] {
    var queue: [Blob] = []
    var places: [Digest: Int] = [:]
    let left = await blobs.left(of: Set(images.flatMap(\.content.blobs)))
    // Image by image, so that archives are packed, and blobs gone, while others still arrive; large ones first, so that
    // no large blob is left alone at the end.
    for image in images.sorted(by: { $0.content.totalSize > $1.content.totalSize }) {
      let wanted = image.content.blobs.filter { !left.contains($0.digest) }
      for descriptor in wanted.sorted(by: { $0.size > $1.size }) {
        if let place = places[descriptor.digest] {
          queue[place].wantedBy.append(image.content.reference)
        } else {
          places[descriptor.digest] = queue.count
          queue.append(Blob(descriptor: descriptor, wantedBy: [image.content.reference]))
        }
      }
    }
    return queue
  }

  private func bring(
    _ images: [Image], _ missing: [Blob], note: (Artifact, Result<FetchedFile, any Error>) -> Void
  ) async {
    var queue = missing[...]
    var progress = ImageProgress(
      images: images.map(\.digests), missing: Set(missing.map(\.descriptor.digest)))
    var ready = progress.complete[...]
    var fetching = 0
    var packing = 0
    await withTaskGroup(of: Event.self) { group in
      func start() {
        guard !Task.isCancelled else { return }
        while fetching < run.configuration.transfer.parallel * 2, let blob = queue.popFirst() {
          fetching += 1
          group.addTask { .blob(blob, await Result { try await fetch(blob) }) }
        }
        while packing < Self.packers, let index = ready.popFirst() {
          packing += 1
          group.addTask { .archive(images[index], await Result { try await pack(images[index]) }) }
        }
      }
      start()
      while let event = await group.next() {
        switch event {
        case .blob(let blob, .success(let bytes)):
          fetching -= 1
          progress.transferred += bytes
          ready += progress.arrived(blob.descriptor.digest)
        case .blob(let blob, .failure(let error)):
          fetching -= 1
          for index in progress.failed(blob.descriptor.digest) {
            note(images[index].artifact, .failure(listed(error, images[index].artifact)))
          }
        case .archive(let image, let result):
          packing -= 1
          let bytes = progress.takeTransferred()
          note(
            image.artifact,
            result.map { FetchedFile(file: $0, transferred: bytes) }.mapError { listed($0, image.artifact) })
        }
        start()
      }
    }
  }

  private func fetch(_ blob: Blob) async throws -> Int64 {
    let stage = stage.rawValue
    let (emit, rate) = (run.emit, run.rate)
    rate.begin()
    let missing = blob.descriptor.size - blobs.partSize(blob.descriptor)
    var last: (any Error)?
    for reference in blob.wantedBy {
      do {
        try await run.images.client.download(
          blob.descriptor, of: reference, to: blobs.place(blob.descriptor.digest), isDurable: false
        ) { event in
          switch event {
          case .resumed(let bytes): emit(.bytes(stage, bytes))
          case .received(let bytes):
            emit(.bytes(stage, bytes))
            rate.note(bytes)
          case .discarded(let bytes): emit(.bytes(stage, -bytes))
          case .retrying(let error, let pause):
            let text = "\(reference): \(error.detail); next attempt in \(DurationText.format(pause))"
            emit(.message(.warning, text, stage: stage))
          }
        }
        return missing
      } catch {
        // Another repository that has the same blob may be readable.
        guard [.notFound, .unauthorized, .denied].contains(error.kind) else { throw error }
        last = error
      }
    }
    throw last ?? Errno.noSuchFileOrDirectory
  }

  private func pack(_ image: Image) async throws -> ManifestFile {
    let place = run.place(image.artifact.path)
    let cache = blobs
    let archive = try await offload { () throws in
      try ImageArchiveWriter.write(image.content, blobs: { cache.place($0) }, to: place)
    }
    blobs.release(image.digests)
    let origin = image.artifact.recordedOrigin
    run.verified.record(place, stage: stage, sha256: archive.sha256, url: origin)
    var file = image.content.manifestFile(image.artifact, size: archive.size, sha256: archive.sha256)
    if !image.lacking.isEmpty { file.image?.lacking = image.lacking.map(\.description) }
    return file
  }

  /// The error with the line of the list that asked for the image.
  private func listed(_ error: any Error, _ artifact: Artifact) -> any Error {
    guard let listing = artifact.listing, !(error is CancellationError) else { return error }
    return ListedImageError(error: error, listing: listing)
  }
}

/// Which images still wait for which blobs.
struct ImageProgress {
  /// Bytes that came over the network and are not yet told.
  var transferred: Int64 = 0
  /// The images, by index, that have all they need from the start.
  private(set) var complete: [Int] = []
  private var missing: [Set<Digest>]
  private var hasFailed: Set<Int> = []

  init(images: [[Digest]], missing: Set<Digest>) {
    self.missing = images.map { missing.intersection($0) }
    complete = self.missing.indices.filter { self.missing[$0].isEmpty }
  }

  /// Notes that a blob is here.
  ///
  /// - Returns: The images that now have all.
  mutating func arrived(_ digest: Digest) -> [Int] {
    missing.indices.filter { index in
      missing[index].remove(digest) != nil && missing[index].isEmpty && !hasFailed.contains(index)
    }
  }

  /// Notes that a blob cannot be had.
  ///
  /// - Returns: The images that fail by that, each told once.
  mutating func failed(_ digest: Digest) -> [Int] {
    missing.indices.filter { missing[$0].contains(digest) && hasFailed.insert($0).inserted }
  }

  /// The bytes since the last call.
  mutating func takeTransferred() -> Int64 {
    defer { transferred = 0 }
    return transferred
  }
}

/// An image that could not be had, and who asks for it.
struct ListedImageError: Error, CustomStringConvertible {
  let error: any Error
  let listing: String

  var description: String { "\(error) Listed in \(listing)." }
}

extension ArchivedImage {
  /// The sum of what its archive holds, in bytes.
  var totalSize: Int64 {
    (blobs + manifests.map(\.descriptor)).reduce(0) { $0 + $1.size }
  }

  /// The manifest's line for the archive of this image.
  func manifestFile(_ artifact: Artifact, size: Int64, sha256: Digest) -> ManifestFile {
    var file = ManifestFile(
      path: artifact.path, size: size, sha256: sha256, url: artifact.recordedOrigin, stage: artifact.stage,
      verification: artifact.verification)
    file.image = manifestImage
    return file
  }

  /// What the manifest says of this image.
  var manifestImage: ManifestImage {
    ManifestImage(
      reference: reference, digest: descriptor.digest,
      platforms: manifests.compactMap { $0.descriptor.platform?.description },
      layers: contents.reduce(0) { $0 + $1.layers.count })
  }
}
