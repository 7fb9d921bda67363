import Bundle
import Concurrency
import Integrity
import Registry
import SystemPackage

/// An image as its registry has it.
struct SourcedImage: Sendable {
  /// What its archive will hold.
  let content: ArchivedImage
  /// The digest of what the registry serves for the reference: of the index, where there is one.
  let served: Digest
  /// The platforms that were asked for and that the registry does not have.
  let lacking: [Platform]
  /// Configurations that were read to find the platform, by digest.
  let configurations: [Digest: [UInt8]]

  init(_ resolved: ResolvedImage) throws {
    content = try ArchivedImage(resolved)
    served = resolved.root.descriptor.digest
    configurations = resolved.configurations
    lacking = resolved.lacking
  }

  /// What people should know of an image that not all machines can run.
  var warning: String? {
    guard !lacking.isEmpty else { return nil }
    let missing = lacking.map(\.description).joined(separator: ", ")
    return "\(content.reference) is not published for \(missing): such nodes cannot run it"
  }
}

/// The images of a run: each asked for once, whoever needs to know its size or its parts.
final class ImageSource: Sendable {
  private let resolver: ImageResolver
  private let sources = Memos<ImageReference, SourcedImage>()

  /// Brings blobs.
  let client: RegistryClient
  /// The platforms that are carried of each image.
  let platforms: [Platform]
  /// Whether an image is taken for those of them that it is published for.
  let oneIsEnough: Bool

  init(client: RegistryClient, platforms: [Platform], oneIsEnough: Bool = false) {
    self.client = client
    self.platforms = platforms
    self.oneIsEnough = oneIsEnough
    resolver = ImageResolver(client)
  }

  /// Whether an archive, as the manifest describes it, is one that this run wants. An image that names no platforms has
  /// only one; what the registry lacked is not asked for again.
  func carries(_ image: ManifestImage) -> Bool {
    let published = Set(platforms.map(\.description)).subtracting(oneIsEnough ? image.lacking ?? [] : [])
    return image.platforms.isEmpty || Set(image.platforms) == published
  }

  /// What the registry has of an artifact.
  ///
  /// - Throws: `RegistryError`; `Errno` for an artifact that no registry has.
  func source(of artifact: Artifact) async throws -> SourcedImage {
    guard let reference = artifact.pulledImage else { throw Errno.invalidArgument }
    return try await source(of: reference)
  }

  /// What the registry has under a reference.
  ///
  /// - Throws: `RegistryError`.
  func source(of reference: ImageReference) async throws -> SourcedImage {
    try await sources.value(of: reference) { [resolver, platforms, oneIsEnough] in
      try SourcedImage(
        try await resolver.resolve(reference, platforms: platforms, oneIsEnough: oneIsEnough))
    }
  }
}
