import Bundle
import Integrity
import SystemPackage

/// Why a file is not an image archive that can be used.
public enum ImageArchiveError: Error, CustomStringConvertible {
  /// It is an archive, but holds no OCI image layout.
  case noImageLayout(FilePath)
  /// It holds no images of any kind; the reason says what it seems to be.
  case noImages(FilePath, reason: String)
  /// One of its images cannot be used.
  case unusableImage(FilePath, image: String, reason: String)
  /// One of its images has a name that no registry takes.
  case misnamed(FilePath, image: String, reason: String)
  /// One of its images has no name.
  case nameless(FilePath, image: Digest, isOnly: Bool)
  /// Something in it is not as the specification, or this program, wants it.
  case unusable(FilePath, reason: String)
  /// Content does not have the digest it is named by.
  case damaged(FilePath, blob: Digest, actual: Digest)
  /// Content that the image needs is not there, or is of another size.
  case incomplete(FilePath, blob: Digest)
  /// The name has a digest, and the content is something else.
  case otherDigest(ImageReference, actual: Digest)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .noImageLayout(let path):
      "\(path) has no index.json, so it is not an image archive of this program"
    case .noImages(let path, let reason):
      "\(path) holds no image: \(reason)"
    case .unusableImage(let path, let image, let reason), .misnamed(let path, let image, let reason):
      "\(image) in \(path) cannot be used: \(reason)"
    case .nameless(let path, let image, let isOnly):
      isOnly
        ? "\(path) does not say what its image is called"
        : "\(path) does not say what its image \(image) is called"
    case .unusable(let path, let reason):
      "\(path) cannot be used: \(reason)"
    case .damaged(let path, let blob, let actual):
      "\(path) is damaged: its content \(blob) has digest \(actual)"
    case .incomplete(let path, let blob):
      "\(path) is not complete: its content \(blob) is missing or has another size"
    case .otherDigest(let reference, let actual):
      "\(reference) cannot be archived: its content has digest \(actual)"
    }
  }
}
