import Archive
import Bundle
import Integrity
import SystemPackage

/// An image in an archive, on its way into a registry.
struct PushImage: Sendable {
  let contents: any BlobSource
  let image: ArchivedImage
  private(set) var destination: ImageReference
  /// What is to be known of it beside the result.
  var remark: String?

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

  /// What was found in an archive.
  struct Opened {
    let images: [PushImage]
    /// Why other images of it cannot be used.
    var failures: [any Error] = []
  }

  /// Reads what an archive says it holds: one of this program of which it is known what it must hold, or one of any other
  /// (``SavedImages``).
  ///
  /// - Parameter names: The names for the archive's only image, or its first, in the registry; by default those that the
  ///   archive says.
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError``, `FileError`, `CancellationError`, or
  ///   `ImageReferenceError` for a name that the registry cannot have.
  static func open(
    _ path: FilePath, target: PushTarget, configuration: PushConfiguration, names: [ImageReference] = []
  ) throws -> Opened {
    if let wanted = configuration.expected[path] {
      return Opened(images: [try expected(wanted, path, target, configuration)])
    }
    let saved = try SavedImages(
      path, scratch: configuration.scratch, named: names.first.map { "\($0)" } ?? configuration.names[path])
    if !names.isEmpty {
      // The list has one name or more for the only image, or for that of several which is called so.
      let first = saved.images.first { image in
        names.contains {
          $0.repository.hasSuffix(image.image.reference.repository) && $0.tag == image.image.reference.tag
        }
      }
      guard let first = first ?? saved.images.first else {
        throw saved.failures.first ?? ImageArchiveError.noImages(path, reason: "its lists are empty")
      }
      return Opened(
        images: names.map {
          PushImage(contents: saved.blobs, image: first.image, destination: $0, remark: first.remark)
        })
    }
    var opened: [PushImage] = []
    var failures = saved.failures
    for found in saved.images {
      do {
        let destination = try target.reference(
          of: found.image.reference, strippedRegistries: configuration.strippedRegistries)
        opened.append(
          PushImage(contents: saved.blobs, image: found.image, destination: destination, remark: found.remark)
        )
      } catch {
        failures.append(error)
      }
    }
    return Opened(images: opened, failures: failures)
  }

  /// The image of an archive of a bundle.
  private static func expected(
    _ wanted: ExpectedImage, _ path: FilePath, _ target: PushTarget, _ configuration: PushConfiguration
  ) throws -> PushImage {
    let image = try ImageArchiveReader.summary(of: path)
    guard image.reference == wanted.reference, image.descriptor.digest == wanted.digest else {
      throw ImageArchiveError.unusable(
        path,
        reason: "it holds \(image.reference) \(image.descriptor.digest) where \(wanted.reference) "
          + "\(wanted.digest) is expected")
    }
    guard Set(image.attached.map(\.manifest.descriptor.digest)) == Set(wanted.attached) else {
      throw ImageArchiveError.unusable(
        path, reason: "it does not hold the signatures of \(wanted.reference) that are expected")
    }
    let entries = image.blobs.map { ($0.digest, ImageLayout.blobPath($0.digest)) }
    return PushImage(
      contents: ArchiveContents(
        path, names: Dictionary(uniqueKeysWithValues: entries), scratch: configuration.scratch),
      image: image,
      destination: try target.reference(
        of: image.reference, strippedRegistries: configuration.strippedRegistries))
  }
}
