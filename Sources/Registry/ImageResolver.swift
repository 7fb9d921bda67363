import Bundle
import Concurrency
import FoundationEssentials
import Integrity

/// Finds out what a reference is: asks for its manifest, chooses platforms from an index, and refuses what could not
/// be loaded, before a byte of a layer is fetched.
public struct ImageResolver: Sendable {
  /// How deep indexes may stand in each other; nothing real needs more than two.
  static let maximumDepth = 4
  /// The most manifests and indexes that are fetched for one image.
  static let maximumManifests = 64

  private let client: RegistryClient
  private let findsAttached: Bool

  /// A resolver that asks through that client; with `findsAttached` for signatures and what else is about an image, too.
  public init(_ client: RegistryClient, findsAttached: Bool = false) {
    self.client = client
    self.findsAttached = findsAttached
  }

  /// Resolves an image.
  ///
  /// - Parameters:
  ///   - reference: The image.
  ///   - platforms: The platforms wanted; each must be there, unless one is enough.
  ///   - oneIsEnough: Whether an image that is there for some of the platforms only is taken for those.
  ///   - pin: What is asked for in place of the tag, which may name another image by now.
  /// - Throws: ``RegistryError``, which names what is there if a platform is not.
  public func resolve(
    _ reference: ImageReference, platforms: [Platform], oneIsEnough: Bool = false, at pin: ImagePin? = nil
  ) async throws(RegistryError) -> ResolvedImage {
    let asked = pin.flatMap {
      try? ImageReference(
        registry: reference.registry, repository: reference.repository, tag: reference.tag, digest: $0.digest)
    }
    let root = try await client.manifest(asked ?? reference)
    var resolution = ImageResolution(client: client, reference: reference, root: root)
    guard findsAttached, pin == nil else {
      let choice = try await resolution.choose(platforms, oneIsEnough: oneIsEnough)
      var image = try await resolution.resolve(choice)
      if findsAttached, let pinned = pin?.attached {
        image.attached = .success(try await client.attached(pinned: pinned, of: reference))
      }
      return image
    }
    // On a far line each answer takes as long as a megabyte: a digest is all that must be known to ask what is about it.
    async let ofRoot = attached(to: [root.descriptor.digest], of: reference)
    let choice = try await resolution.choose(platforms, oneIsEnough: oneIsEnough)
    let others = choice.candidates.map(\.descriptor.digest).filter { $0 != root.descriptor.digest }
    async let ofOthers = attached(to: others, of: reference)
    var image = try await resolution.resolve(choice)
    image.attached = await Self.joined([ofRoot, ofOthers])
    return image
  }

  /// What is about the name itself, then what is about each chosen platform, each once.
  private static func joined(
    _ found: [Result<[AttachedManifest], RegistryError>]
  ) -> Result<[AttachedManifest], RegistryError> {
    do throws(RegistryError) {
      var all: [AttachedManifest] = []
      for result in found { all += try result.get() }
      var seen: Set<Digest> = []
      return .success(all.filter { seen.insert($0.manifest.descriptor.digest).inserted })
    } catch {
      return .failure(error)
    }
  }

  /// What is about manifests of an image.
  private func attached(
    to subjects: [Digest], of reference: ImageReference
  ) async -> Result<[AttachedManifest], RegistryError> {
    var found = [[AttachedManifest]](repeating: [], count: subjects.count)
    var failure: RegistryError?
    await forEachConcurrently(subjects.indices, limit: subjects.count) { index in
      do throws(RegistryError) {
        return Result<_, RegistryError>.success(
          try await client.attached(to: subjects[index], of: reference))
      } catch {
        return .failure(error)
      }
    } onResult: { index, result in
      switch result {
      case .success(let attached): found[index] = attached
      case .failure(let error): failure = error
      }
    }
    if let failure { return .failure(failure) }
    return .success(Array(found.joined()))
  }
}

/// The work on one image.
private struct ImageResolution {
  /// An image that an index offers.
  struct Candidate {
    let descriptor: Descriptor
    var platform: Platform?
    let indexes: [FetchedManifest]
  }

