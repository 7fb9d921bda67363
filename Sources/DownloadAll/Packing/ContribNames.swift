import Bundle
import Integrity

/// What images are called in `container-images.tar.gz`, the archive of kubespray's
/// `contrib/offline/manage-offline-container-images.sh`: their files, and their names behind the registry.
struct ContribNames {
  /// The list within the archive: a line for each image, `FILE  NAME`.
  static let list = "container-images.txt"
  /// The image of the registry that `register` starts when it is not told of another one.
  static let registryFile = "registry-latest.tar"

  /// An image's names.
  struct Names: Sendable, Equatable {
    /// Its file in the archive.
    let file: String
    /// `REPOSITORY:TAG` behind the registry.
    let name: String
  }

  private let strippedRegistries: Set<String>
  /// Names that are spoken for. What has a tag alone goes before what has a digest too.
  private var taken: Set<String>
  private var files: Set<String> = [Self.registryFile, Self.list]
  private var plan: ImagePlan

  /// - Parameter references: All images that will be asked for.
  init(_ references: [ImageReference], strippedRegistries: Set<String>) {
    self.strippedRegistries = strippedRegistries
    plan = ImagePlan(strippedRegistries: strippedRegistries)
    taken = Set(
      references.filter { $0.digest == nil }.map { $0.pushName(strippedRegistries: strippedRegistries) })
  }

  /// The names of an image.
  ///
  /// - Throws: `ImageNameCollision` when another image has its name and is not the same.
  mutating func names(of image: ManifestImage) throws -> Names {
    let reference = image.reference
    if reference.digest == nil { try plan.bind(reference, to: image.digest) }
    let repository = ImageReference.pushRepository(
      registry: reference.registry, repository: reference.repository, strippedRegistries: strippedRegistries)
    var name = "\(repository):\(reference.tag ?? "")"
    if let digest = reference.digest, reference.tag == nil || taken.contains(name) {
      // The script knows tags only; its own for these, latest, would be one for all of them.
      name = "\(repository):digest-\(digest.hex.prefix(12))"
    }
    taken.insert(name)
    return Names(file: file(for: reference), name: name)
  }

  /// The script's own name, which drops digests and makes one character of several: made unique where it is not.
  private mutating func file(for reference: ImageReference) -> String {
    let text = "\(reference.name)\(reference.tag.map { ":\($0)" } ?? "")"
    let base = String(text.map { "/:".contains($0) ? "-" : $0 })
    var file = "\(base).tar"
    var number = 2
    while !files.insert(file).inserted {
      file = "\(base)-\(number).tar"
      number += 1
    }
    return file
  }
}
