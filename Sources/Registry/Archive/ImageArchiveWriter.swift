import Archive
import Bundle
import Integrity
import SystemPackage

/// Writes an image to one file that podman, containerd, docker and skopeo load under its right name, with every
/// blob as the registry served it.
///
/// The file is an OCI image layout (image-spec, image-layout.md) as a tar: `oci-layout`, `index.json` and
/// `manifest.json`, then the manifests and configurations, then the layers, so that a reader learns all about the
/// image from the first kilobytes. Signatures and what else is about the image lie among them, listed in a file of their
/// own (`attached.json`): loaders would take a second entry of `index.json` for a second image. The layers are compressed already: gzip around it stores only (level 0),
/// because loaders expect the name `.tar.gz` to be true.
public enum ImageArchiveWriter {
  /// Writes the archive beside its final name and renames it. The same image gives the same bytes.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - blobs: Where the configuration or layer of that digest lies. Their sizes are checked.
  ///   - path: The archive's final name; its folder must exist.
  ///   - proving: Whether to hash the blobs once more while they are copied, for those that were not hashed when
  ///     they came.
  /// - Returns: The size in bytes and the digest of the archive file.
  /// - Throws: ``Archive/ArchiveError``, `CancellationError`, what `blobs` throws, or
  ///   ``ImageArchiveError/otherDigest(_:actual:)``; the final name is then as it was.
  public static func write(
    _ image: ArchivedImage, blobs: (Digest) throws -> FilePath, to path: FilePath, proving: Bool = false
  ) throws -> (size: Int64, sha256: Digest) {
    if let digest = image.reference.digest, digest != image.descriptor.digest {
      throw ImageArchiveError.otherDigest(image.reference, actual: image.descriptor.digest)
    }
    let writer = try ArchiveWriter(path, compression: .gzip(level: 0))
    try writer.add(bytes: ImageLayout.marker, as: ImageLayout.markerFile)
    try writer.add(bytes: ImageLayout.index(of: image), as: ImageLayout.indexFile)
    try writer.add(bytes: ImageLayout.dockerManifest(of: image), as: ImageLayout.dockerFile)
    if !image.attached.isEmpty {
      try writer.add(bytes: ImageLayout.attached(to: image), as: ImageLayout.attachedFile)
    }
    var written: Set<Digest> = []
    for document in image.indexes + image.manifests + image.attached.map(\.manifest)
    where written.insert(document.descriptor.digest).inserted {
      try writer.add(bytes: document.bytes, as: ImageLayout.blobPath(document.descriptor.digest))
    }
    for blob in image.blobs where written.insert(blob.digest).inserted {
      try Task.checkCancellation()
      try writer.add(
        file: try blobs(blob.digest), as: ImageLayout.blobPath(blob.digest), size: blob.size,
        digest: proving ? blob.digest : nil)
    }
    return try writer.finish()
  }
}
