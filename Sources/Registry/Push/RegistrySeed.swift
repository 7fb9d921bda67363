import Bundle
import Concurrency
import Files
import Integrity
import Synchronization
import SystemPackage

extension ImagePush {
  /// Places images directly into the storage folder of a registry that runs on this machine, its `rootdirectory`, and then
  /// asks it for every manifest. Many times faster than a push, because the registry itself need not take in and hash
  /// anything.
  ///
  /// Safe while the registry runs: content comes before what names it, the tag last. Where the folder cannot be written,
  /// or turns out not to be that registry's, the images are pushed over HTTP instead, which a ``PushEvent/note(_:)`` says.
  /// - Returns: What became of each image, in the order of the archives.
  /// - Throws: As ``push(_:)``; `FileLockError` when another run works on the folder.
  public func seed(_ archives: [FilePath], into storage: FilePath) async throws -> [PushResult] {
    try await seed(archives, names: [:], into: storage)
  }

  /// Places archives, those that have names here under these.
  func seed(
    _ archives: [FilePath], names: [FilePath: [ImageReference]], into storage: FilePath
  ) async throws -> [PushResult] {
    let folder: StorageFolder
    do {
      folder = try StorageFolder(storage)
    } catch {
      onEvent(
        .note("\(storage) cannot be written (\(FileError.reason(error))): the images are pushed over HTTP."))
      return try await push(archives, names: names, nil)
    }
    let lock = try FileLock(storage.appending(SeedRecord.name + ".lock"))
    defer { withExtendedLifetime(lock) {} }
    let client = try await client()
    guard try await serves(folder, client) else {
      onEvent(.note("\(target) does not serve \(storage): the images are pushed over HTTP."))
      return try await push(archives, names: names, nil)
    }
    let session = try await open(archives, names: names)
    let record = SeedRecord(in: storage)
    let seed = Seeding(session: session, client: client, folder: folder, record: record, onEvent: onEvent)
    await seed.place()
    try Task.checkCancellation()
    if record.isChanged { try await offload { try record.save() } }
    await forEachConcurrently(session.images.indices, limit: configuration.parallel) { index in
      await seed.check(index)
    } onResult: { _, _ in
    }
    try Task.checkCancellation()
    return sorted(session, archives)
  }

  /// Whether a registry serves a folder: it is asked for something that was just laid there, and is removed again.
  private func serves(_ folder: StorageFolder, _ client: PushClient) async throws -> Bool {
    let bytes = (0..<16).map { _ in UInt8.random(in: 0...255) }
    let blob = Descriptor(of: bytes, mediaType: .ociConfig)
    let name: ImageReference
    name = try ImageReference(registry: target.host, repository: "kubespray-offline-probe", tag: "probe")
    let repository = client.endpoint.repository(of: name)
    func remove() {
      // Those that a kill has left of earlier runs, too: the link came first, so it tells of the data.
      for digest in folder.layers(of: repository) {
        folder.remove(folder.data(digest))
        folder.remove(folder.layerLink(repository, digest))
      }
    }
    remove()
    defer { remove() }
    do {
      try folder.link(folder.layerLink(repository, blob.digest), to: blob.digest)
      try folder.write(folder.data(blob.digest)) { try $0.writeAll(bytes) }
    } catch {
      onEvent(.note("\(folder.root): \(error)."))
      return false
    }
    return try await client.has(blob, name)
  }
}

/// The work of ``ImagePush/seed(_:into:)``.
private final class Seeding: Sendable {
  /// More threads than that wait for the disk only.
  private static let threads = 4

  private let session: PushSession
  private let client: PushClient
  private let folder: StorageFolder
  private let record: SeedRecord
  private let onEvent: @Sendable (PushEvent) -> Void
  /// The images of which something was missing.
  private let changed = Mutex<Set<Int>>([])

  init(
    session: PushSession, client: PushClient, folder: StorageFolder, record: SeedRecord,
    onEvent: @escaping @Sendable (PushEvent) -> Void
  ) {
    self.session = session
    self.client = client
    self.folder = folder
    self.record = record
    self.onEvent = onEvent
  }

