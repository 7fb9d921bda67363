import Bundle
import Concurrency
import FoundationEssentials
import Integrity

extension RegistryClient {
  /// The most attached manifests that are taken for one subject; publishers have a handful.
  private static let maximumAttached = 64

  /// Finds what a registry has about a manifest or index.
  ///
  /// A registry that says that there is nothing, or does not know the question, has nothing.
  /// - Throws: ``RegistryError`` when the question was not answered, or a digest is another one.
  func attached(
    to subject: Digest, of reference: ImageReference
  ) async throws(RegistryError) -> [AttachedManifest] {
    var tagged: [String: AttachedManifest] = [:]
    var listed: [AttachedManifest] = []
    var failure: RegistryError?
    // The list, which another question may follow, and a tag with each suffix.
    await forEachConcurrently([""] + AttachedManifest.suffixes, limit: 4) { suffix in
      await self.found(about: subject, suffix, of: reference)
    } onResult: { suffix, result in
      switch result {
      case .success(let found) where suffix.isEmpty: listed = found
      case .success(let found): tagged[suffix] = found.first
      case .failure(let error): failure = error
      }
    }
    if let failure { throw failure }
    let found = AttachedManifest.suffixes.compactMap { tagged[$0] }
    guard !listed.isEmpty else { return found }
    let digests = Set(found.map(\.manifest.descriptor.digest))
    do {
      let list = try AttachedManifest.list(listed, of: subject)
      return found + listed.filter { !digests.contains($0.manifest.descriptor.digest) } + [list]
    } catch {
      throw RegistryError(error, image: reference)
    }
  }

  /// Fetches what was found in an earlier run, wherever tags lead by now.
  ///
  /// - Throws: ``RegistryError``, also for what is no longer there.
  func attached(
    pinned: [(digest: Digest, tag: String?)], of reference: ImageReference
  ) async throws(RegistryError) -> [AttachedManifest] {
    var found: [Digest: AttachedManifest] = [:]
    for (digest, tag) in pinned where tag.flatMap(AttachedManifest.subject(ofList:)) == nil {
      let manifest = try await manifest(try Self.naming(reference, digest: digest))
      found[digest] = AttachedManifest(manifest: manifest, tag: tag)
    }
    // Lists are made here, of what names their subject.
    for (digest, tag) in pinned {
      guard let subject = tag.flatMap(AttachedManifest.subject(ofList:)) else { continue }
      do throws(ManifestFormatError) {
        let listed = pinned.compactMap { found[$0.digest] }.filter { $0.subject == subject }
        let list = try AttachedManifest.list(listed, of: subject)
        guard list.manifest.descriptor.digest == digest else {
          throw .malformed("the list of what is about \(subject) would not be \(digest)")
        }
        found[digest] = list
      } catch {
        throw RegistryError(error, image: reference)
      }
    }
    return pinned.compactMap { found[$0.digest] }
  }

  private static func naming(
    _ reference: ImageReference, tag: String? = nil, digest: Digest? = nil
  ) throws(RegistryError) -> ImageReference {
    do {
      return try ImageReference(
        registry: reference.registry, repository: reference.repository, tag: tag, digest: digest)
    } catch {
      throw RegistryError(badAnswer: "\(error)", image: reference)
    }
  }

  private func found(
    about subject: Digest, _ suffix: String, of reference: ImageReference
  ) async -> Result<[AttachedManifest], RegistryError> {
    do throws(RegistryError) {
      return .success(
        suffix.isEmpty
          ? try await listed(about: subject, of: reference)
          : try await tagged(about: subject, suffix, of: reference))
    } catch {
      return .failure(error)
    }
  }

  private func tagged(
    about subject: Digest, _ suffix: String, of reference: ImageReference
  ) async throws(RegistryError) -> [AttachedManifest] {
    let tag = AttachedManifest.tag(of: subject, suffix)
    // Docker Hub counts each GET of a manifest against its limit, but no HEAD.
    guard let manifest = try await manifest(ifTagged: tag, of: reference, asksFirst: true),
      Self.canBeCarried(manifest)
    else { return [] }
    return [AttachedManifest(manifest: manifest, tag: tag)]
  }

  private func listed(
    about subject: Digest, of reference: ImageReference
  ) async throws(RegistryError) -> [AttachedManifest] {
    var listed: [AttachedManifest] = []
    for descriptor in try await referrers(to: subject, of: reference).prefix(Self.maximumAttached)
    where descriptor.mediaType.isManifest {
      let manifest = try await answered { () async throws(RegistryError) in
        try await self.manifest(descriptor, of: reference)
      }
      guard let manifest, Self.canBeCarried(manifest) else { continue }
      let attached = AttachedManifest(manifest: manifest, tag: nil)
      if attached.subject == subject { listed.append(attached) }
    }
    return listed
  }

  /// The descriptors of what names a subject, from the registry itself or from the tag that stands in for its list.
  private func referrers(
    to subject: Digest, of reference: ImageReference
  ) async throws(RegistryError) -> [Descriptor] {
    let listed = try await answered { () async throws(RegistryError) in
      try await self.referrersList(subject, of: reference)
    }
    if let index = listed.flatMap({ try? JSONDecoder().decode(ImageIndex.self, from: Data($0)) }) {
      return Self.distinct(index.manifests)
    }
    let tag = AttachedManifest.tag(of: subject)
    guard let manifest = try await manifest(ifTagged: tag, of: reference, asksFirst: false),
      case .index(let index) = manifest.content
    else { return [] }
    return Self.distinct(index.manifests)
  }

  private static func distinct(_ descriptors: [Descriptor]) -> [Descriptor] {
    var seen: Set<Digest> = []
    return descriptors.filter { ByteSize.checked($0.size) != nil && seen.insert($0.digest).inserted }
  }

  private func manifest(
    ifTagged tag: String, of reference: ImageReference, asksFirst: Bool
  ) async throws(RegistryError) -> FetchedManifest? {
    try await answered { () async throws(RegistryError) in
      let tagged = try Self.naming(reference, tag: tag)
      if asksFirst { try await self.confirm(tagged) }
      return try await self.manifest(tagged)
    }
  }

  /// What an answer says; `nil` where it says that there is no such thing.
  private func answered<T>(
    _ question: () async throws(RegistryError) -> T
  ) async throws(RegistryError) -> T? {
    do throws(RegistryError) {
      return try await question()
    } catch {
      switch error.kind {
      case .transfer, .rateLimited, .digestMismatch, .credentials: throw error
      default: return nil
      }
    }
  }

  /// What lies elsewhere than in the registry is not carried.
  private static func canBeCarried(_ manifest: FetchedManifest) -> Bool {
    guard case .manifest(let content) = manifest.content else { return false }
    return !content.blobs.contains { $0.mediaType.isForeignLayer || !($0.urls ?? []).isEmpty }
  }
}
