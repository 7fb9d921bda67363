import Integrity

/// A manifest about an image that lies beside it in the registry: a signature, an attestation, a list of its parts.
///
/// There are two ways from an image to it: the manifest names its subject and the registry lists it (OCI
/// distribution-spec 1.1, "Listing Referrers"), or it has a tag made of the subject's digest (the same, "Referrers Tag
/// Schema"; cosign, `specs/SIGNATURE_SPEC.md`).
public struct AttachedManifest: Sendable, Hashable {
  /// The manifest; or an index, which then lists other attached ones, or is the one that a signature is about.
  public let manifest: FetchedManifest
  /// The tag that leads to it, if one does.
  public let tag: String?

  /// What cosign puts behind the tag of a subject: signatures, attestations, lists of parts.
  static let suffixes = [".sig", ".att", ".sbom"]

  /// The tag of what is about a subject.
  static func tag(of subject: Digest, _ suffix: String = "") -> String {
    "\(subject.algorithm.rawValue)-\(subject.hex)\(suffix)"
  }

  /// Whether a tag is one of those that lead to what is about an image, and so never that of an image.
  static func isTag(_ text: String) -> Bool {
    let suffix = suffixes.first(where: text.hasSuffix) ?? ""
    let parts = text.dropLast(suffix.count).split(separator: "-", omittingEmptySubsequences: false)
    return parts.count == 2 && (try? Digest("\(parts[0]):\(parts[1])")) != nil
  }

  /// What it is, as its publisher calls it; `nil` for an index.
  public var type: String? {
    guard case .manifest(let content) = manifest.content else { return nil }
    return content.artifactType ?? content.config.mediaType.rawValue
  }

  /// Whether it is a signature, by the tools that make most of them.
  public var isSignature: Bool {
    if tag?.hasSuffix(".sig") ?? false { return true }
    let known = ["application/vnd.cncf.notary.signature", "application/vnd.dev.cosign.artifact.sig."]
    return type.map { type in
      known.contains(where: type.hasPrefix) || type.hasPrefix("application/vnd.dev.sigstore.bundle")
    } ?? false
  }

  /// What it names as what it is about.
  var subject: Digest? {
    if case .manifest(let content) = manifest.content { content.subject?.digest } else { nil }
  }

  /// The subject of the list that a tag leads to; `nil` for another tag.
  static func subject(ofList tag: String) -> Digest? {
    guard isTag(tag), let mark = tag.firstIndex(of: "-") else { return nil }
    return try? Digest("\(tag[..<mark]):\(tag[tag.index(after: mark)...])")
  }

  /// What it consists of beside the manifest.
  var blobs: [Descriptor] {
    if case .manifest(let content) = manifest.content { content.blobs } else { [] }
  }

  /// The index that stands for the list of a registry that cannot list by itself. The same manifests give the same bytes.
  ///
  /// - Throws: ``ManifestFormatError``, for more than any registry would list.
  static func list(
    _ attached: [AttachedManifest], of subject: Digest
  ) throws(ManifestFormatError) -> AttachedManifest {
    let descriptors = attached.map { attached in
      let own = attached.manifest.descriptor
      var descriptor = Descriptor(mediaType: own.mediaType, digest: own.digest, size: own.size)
      descriptor.artifactType = attached.type
      if case .manifest(let content) = attached.manifest.content {
        descriptor.annotations = content.annotations
      }
      return descriptor
    }
    let index = ImageIndex(
      schemaVersion: 2, mediaType: .ociIndex,
      manifests: descriptors.sorted { $0.digest.hex < $1.digest.hex })
    let bytes = ImageLayout.encode(index)
    return AttachedManifest(
      manifest: try FetchedManifest(bytes, descriptor: Descriptor(of: bytes, mediaType: .ociIndex)),
      tag: tag(of: subject))
  }
}

/// What a registry is asked for in place of what a tag names and what is about that by now.
public struct ImagePin: Sendable {
  /// The digest of the manifest or index.
  public let digest: Digest
  /// The manifests about it, with the tags that led there; `nil` for none that were asked for.
  public let attached: [(digest: Digest, tag: String?)]?

  /// A pin.
  public init(digest: Digest, attached: [(digest: Digest, tag: String?)]?) {
    self.digest = digest
    self.attached = attached
  }
}
