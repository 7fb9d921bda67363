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

/// Pulls images: all blobs through one queue, those of the largest image first and each once, and an archive as soon
/// as its last blob is here.
struct ImageBringer: Bringer {
  /// An image on its way.
  private struct Image: Sendable {
    let artifact: Artifact
    let source: SourcedImage

    var content: ArchivedImage { source.content }
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

  let record: BundleRecord
  let images: ImageSource
  let blobs: BlobCache
  let progress: TransferProgress
  /// How many connections there are at a time.
  let parallel: Int
  /// The hosts that images lose when they are pushed.
  let strippedRegistries: Set<String>

  func brings(_ source: Artifact.Source) -> Bool {
    if case .image = source { true } else { false }
  }

  func inquire(about artifacts: [Artifact], asksHosts: Bool) async -> Inquiry {
    var inquiry = Inquiry()
    var wanted: [Digest: Descriptor] = [:]
    await forEachConcurrently(artifacts, limit: parallel) { artifact in
      await Result { try await images.source(of: artifact) }
    } onResult: { artifact, result in
      let registry = artifact.pulledImage?.registry ?? ""
      inquiry.hosts[artifact.path] = registry
      switch result {
      case .success(let image):
        inquiry.reached.insert(registry)
        let size = image.content.totalSize
        inquiry.sizes[artifact.path] = size
        inquiry.room.append((artifact.path, size))
        inquiry.remote = ByteSize.sum(inquiry.remote, size)
        for blob in image.content.blobs { wanted[blob.digest] = blob }
        inquiry.warnings += image.warnings
      case .failure(let error as RegistryError):
        if case .transfer(let kind) = error.kind, kind.isAboutTheHost {
          inquiry.unreached[registry] = Problem(unreachable: registry, error.detail, error)
        } else {
          inquiry.reached.insert(registry)
        }
      case .failure: break
      }
    }
    // Archives lie beside the blobs they are made of.
    let missing = wanted.values.filter { !blobs.has($0) }
    if let place = try? BundlePath("images/blobs") {
      inquiry.room.append((place, missing.byteSum { max(0, $0.size - blobs.partSize($0)) }))
    }
    inquiry.transfer = missing.byteSum(of: \.size)
    return inquiry
  }

  func bring(
    _ artifacts: [Artifact], _ inquiry: Inquiry, note: (Artifact, Result<FetchedFile, any Error>) -> Void
  ) async throws {
    var configurations: [Digest: [UInt8]] = [:]
    let images = await resolve(artifacts, &configurations, note: note)
    try Task.checkCancellation()
    guard !images.isEmpty else { return }
    try await blobs.keep(configurations)
    for image in images { blobs.retain(image.digests) }
    let missing = await missingBlobs(images)
    try createDirectories(record.outputs.appending("images"))
    await bring(images, missing, note: note)
  }

  private func resolve(
    _ artifacts: [Artifact], _ configurations: inout [Digest: [UInt8]],
    note: (Artifact, Result<FetchedFile, any Error>) -> Void
  ) async -> [Image] {
    var names = ImagePlan(strippedRegistries: strippedRegistries)
    var found: [Image] = []
    await forEachConcurrently(artifacts, limit: parallel) { artifact in
      await Result { try await images.source(of: artifact) }
    } onResult: { artifact, result in
      do {
        let image = try result.get()
        // A tag, and the same tag with the digest of its index, are one image.
        try names.bind(image.content.reference, to: image.served)
        found.append(Image(artifact: artifact, source: image))
        configurations.merge(image.configurations) { first, _ in first }
      } catch {
        note(artifact, .failure(listed(error, artifact)))
      }
    }
    return found
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
    var waiting = ImageProgress(
      images: images.map(\.digests), missing: Set(missing.map(\.descriptor.digest)))
    var ready = waiting.complete[...]
    var fetching = 0
    var packing = 0
    await withTaskGroup(of: Event.self) { group in
      func start() {
        guard !Task.isCancelled else { return }
        while fetching < parallel * 2, let blob = queue.popFirst() {
          // A manifest may name thousands of blobs, the first of which is missing.
          guard waiting.isWanted(blob.descriptor.digest) else { continue }
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
          waiting.transferred += bytes
          ready += waiting.arrived(blob.descriptor.digest)
        case .blob(let blob, .failure(let error)):
          fetching -= 1
          for index in waiting.failed(blob.descriptor.digest) {
            note(images[index].artifact, .failure(listed(error, images[index].artifact)))
          }
        case .archive(let image, let result):
          packing -= 1
          let bytes = waiting.takeTransferred()
          note(
            image.artifact,
            result.map { FetchedFile(file: $0, transferred: bytes) }.mapError { listed($0, image.artifact) })
        }
        start()
      }
    }
  }

