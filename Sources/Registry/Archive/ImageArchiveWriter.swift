import Archive
import Bundle
import Files
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
  ///   - blobs: Where the configuration or layer of that digest lies. They are hashed while they are copied.
  ///   - path: The archive's final name; its folder must exist.
  /// - Returns: The size in bytes and the digest of the archive file.
  /// - Throws: ``Archive/ArchiveError``, ``ImageArchiveError``, `FileError`, `CancellationError`, or what `blobs` throws;
  ///   the final name is then as it was, and nothing lies beside it.
  public static func write(
    _ image: ArchivedImage, blobs: (Digest) throws -> FilePath, to path: FilePath
  ) throws -> (size: Int64, sha256: Digest) {
    let archive = try PartialArchive(image, at: path)
    do {
      return try archive.complete { blob, place in
        let source = try blobs(blob.digest)
        guard try FileInfo(source, followsLinks: true).size == blob.size else {
          throw ImageArchiveError.incomplete(source, blob: blob.digest)
        }
        try place.fill(from: source) { take in try readFile(source, take) }
      }
    } catch {
      archive.discard()
      throw error
    }
  }
}