  /// Places all blobs, and each image's links when its last blob is there.
  func place() async {
    await forEachConcurrently(session.jobs(), limit: Self.threads) { job in
      await offload {
        var isThere = false
        for index in job.images where !self.session.isDone(index) {
          if Task.isCancelled { return }
          do {
            if !isThere, try self.place(job.blob, of: index) {
              self.changed.withLock { $0.formUnion(job.images) }
            }
            isThere = true
            if self.session.arrived(index) { try self.link(index) }
          } catch {
            self.session.finish(index, failed: self.explain(error))
          }
        }
      }
    } onResult: { _, _ in
    }
  }

  /// Asks the registry for an image that was placed.
  func check(_ index: Int) async {
    guard !session.isDone(index) else { return }
    let image = session.images[index]
    do throws(RegistryError) {
      for document in image.documents {
        let digest = document.descriptor.digest
        for name in Set([image.name(of: document), "\(digest)"]) {
          guard try await client.digest(of: name, image.destination) == digest else {
            throw RegistryError(
              .notServed, image: image.destination, at: client.endpoint,
              detail: "the registry does not serve \(name) though it lies in its folder \(folder.root)")
          }
        }
      }
      session.finish(index, changed.withLock { $0.contains(index) } ? .pushed(replaced: nil) : .present)
    } catch {
      session.finish(index, failed: error)
    }
  }

  /// Places a blob unless it is there; says whether it was written.
  private func place(_ blob: Descriptor, of index: Int) throws -> Bool {
    let path = folder.data(blob.digest)
    if folder.size(path) == blob.size, try record.contains(blob.digest) || isWhole(path, blob.digest) {
      onEvent(.skipped(blob.size))
      record.add(blob.digest)
      return false
    }
    let contents = session.images[index].contents
    let reader = try BlobReader(blob, in: contents.file(blob), of: contents.path) { [session] in
      session.count($0, for: index)
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    do {
      try folder.write(path) { file in
        while true {
          let count = try reader.read(into: buffer)
          if count == 0 { return }
          try file.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
      }
    } catch {
      reader.discard()
      throw error
    }
    record.add(blob.digest)
    return true
  }

  private func isWhole(_ path: FilePath, _ digest: Digest) throws -> Bool {
    try folder.digest(path, digest.algorithm) == digest
  }

  /// Makes all that names an image's blobs, the tag last.
  private func link(_ index: Int) throws {
    let image = session.images[index]
    let repository = client.endpoint.repository(of: image.destination)
    var isChanged = false
    func link(_ path: FilePath, _ digest: Digest) throws {
      if folder.target(of: path) == digest { return }
      isChanged = true
      try folder.link(path, to: digest)
    }
    for blob in image.image.blobs where !blob.isForeign {
      try link(folder.layerLink(repository, blob.digest), blob.digest)
    }
    for document in image.documents {
      let digest = document.descriptor.digest
      let path = folder.data(digest)
      if try folder.size(path) != Int64(document.bytes.count) || !isWhole(path, digest) {
        isChanged = true
        try folder.write(path) { try $0.writeAll(document.bytes) }
      }
      try link(folder.revisionLink(repository, digest), digest)
      guard let tag = image.attached(document)?.tag else { continue }
      let links = folder.tagLinks(repository, tag, digest)
      try link(links.index, digest)
      try link(links.current, digest)
    }
    if let tag = image.destination.tag {
      let links = folder.tagLinks(repository, tag, image.digest)
      let before = folder.target(of: links.current)
      session.note(index, replaces: before == image.digest ? nil : before)
      try link(links.index, image.digest)
      try link(links.current, image.digest)
    }
    if isChanged { changed.withLock { _ = $0.insert(index) } }
  }

  private func explain(_ error: any Error) -> any Error {
    (error as? Errno ?? (error as? FileError)?.code).map { StorageError(folder: folder.root, reason: $0) }
      ?? error
  }
}

/// The storage folder of a registry, or its disk, refused.
public struct StorageError: Error, CustomStringConvertible {
  /// The folder.
  public let folder: FilePath
  /// What the system says.
  public let reason: Errno

  /// The folder and what went wrong.
  public var description: String {
    reason == .noSpace ? "\(folder): the disk is full" : "\(folder): \(reason)"
  }
}
