import Archive
import Bundle
import Integrity
import SystemPackage

/// An image in an archive, on its way into a registry.
struct PushImage: Sendable {
  let contents: ArchiveContents
  let image: ArchivedImage
  private(set) var destination: ImageReference

  /// What the destination's name will stand for.
  var digest: Digest { image.descriptor.digest }

  /// The same image under its digest alone.
  ///
  /// - Throws: `ImageReferenceError`, never for a name that was accepted with its tag.
  func withoutTag() throws(ImageReferenceError) -> PushImage {
    var image = self
    image.destination = try ImageReference(
      registry: destination.registry, repository: destination.repository, tag: nil, digest: digest)
    return image
  }

  /// The manifests and indexes in the order in which a registry takes them: each after what it names.
  var documents: [FetchedManifest] { image.documents }

  /// By which names a manifest is pushed: only the last has the image's tag.
  func name(of document: FetchedManifest) -> String {
    let digest = document.descriptor.digest
    if digest == self.digest { return destination.tag ?? "\(digest)" }
    return attached(document)?.tag ?? "\(digest)"
  }

  /// What is about the image, if a manifest is not of the image itself.
  func attached(_ document: FetchedManifest) -> AttachedManifest? {
    image.attached.first { $0.manifest.descriptor.digest == document.descriptor.digest }
  }

  /// Reads what an archive says it holds: an archive of this program or another OCI image layout, or a docker-archive.
  ///
  /// A docker-archive may hold an image under several names. One that is compressed is unpacked in passing, for its
  /// manifest is at the end.
  /// - Parameter names: The names for the archive's only image, or its first, in the registry; by default those that the
  ///   archive says.
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError``, `CancellationError`, or `ImageReferenceError` for a name
  ///   that the registry cannot have.
  static func open(
    _ path: FilePath, target: PushTarget, configuration: PushConfiguration, names: [ImageReference] = []
  ) throws -> [PushImage] {
    let images: [ArchivedImage]
    let contents: ArchiveContents
    do {
      let image = try ImageArchiveReader.summary(of: path, named: names.first)
      let entries = image.blobs.map { ($0.digest, ImageLayout.blobPath($0.digest)) }
      images = [image]
      contents = ArchiveContents(
        path, names: Dictionary(uniqueKeysWithValues: entries), scratch: configuration.scratch)
    } catch ImageArchiveError.noImageLayout {
      let archive = try DockerArchive(path, named: names.first)
      images = archive.images
      contents = ArchiveContents(path, names: archive.names, scratch: configuration.scratch)
    }
    if let wanted = configuration.expected[path] {
      guard let only = images.first, images.count == 1, only.reference == wanted.reference,
        only.descriptor.digest == wanted.digest
      else {
        let found = images.map { "\($0.reference) \($0.descriptor.digest)" }.joined(separator: ", ")
        throw ImageArchiveError.unusable(
          path, reason: "it holds \(found) where \(wanted.reference) \(wanted.digest) is expected")
      }
      let digests = only.attached.map(\.manifest.descriptor.digest)
      guard Set(digests) == Set(wanted.attached) else {
        throw ImageArchiveError.unusable(
          path, reason: "it does not hold the signatures of \(wanted.reference) that are expected")
      }
    }
    if let first = images.first, !names.isEmpty {
      return names.map { PushImage(contents: contents, image: first, destination: $0) }
    }
    return try images.map { image in
      PushImage(
        contents: contents, image: image,
        destination: try target.reference(
          of: image.reference, strippedRegistries: configuration.strippedRegistries))
    }
  }
}
