import Bundle
import Concurrency
import Integrity
import Synchronization
import SystemPackage
import Transfer

/// Brings image archives into a registry, straight from their files and with the digests they have.
///
/// What the registry has is not sent: a tag that stands for the image already costs a question for each manifest. A blob
/// that several images have is sent once. Each byte is proved while it is read, or before; an image gets its tag when all
/// of it is there, and with ``PushConfiguration/prove`` when all archives were proved. One image's failure does not stop the
/// others.
public final class ImagePush: Sendable {
  let target: PushTarget
  let engine: TransferEngine
  let credentials: RegistryCredentials
  let configuration: PushConfiguration
  let onEvent: @Sendable (PushEvent) -> Void
  /// A repository of the registry for each blob that is known to be there.
  private let places = Mutex<[Digest: String]>([:])

  /// A push into a registry; nothing is asked yet.
  ///
  /// The engine's limit on requests to one host should be at least ``PushConfiguration/parallel``; its certificate
  /// authorities are the ones that are believed.
  public init(
    target: PushTarget, engine: TransferEngine, credentials: RegistryCredentials = .none,
    configuration: PushConfiguration, onEvent: @escaping @Sendable (PushEvent) -> Void = { _ in }
  ) {
    self.target = target
    self.engine = engine
    self.credentials = credentials
    self.configuration = configuration
    self.onEvent = onEvent
  }

  /// Pushes archives over HTTP.
  ///
  /// - Returns: What became of each image, in the order of the archives.
  /// - Throws: ``PushCollision`` before anything is sent; ``ArchivesRefused`` before anything of them can be pulled;
  ///   ``RegistryError`` when the registry cannot be asked at all; `CancellationError`.
  public func push(_ archives: [FilePath]) async throws -> [PushResult] {
    try await push(archives, names: [:], nil)
  }

  /// Pushes archives, those that have names here under these.
  func push(
    _ archives: [FilePath], names: [FilePath: [ImageReference]], _ known: PushClient?
  ) async throws -> [PushResult] {
    let session = try await open(archives, names: names)
    let client = if let known { known } else { try await client() }
    for (blob, place) in places.withLock({ $0 }) { session.note(blob, isIn: place) }
    try await findPresent(session, client)
    let jobs = session.jobs()
    let proofs = ArchiveProofs(of: session.archives(of: jobs), by: configuration.prove)
    defer { proofs.cancel() }
    await bring(jobs, session, client, proofs)
    places.withLock { $0 = session.knownPlaces }
    try Task.checkCancellation()
    try await proofs.finish()
    await forEachConcurrently(session.complete, limit: configuration.parallel) { index in
      await self.name(index, session, client)
    } onResult: { _, _ in
    }
    try Task.checkCancellation()
    return sorted(session, archives)
  }

  /// Reads what the archives hold; those that cannot be read are failures.
  func open(
    _ archives: [FilePath], names: [FilePath: [ImageReference]] = [:]
  ) async throws -> PushSession {
    let (target, configuration) = (target, configuration)
    var opened: [FilePath: Result<PushImage.Opened, any Error>] = [:]
    let proofs = ArchiveProofs(of: archives, by: configuration.prove)
    await forEachConcurrently(archives, limit: 4) { path in
      let result = await offload {
        Result {
          try PushImage.open(path, target: target, configuration: configuration, names: names[path] ?? [])
        }
      }
      // An archive that is not the one that was made is a better reason than what cannot be read of it.
      if case .failure = result { try? await proofs.wait(for: path, alone: true) }
      return result
    } onResult: { path, result in
      opened[path] = result
    }
    try Task.checkCancellation()
    try await proofs.finish()
    let images = try leavingTags(archives.compactMap { try? opened[$0]?.get() }.flatMap(\.images))
    try refuseCollisions(images)
    let session = PushSession(images, onEvent: onEvent)
    for path in archives {
      switch opened[path] {
      case .failure(let error): session.finish(path, failed: error)
      case .success(let found): for error in found.failures { session.finish(path, failed: error) }
      case nil: break
      }
    }
    return session
  }