  /// The images of the platforms that are wanted.
  struct Choice {
    var candidates: [Candidate] = []
    /// The platforms for which there is none.
    var lacking: [Platform] = []
  }

  let client: RegistryClient
  let reference: ImageReference
  let root: FetchedManifest
  private var fetched: [Digest: FetchedManifest]
  private var configurations: [Digest: [UInt8]] = [:]
  private var visited: Set<Digest> = []

  init(client: RegistryClient, reference: ImageReference, root: FetchedManifest) {
    self.client = client
    self.reference = reference
    self.root = root
    fetched = [root.descriptor.digest: root]
  }

  /// Finds out which images are wanted.
  mutating func choose(_ platforms: [Platform], oneIsEnough: Bool) async throws(RegistryError) -> Choice {
    var candidates = try await candidates(in: root, within: [])
    if platforms.contains(where: { Self.best($0, candidates) == nil }) {
      for index in candidates.indices where candidates[index].platform == nil {
        candidates[index].platform = try await platformFromConfiguration(candidates[index])
      }
    }
    var choice = Choice(lacking: platforms.filter { Self.best($0, candidates) == nil })
    if let first = choice.lacking.first, !oneIsEnough || choice.lacking.count == platforms.count {
      throw missing(first, candidates)
    }
    for platform in platforms {
      guard let candidate = Self.best(platform, candidates),
        !choice.candidates.contains(where: { $0.descriptor.digest == candidate.descriptor.digest })
      else { continue }
      choice.candidates.append(candidate)
    }
    return choice
  }

  /// Fetches what is not here of them.
  mutating func resolve(_ choice: Choice) async throws(RegistryError) -> ResolvedImage {
    var images: [ResolvedImage.PlatformImage] = []
    for candidate in choice.candidates { images.append(try await image(candidate)) }
    return ResolvedImage(
      reference: reference, root: root, images: images, lacking: choice.lacking,
      configurations: configurations)
  }

  /// The images that a manifest or index offers.
  private mutating func candidates(
    in manifest: FetchedManifest, within indexes: [FetchedManifest]
  ) async throws(RegistryError) -> [Candidate] {
    guard case .index(let index) = manifest.content else {
      return [Candidate(descriptor: manifest.descriptor, platform: nil, indexes: indexes)]
    }
    guard indexes.count < ImageResolver.maximumDepth else {
      throw RegistryError(.malformed("its indexes are nested without end"), image: reference)
    }
    let path = indexes + [manifest]
    var found: [Candidate] = []
    for descriptor in index.manifests where !descriptor.isAttestation && !descriptor.isArtifact {
      if descriptor.mediaType.isSchema1 { throw RegistryError(.schema1, image: reference) }
      if descriptor.mediaType.isGeneric {
        found += try await self.candidates(behind: descriptor, within: path)
      } else if descriptor.mediaType.isManifest {
        found.append(Candidate(descriptor: descriptor, platform: descriptor.platform, indexes: path))
      } else if descriptor.mediaType.isIndex, visited.insert(descriptor.digest).inserted {
        found += try await candidates(in: try await fetch(descriptor), within: path)
      }
      // Anything else is not an image; the specification says to pass it over.
    }
    return found
  }

  /// The images behind an entry that does not say what it is.
  private mutating func candidates(
    behind descriptor: Descriptor, within path: [FetchedManifest]
  ) async throws(RegistryError) -> [Candidate] {
    let manifest: FetchedManifest
    do throws(RegistryError) {
      manifest = try await fetch(descriptor)
    } catch {
      if error.kind == .notAnImage { return [] }
      throw error
    }
    if case .index = manifest.content {
      guard visited.insert(descriptor.digest).inserted else { return [] }
      return try await candidates(in: manifest, within: path)
    }
    return [Candidate(descriptor: descriptor, platform: descriptor.platform, indexes: path)]
  }

