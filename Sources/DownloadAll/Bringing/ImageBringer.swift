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

/// Pulls images: all blobs through one queue, those of the largest image first and each once, straight to its place in the
/// archive of the first image that wants it. An archive is completed as soon as its last blob is here; what others have
/// already, it gets from them.
struct ImageBringer: Bringer {
  /// An image on its way.
  private struct Image: Sendable {
    let artifact: Artifact
    let source: SourcedImage
    let archive: PartialArchive
    /// How many bytes of which blobs an earlier run left in its archive.
    let remains: [Digest: Int64]

    var content: ArchivedImage { source.content }
  }

  /// A blob, and the images, by index, that want it; any of their repositories may be asked.
  private struct Blob: Sendable {
    let descriptor: Descriptor
    var wantedBy: [Int]
  }

  /// Something that came to its end.
  private enum Event: Sendable {
    case blob(Blob, of: Int, Result<Int64, any Error>)
    case archive(Image, Result<ManifestFile, any Error>)
  }

  /// Completing is bound by the disk and one core; two at a time keep both busy.
  private static let packers = 2

  let record: BundleRecord
  let images: ImageSource
  let held: HeldBlobs
  let archives: ImagesOnTheirWay
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
    var present: [Digest: Int64] = [:]
    var planned: Int64 = 0
    let available = (try? FileSystemSpace.at(record.outputs).availableBytes) ?? 0
    await forEachConcurrently(artifacts, limit: parallel) { artifact in
      await Result { try await images.source(of: artifact) }
    } onResult: { artifact, result in
      let registry = artifact.pulledImage?.registry ?? ""
      inquiry.hosts[artifact.path] = registry
      switch result {
      case .success(let image):
        inquiry.reached.insert(registry)
        inquiry.sizes[artifact.path] = image.content.totalSize
        inquiry.warnings += image.warnings
        // A plan grows with the archive, and anybody can write a size into a manifest: what has no room is not planned.
        planned = ByteSize.sum(planned, image.content.totalSize)
        guard planned <= available, let archive = try? archives.archive(of: artifact, image.content) else {
          inquiry.room.append((artifact.path, image.content.totalSize))
          break
        }
        let remains = archive.remains()
        inquiry.room.append((artifact.path, archive.size - remains.values.byteSum(of: \.self)))
        present.merge(remains, uniquingKeysWith: max)
        for blob in archive.blobs where image.configurations[blob.digest] == nil {
          wanted[blob.digest] = blob
        }
      case .failure(let error as RegistryError):
        if case .transfer(let kind) = error.kind, kind.isAboutTheHost {
          inquiry.unreached[registry] = Problem(unreachable: registry, error.detail, error)
        } else {
          inquiry.reached.insert(registry)
        }
      case .failure: break
      }
    }
    inquiry.transfer = wanted.values.byteSum(of: \.size)
    inquiry.remote = wanted.values.filter { held.archive(of: $0.digest) == nil }
      .byteSum { $0.size - present[$0.digest, default: 0] }
    return inquiry
  }

  func bring(
    _ artifacts: [Artifact], _ inquiry: Inquiry, note: (Artifact, Result<FetchedFile, any Error>) -> Void
  ) async throws {
    var configurations: [Digest: [UInt8]] = [:]
    let images = await resolve(artifacts, &configurations, note: note)
    try Task.checkCancellation()
    guard !images.isEmpty else { return }
    try createDirectories(record.outputs.appending("images"))
    await bring(images, blobs(of: images, but: Set(configurations.keys)), configurations, note: note)
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
        let archive = try archives.archive(of: artifact, image.content)
        found.append(
          Image(artifact: artifact, source: image, archive: archive, remains: archive.remains()))
        configurations.merge(image.configurations) { first, _ in first }
      } catch {
        note(artifact, .failure(listed(error, artifact)))
      }
    }
    return found.sorted { $0.content.totalSize > $1.content.totalSize }
  }

  /// The blobs that are not in memory. Image by image, so that archives are complete while others still arrive; large ones
  /// first, so that no large blob is left alone at the end.
  private func blobs(of images: [Image], but inMemory: Set<Digest>) -> [Blob] {
    var queue: [Blob] = []
    var places: [Digest: Int] = [:]
    for (index, image) in images.enumerated() {
      let wanted = image.archive.blobs.filter { !inMemory.contains($0.digest) }
      for descriptor in wanted.sorted(by: { $0.size > $1.size }) {
        if let place = places[descriptor.digest] {
          queue[place].wantedBy.append(index)
        } else {
          places[descriptor.digest] = queue.count
          queue.append(Blob(descriptor: descriptor, wantedBy: [index]))
        }
      }
    }
    // It goes on where most of it is.
    for place in queue.indices {
      let digest = queue[place].descriptor.digest
      let remains = { (index: Int) in images[index].remains[digest, default: 0] }
      guard let best = queue[place].wantedBy.max(by: { remains($0) < remains($1) }), remains(best) > 0 else {
        continue
      }
      queue[place].wantedBy.removeAll { $0 == best }
      queue[place].wantedBy.insert(best, at: 0)
    }
    return queue
  }

  private func bring(
    _ images: [Image], _ blobs: [Blob], _ configurations: [Digest: [UInt8]],
    note: (Artifact, Result<FetchedFile, any Error>) -> Void
  ) async {
    var queue = blobs[...]
    var waiting = ImageProgress(
      images: images.map { $0.archive.blobs.map(\.digest) }, missing: Set(blobs.map(\.descriptor.digest)))
    var ready = waiting.complete[...]
    /// The archive that has a blob.
    var homes: [Digest: PartialArchive] = [:]
    var fetching = 0
    var packing = 0
    await withTaskGroup(of: Event.self) { group in
      func start() {
        guard !Task.isCancelled else { return }
        while fetching < parallel * 2, let blob = queue.popFirst() {
          // A manifest may name thousands of blobs, the first of which is missing.
          guard let home = waiting.first(of: blob.wantedBy, waitingFor: blob.descriptor.digest) else {
            continue
          }
          fetching += 1
          let references = blob.wantedBy.map { images[$0].content.reference }
          group.addTask {
            .blob(
              blob, of: home,
              await Result { try await fetch(blob.descriptor, into: images[home].archive, of: references) })
          }
        }
        while packing < Self.packers, let index = ready.popFirst() {
          packing += 1
          let needed = Set(images[index].archive.blobs.map(\.digest))
          let others = needed.reduce(into: [:]) { $0[$1] = homes[$1] }
          group.addTask {
            .archive(
              images[index], await Result { try await complete(images[index], from: others, configurations) })
          }
        }
      }
      start()
      while let event = await group.next() {
        switch event {
        case .blob(let blob, let home, .success(let bytes)):
          fetching -= 1
          homes[blob.descriptor.digest] = images[home].archive
          waiting.transferred += bytes
          ready += waiting.arrived(blob.descriptor.digest)
        case .blob(let blob, _, .failure(let error)):
          fetching -= 1
          for index in waiting.failed(blob.descriptor.digest) {
            images[index].archive.rest()
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

  /// Brings a blob to its place in an archive.
  ///
  /// - Parameter references: The images that have it.
  /// - Returns: How many bytes came over the network.
  private func fetch(
    _ blob: Descriptor, into archive: PartialArchive, of references: [ImageReference]
  ) async throws -> Int64 {
    let (place, isFilled) = try await offload { () throws in
      let place = try archive.place(of: blob.digest)
      // A part may be of a copy that a kill has cut off.
      return (place, blob.size > place.kept && held.fill(place, with: blob))
    }
    let missing = blob.size - place.kept
    if isFilled {
      progress.emit(.bytes(StageName.images.rawValue, blob.size))
      return 0
    }
    var last: (any Error)?
    for reference in references {
      do {
        try await images.client.download(
          blob, of: reference, into: place, onEvent: progress.events(of: .images, named: "\(reference)"))
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

  /// Completes an archive.
  ///
  /// - Parameter others: Where the blobs are that it does not have.
  private func complete(
    _ image: Image, from others: [Digest: PartialArchive], _ configurations: [Digest: [UInt8]]
  ) async throws -> ManifestFile {
    let place = record.place(image.artifact)
    let archive = try await offload { () throws in
      try image.archive.complete { blob, place in
        if let bytes = configurations[blob.digest] {
          try place.fill(from: image.archive.destination) { take in try bytes.withUnsafeBytes(take) }
        } else if let other = others[blob.digest] {
          try place.fill(from: other)
        }
      }
    }
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
