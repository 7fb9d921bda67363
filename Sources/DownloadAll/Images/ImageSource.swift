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
  /// Why it is not known what the registry has about the image.
  let attachedFailure: RegistryError?
  /// Whether it is known.
  let isAskedForAttached: Bool
  /// Configurations that were read to find the platform, by digest.
  let configurations: [Digest: [UInt8]]

  init(_ resolved: ResolvedImage) throws {
    content = try ArchivedImage(resolved)
    served = resolved.root.descriptor.digest
    configurations = resolved.configurations
    lacking = resolved.lacking
    switch resolved.attached {
    case nil: (isAskedForAttached, attachedFailure) = (false, nil)
    case .success: (isAskedForAttached, attachedFailure) = (true, nil)
    case .failure(let error): (isAskedForAttached, attachedFailure) = (false, error)
    }
  }

  /// What people should know of an image that not all machines can run, or whose signatures are not there.
  var warnings: [String] {
    var warnings: [String] = []
    if !lacking.isEmpty {
      let missing = lacking.map(\.description).joined(separator: ", ")
      warnings.append("\(content.reference) is not published for \(missing): such nodes cannot run it")
    }
    if let attachedFailure {
      warnings.append(
        "\(content.reference) is carried without its signatures, which could not be asked for: "
          + "\(attachedFailure.detail). The next run asks again")
    }
    return warnings
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
  /// Whether signatures and what else is about an image are carried with it.
  let carriesAttached: Bool
  /// What a registry is asked for in place of a tag, where that is pinned.
  private let pinned: @Sendable (ImageReference) -> ImagePin?

  init(
    client: RegistryClient, platforms: [Platform], oneIsEnough: Bool = false, carriesAttached: Bool = false,
    pinned: @escaping @Sendable (ImageReference) -> ImagePin? = { _ in nil }
  ) {
    self.pinned = pinned
    self.client = client
    self.platforms = platforms
    self.oneIsEnough = oneIsEnough
    self.carriesAttached = carriesAttached
    resolver = ImageResolver(client, findsAttached: carriesAttached)
  }

  /// Whether an archive, as the manifest describes it, is one that this run wants. An image that names no platforms has
  /// only one; what the registry lacked is not asked for again.
  func carries(_ image: ManifestImage) -> Bool {
    if let pin = pinned(image.reference) {
      guard [image.served, image.digest].contains(pin.digest) else { return false }
      if carriesAttached, image.attached?.map(\.digest) != pin.attached?.map(\.digest) { return false }
    } else if carriesAttached, image.attached == nil {
      return false
    }
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
    try await sources.value(of: reference) { [resolver, platforms, oneIsEnough, pinned] in
      try SourcedImage(
        try await resolver.resolve(
          reference, platforms: platforms, oneIsEnough: oneIsEnough, at: pinned(reference)))
    }
  }
}