  private static func best(_ platform: Platform, _ candidates: [Candidate]) -> Candidate? {
    var best: (candidate: Candidate, fitness: Int)?
    for candidate in candidates {
      guard let fitness = candidate.platform.flatMap(platform.fitness(of:)) else { continue }
      // Of equals the first counts, as containerd does.
      if best.map({ fitness > $0.fitness }) ?? true { best = (candidate, fitness) }
    }
    return best?.candidate
  }

  /// What an image's configuration says where no index does; `nil` for what stands beside the images of an index and is
  /// none.
  private mutating func platformFromConfiguration(
    _ candidate: Candidate
  ) async throws(RegistryError) -> Platform? {
    let manifest: ImageManifest
    do throws(RegistryError) {
      manifest = try content(of: try await fetch(candidate.descriptor))
      try check(manifest)
    } catch {
      let isBeside =
        !candidate.indexes.isEmpty && [.notAnImage, .foreignLayer, .unsupported].contains(error.kind)
      if isBeside { return nil }
      throw error
    }
    var bytes = configurations[manifest.config.digest]
    if bytes == nil { bytes = try await client.blob(manifest.config, of: reference) }
    configurations[manifest.config.digest] = bytes
    let platform = try? JSONDecoder().decode(Platform.self, from: Data(bytes ?? []))
    return platform.flatMap { $0.os.isEmpty || $0.architecture.isEmpty ? nil : $0 }
  }

  private mutating func image(
    _ candidate: Candidate
  ) async throws(RegistryError) -> ResolvedImage.PlatformImage {
    let manifest = try await fetch(candidate.descriptor)
    let content = try content(of: manifest)
    try check(content)
    var descriptor = manifest.descriptor
    descriptor.platform = candidate.platform
    return ResolvedImage.PlatformImage(
      manifest: manifest.describing(descriptor), content: content, indexes: candidate.indexes)
  }

  private mutating func fetch(_ descriptor: Descriptor) async throws(RegistryError) -> FetchedManifest {
    if let manifest = fetched[descriptor.digest] { return manifest }
    guard fetched.count < ImageResolver.maximumManifests else {
      throw RegistryError(
        .malformed("its index has more than \(ImageResolver.maximumManifests) entries without a platform"),
        image: reference)
    }
    let manifest = try await client.manifest(descriptor, of: reference)
    fetched[descriptor.digest] = manifest
    return manifest
  }

  private func content(of manifest: FetchedManifest) throws(RegistryError) -> ImageManifest {
    guard case .manifest(let content) = manifest.content else {
      throw RegistryError(.malformed("it has an index where an image was expected"), image: reference)
    }
    return content
  }

  /// Refuses what no container engine could run, or what cannot be carried.
  private func check(_ manifest: ImageManifest) throws(RegistryError) {
    // Some builders write it as the header of an answer has it, with parameters.
    let type = MediaType(header: manifest.config.mediaType.rawValue)
    guard type == .ociConfig || type == .dockerConfig || type.isGeneric && manifest.artifactType ?? "" == ""
    else {
      let kind = manifest.artifactType ?? manifest.config.mediaType.rawValue
      throw RegistryError(
        .notAnImage, image: reference, detail: "it is not a container image but an artifact of type \(kind)")
    }
    for layer in manifest.layers {
      if layer.mediaType.isForeignLayer || !(layer.urls ?? []).isEmpty {
        throw RegistryError(
          .foreignLayer, image: reference,
          detail: "layer \(layer.digest) is not in the registry (foreign layer, \(layer.mediaType))")
      }
      guard layer.mediaType.isLayer else {
        throw RegistryError(
          .notAnImage, image: reference,
          detail: "a layer has the type \(layer.mediaType), which is not that of a layer")
      }
    }
  }

  private func missing(_ platform: Platform, _ candidates: [Candidate]) -> RegistryError {
    let names = Set(candidates.compactMap { $0.platform?.description }).sorted()
    let list = names.isEmpty ? "nothing with a known platform" : names.joined(separator: ", ")
    return RegistryError(
      .platformMissing, image: reference, detail: "there is no image for \(platform); there is: \(list)")
  }
}