  private func fetch(_ blob: Blob) async throws -> Int64 {
    let missing = blob.descriptor.size - blobs.partSize(blob.descriptor)
    var last: (any Error)?
    for reference in blob.wantedBy {
      do {
        try await images.client.download(
          blob.descriptor, of: reference, to: blobs.place(blob.descriptor.digest), isDurable: false,
          onEvent: progress.events(of: .images, named: "\(reference)"))
        return missing
      } catch {
        // Another repository that has the same blob may be readable.
        guard [.notFound, .unauthorized, .credentialsRefused, .denied].contains(error.kind) else {
          throw error
        }
        last = error
      }
    }
    throw last ?? Errno.noSuchFileOrDirectory
  }

  private func pack(_ image: Image) async throws -> ManifestFile {
    let place = record.place(image.artifact)
    let archive = try await offload { [blobs] () throws in
      try ImageArchiveWriter.write(image.content, blobs: { blobs.place($0) }, to: place)
    }
    blobs.release(image.digests)
    record.verified.record(
      place, stage: image.artifact.stage, sha256: archive.sha256, url: image.artifact.recordedOrigin,
      validator: image.source.served.description)
    var described = image.content.manifestImage
    // An archive without any says nothing of whether the registry was asked.
    if described.attached == nil, image.source.isAskedForAttached { described.attached = [] }
    described.noteServed(image.source.served)
    if !image.source.lacking.isEmpty { described.lacking = image.source.lacking.map(\.description) }
    return image.artifact.manifestFile(size: archive.size, sha256: archive.sha256, image: described)
  }

  /// The error with the line of the list that asked for the image.
  private func listed(_ error: any Error, _ artifact: Artifact) -> any Error {
    guard let listing = artifact.listing, !(error is CancellationError) else { return error }
    return ListedImageError(error: error, listing: listing)
  }
}

/// An image that could not be had, and who asks for it.
struct ListedImageError: Error, CustomStringConvertible {
  let error: any Error
  let listing: String

  var description: String { "\(error), listed in \(listing)" }
}

extension ManifestImage {
  /// Notes what the registry served, unless the archive holds just that.
  mutating func noteServed(_ digest: Digest) { served = digest == self.digest ? nil : digest }
}

extension ArchivedImage {
  /// The sum of what its archive holds, in bytes.
  var totalSize: Int64 {
    (blobs + (manifests + attached.map(\.manifest)).map(\.descriptor)).byteSum(of: \.size)
  }

  /// What the manifest says of this image.
  var manifestImage: ManifestImage {
    var image = ManifestImage(
      reference: reference, digest: descriptor.digest,
      platforms: manifests.compactMap { $0.descriptor.platform?.description },
      layers: contents.flatMap(\.layers).count)
    image.blobs = blobs.map(\.digest)
    guard !attached.isEmpty else { return image }
    image.attached = attached.map {
      ManifestAttached(
        digest: $0.manifest.descriptor.digest, type: $0.type, tag: $0.tag, isSignature: $0.isSignature)
    }
    return image
  }
}
