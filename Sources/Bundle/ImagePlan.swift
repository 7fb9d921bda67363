import Integrity

/// Images with an archive each, whose names in the bundle's registry do not collide.
public struct ImagePlan: Sendable {
  /// The images, in the order in which they were added.
  public private(set) var references: [ImageReference] = []
  /// The registries that images lose when they are pushed.
  public let strippedRegistries: Set<String>
  private var known: Set<ImageReference> = []
  /// The images that would have one archive by the rule for names, on disks that do not tell upper from lower case.
  private var byArchive: [String: [ImageReference]] = [:]
  private var byPushName: [String: (reference: ImageReference, content: Digest)] = [:]

  /// No images.
  public init(strippedRegistries: Set<String> = ImageReference.strippedRegistries) {
    self.strippedRegistries = strippedRegistries
  }

  /// Adds an image; the same one twice counts once.
  ///
  /// - Returns: Whether it was new.
  @discardableResult
  public mutating func add(_ reference: ImageReference) -> Bool {
    guard known.insert(reference).inserted else { return false }
    byArchive[reference.archiveName.lowercased(), default: []].append(reference)
    references.append(reference)
    return true
  }

  /// The place of an image's archive, when all images are added.
  ///
  /// Of images with one name for their archives, such as `a/b_c` and `a_b/c`, the first in order keeps it, and the others
  /// get some digits of a digest behind it: the same ones whatever else is in the bundle.
  /// - Throws: ``BundlePathError``.
  public func archivePath(of reference: ImageReference) throws(BundlePathError) -> BundlePath {
    let alike = byArchive[reference.archiveName.lowercased()] ?? []
    return alike.count < 2 || alike.min() == reference
      ? try reference.archivePath() : try BundlePath("images/\(reference.distinctArchiveName)")
  }

  /// Says what an image is, once the registry has said so.
  ///
  /// - Parameters:
  ///   - reference: The image; one without a tag is pushed by its digest and meets no other.
  ///   - content: The digest of the manifest or index that will be pushed.
  /// - Throws: ``ImageNameCollision`` when another image would be pushed under the same name, and is not the same.
  public mutating func bind(_ reference: ImageReference, to content: Digest) throws(ImageNameCollision) {
    // What has no tag is pushed by its digest, and a digest names one thing only.
    guard let tag = reference.tag else { return }
    let name = ImageReference.pushRepository(
      registry: reference.registry, repository: reference.repository, strippedRegistries: strippedRegistries)
    let key = "\(name):\(tag)"
    if let other = byPushName[key], other.content != content {
      throw ImageNameCollision(first: other.reference, second: reference, place: .pushName(key))
    }
    byPushName[key] = (reference, content)
  }
}

/// Two images for one name.
public struct ImageNameCollision: Error, Equatable, CustomStringConvertible {
  /// Where they meet.
  public enum Place: Sendable, Equatable {
    /// The name in the bundle's registry.
    case pushName(String)
  }

  /// The one that was there.
  public let first: ImageReference
  /// The one that wanted the same name.
  public let second: ImageReference
  /// The name.
  public let place: Place

  /// A sentence that names both.
  public var description: String {
    switch place {
    case .pushName(let name):
      "two different images want one name in the bundle's registry: \(first) and \(second) both become \(name)"
    }
  }
}