  /// What has a tag and a digest is asked for by its digest, so another image of that tag has a better right to it.
  private func leavingTags(_ images: [PushImage]) throws(ImageReferenceError) -> [PushImage] {
    var digests: [String: Set<Digest>] = [:]
    func name(_ image: PushImage) -> String? {
      image.destination.tag.map { "\(image.destination.repository):\($0)" }
    }
    for image in images { if let name = name(image) { digests[name, default: []].insert(image.digest) } }
    var result: [PushImage] = []
    for image in images {
      let isContested =
        image.destination.digest != nil && name(image).map { (digests[$0]?.count ?? 0) > 1 } ?? false
      result.append(isContested ? try image.withoutTag() : image)
    }
    return result
  }

  private func refuseCollisions(_ images: [PushImage]) throws(PushCollision) {
    for (name, same) in Dictionary(grouping: images, by: { "\($0.destination)" }).sorted(by: {
      $0.key < $1.key
    }) {
      guard let first = same.first, let other = same.first(where: { $0.digest != first.digest }) else {
        continue
      }
      throw PushCollision(
        destination: name, images: [first, other].map { ($0.image.reference, $0.contents.path) })
    }
  }

  /// Finds the images that the registry has.
  private func findPresent(_ session: PushSession, _ client: PushClient) async throws {
    let failure = Mutex<(any Error)?>(nil)
    await forEachConcurrently(session.images.indices, limit: configuration.parallel) { index in
      guard failure.withLock({ $0 }) == nil else { return }
      do throws(RegistryError) {
        try await self.lookUp(index, session, client)
      } catch {
        switch error.kind {
        case .transfer(.status): session.finish(index, failed: error)
        case .transfer, .credentials, .rateLimited: failure.withLock { $0 = $0 ?? error }
        default: session.finish(index, failed: error)
        }
      }
    } onResult: { _, _ in
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  private func lookUp(_ index: Int, _ session: PushSession, _ client: PushClient) async throws(RegistryError)
  {
    let image = session.images[index]
    guard let last = image.documents.last else { return }
    let digest = try await client.digest(of: image.name(of: last), image.destination)
    guard digest == image.digest else {
      session.note(index, replaces: digest)
      return
    }
    for document in image.documents.dropLast() {
      let digest = document.descriptor.digest
      guard try await client.digest(of: "\(digest)", image.destination) == digest else { return }
    }
    for blob in image.image.blobs {
      session.note(blob.digest, isIn: client.endpoint.repository(of: image.destination))
    }
    session.finish(index, .present)
  }

  /// Brings all blobs through one queue, and each image's manifests when its last blob is there and nothing is to be proved.
  private func bring(
    _ jobs: [PushSession.Job], _ session: PushSession, _ client: PushClient, _ proofs: ArchiveProofs
  ) async {
    await forEachConcurrently(jobs, limit: configuration.parallel) { job in
      for (number, index) in job.images.enumerated() {
        guard !Task.isCancelled, !proofs.isRefused else { return }
        if session.isDone(index) { continue }
        do {
          try await self.bring(job.blob, for: index, isFirst: number == 0, session, client, proofs)
        } catch {
          session.finish(index, failed: error)
        }
      }
    } onResult: { _, _ in
    }
  }

  private func bring(
    _ blob: Descriptor, for index: Int, isFirst: Bool, _ session: PushSession, _ client: PushClient,
    _ proofs: ArchiveProofs
  ) async throws {
    try client.checkReachable()
    let image = session.images[index]
    let repository = client.endpoint.repository(of: image.destination)
    let source = session.place(of: blob.digest)
    if source != repository {
      let upload = BlobUpload(client: client, blob: blob, destination: image.destination)
      let outcome = try await upload.run(mountingFrom: source) {
        try await proofs.wait(for: image.contents.path)
        return try BlobReader(
          blob, in: image.contents.file(blob), of: image.contents.path,
          isProved: self.configuration.archivesAreProved
        ) {
          session.count($0, for: index)
        }
      }
      if outcome != .sent, isFirst { onEvent(.skipped(blob.size)) }
      session.note(blob.digest, isIn: repository)
    }
    if session.arrived(index), configuration.prove == nil { await name(index, session, client) }
  }

  /// Pushes the manifests and the tag of an image whose blobs are all there.
  private func name(_ index: Int, _ session: PushSession, _ client: PushClient) async {
    do throws(RegistryError) {
      session.finish(
        index, .pushed(replaced: nil), remark: try await pushDocuments(of: index, session, client))
    } catch {
      session.finish(index, failed: error)
    }
  }

  /// Pushes manifests before the indexes that name them, and the tag with the last.
  private func pushDocuments(
    of index: Int, _ session: PushSession, _ client: PushClient
  ) async throws(RegistryError) -> String? {
    let image = session.images[index]
    let remark = try await pushAttached(image, client)
    for document in image.documents where image.attached(document) == nil {
      do throws(RegistryError) {
        try await put(document, of: image, client)
      } catch {
        guard case .index = document.content, let main = image.image.manifests.first,
          error.code == "MANIFEST_BLOB_UNKNOWN" || error.code == "MANIFEST_UNKNOWN"
        else { throw error }
        let reason = "the registry takes no index whose other platforms are missing, so"
        guard let tag = image.destination.tag else {
          return
            "\(reason) the image is there as \(main.descriptor.digest), and a pull by \(image.digest) fails"
        }
        try await client.put(main, as: tag, image.destination)
        return "\(reason) the tag stands for "
          + "\(main.descriptor.digest), and a pull by \(image.digest) fails"
      }
    }
    return remark
  }

  /// Puts a manifest. Registries with several machines may not know yet what another one of them has just taken.
  private func put(
    _ document: FetchedManifest, of image: PushImage, _ client: PushClient
  ) async throws(RegistryError) {
    let carried = Set(image.documents.map(\.descriptor.digest))
    let isWhole =
      switch document.content {
      case .manifest: true
      case .index(let index): index.manifests.allSatisfy { carried.contains($0.digest) }
      }
    var failures = 0
    while true {
      do throws(RegistryError) {
        return try await client.put(document, as: image.name(of: document), image.destination)
      } catch {
        let unknown = ["BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"]
        guard isWhole, let code = error.code, unknown.contains(code), failures < min(3, configuration.retries)
        else { throw error }
        failures += 1
        let pause = min(configuration.maximumBackoff, configuration.backoff * (1 << failures))
        guard (try? await Task.sleep(for: pause)) != nil else { throw error }
      }
    }
  }

  /// Pushes signatures and what else is about an image. Not every registry takes them, and the image runs without.
  private func pushAttached(_ image: PushImage, _ client: PushClient) async throws(RegistryError) -> String? {
    var refused: [String] = []
    for attached in image.image.attached {
      let name = attached.tag ?? "\(attached.manifest.descriptor.digest)"
      do throws(RegistryError) {
        if case .index = attached.manifest.content, attached.tag != nil,
          try await client.digest(of: name, image.destination) != nil
        {
          // The registry's list may have more, which others have put there.
          continue
        }
        try await client.put(attached.manifest, as: name, image.destination)
      } catch {
        switch error.kind {
        case .transfer, .credentials, .credentialsRefused, .rateLimited, .diskFull: throw error
        default: refused.append("\(name): \(error.detail)")
        }
      }
    }
    return refused.isEmpty
      ? nil : "the registry does not take what is about the image: \(refused.joined(separator: "; "))"
  }

  func sorted(_ session: PushSession, _ archives: [FilePath]) -> [PushResult] {
    let order = Dictionary(archives.enumerated().map { ($1, $0) }) { first, _ in first }
    return session.results.sorted {
      (order[$0.archive] ?? 0, $0.destination ?? "") < (order[$1.archive] ?? 0, $1.destination ?? "")
    }
  }
}
