import Bundle
import FoundationEssentials
import Integrity
import SystemPackage

/// The images of an OCI image layout, or of a folder as skopeo's transport `dir` writes it, as index and manifests have
/// them (OCI image-spec, image-layout.md; containers-transports(5), "dir").
struct LayoutImages {
  private(set) var images: [SavedImage] = []
  private(set) var broken: [BrokenImage] = []
  /// What is about an image and was told apart from the images.
  private var about: [(descriptor: Descriptor, tag: String?, kind: String?)] = []
  private let reader: LayoutReader

  /// Words of cosign's layouts for what a descriptor is (cosign, `pkg/oci/layout`), and the ends of its tags.
  private static let cosignSuffixes = ["sigs": ".sig", "atts": ".att", "sboms": ".sbom"]

  /// Reads `index.json`, or the one manifest of a folder.
  ///
  /// - Throws: ``ImageArchiveError`` when nothing of it can be used; `FileError` or `CancellationError`.
  init(_ reader: LayoutReader, index: [UInt8], isManifest: Bool = false) throws {
    self.reader = reader
    if isManifest {
      let type = (try? ManifestContent.mediaType(of: index, announced: .ociManifest)) ?? .ociManifest
      try take([Descriptor(of: index, mediaType: type)])
      return
    }
    struct Top: Decodable { let manifests: [Descriptor]? }
    guard let top = try? JSONDecoder().decode(Top.self, from: Data(index)) else {
      throw ImageArchiveError.unusable(reader.path, reason: "its index.json is malformed")
    }
    try take(top.manifests ?? [])
    try attach(reader.attachedList())
  }

  private mutating func take(_ descriptors: [Descriptor]) throws {
    var order: [String] = []
    var groups: [String: [Descriptor]] = [:]
    for descriptor in descriptors {
      let name = SavedName(descriptor)
      if let kind = name.kind, Self.cosignSuffixes[kind] != nil {
        about.append((descriptor, nil, kind))
        continue
      }
      if let tag = name.tag ?? name.full.flatMap({ SavedName.tag(of: $0) }), AttachedManifest.isTag(tag) {
        about.append((descriptor, tag, nil))
        continue
      }
      // The platforms of one image may stand there one by one, with a name or without.
      let key = name.full ?? (descriptor.platform == nil ? "\(descriptor.digest)" : "")
      if groups[key] == nil { order.append(key) }
      if groups[key]?.contains(where: { $0.digest == descriptor.digest }) != true {
        groups[key, default: []].append(descriptor)
      }
    }
    for key in order { try takeGroup(groups.removeValue(forKey: key) ?? []) }
  }

  /// Descriptors of one name: one image, or its platforms one by one.
  private mutating func takeGroup(_ group: [Descriptor]) throws {
    guard let first = group.first else { return }
    let name = SavedName(first)
    let platforms = Set(group.compactMap(\.platform))
    if group.count > 1, platforms.count < group.count {
      guard let full = name.full else {
        for descriptor in group { try takeGroup([descriptor]) }
        return
      }
      broken.append(
        BrokenImage(
          names: [full],
          reason: ImageArchiveError.unusableImage(
            reader.path, image: full,
            reason: "\(group.map { "\($0.digest)" }.joined(separator: " and ")) are both called so")))
      return
    }
    var tree = LayoutReader.Tree()
    do {
      for descriptor in group { try reader.collect(descriptor, into: &tree) }
      let isAbout = group.count == 1 && name.full == nil && tree.subject != nil
      if isAbout {
        about.append((first, nil, nil))
        return
      }
      let pinned = name.full.flatMap { try? ImageReference($0) }?.digest
      var image = try reader.image(of: tree, isWhole: group.count == 1, isPinned: pinned == first.digest)
      image.names = [name.full].compactMap { $0 }
      image.tag = name.tag
      // One image stands there once for each of its names.
      if let index = images.firstIndex(where: { $0.digest == image.digest }) {
        images[index].names += image.names
        images[index].tag = images[index].tag ?? image.tag
      } else {
        images.append(image)
      }
    } catch let error where !(error is CancellationError) {
      broken.append(
        BrokenImage(
          names: [name.full].compactMap { $0 }, tag: name.tag, configurations: tree.configurations,
          reason: error))
    }
  }

  /// Gives the images what is about them.
  private mutating func attach(_ list: [(descriptor: Descriptor, tag: String?)]) throws {
    for (descriptor, tag) in list {
      guard let document = try reader.document(descriptor) else {
        throw ImageArchiveError.incomplete(reader.path, blob: descriptor.digest)
      }
      let attached = AttachedManifest(manifest: document, tag: tag)
      if let lacking = attached.blobs.first(where: { !reader.has($0) }) {
        throw ImageArchiveError.incomplete(reader.path, blob: lacking.digest)
      }
      for index in images.indices { images[index].attached.append(attached) }
    }
    for (descriptor, tag, kind) in about {
      guard let document = try? reader.document(descriptor) else {
        note("\(descriptor.digest), which is about an image, is not in the archive")
        continue
      }
      var attached = AttachedManifest(manifest: document, tag: tag)
      guard let index = subject(of: attached, named: SavedName(descriptor).full, isOnly: kind != nil) else {
        note("\(tag ?? "\(descriptor.digest)") is about an image that is not in the archive: it is left out")
        continue
      }
      if let kind, let suffix = Self.cosignSuffixes[kind] {
        attached = AttachedManifest(
          manifest: document, tag: AttachedManifest.tag(of: images[index].digest, suffix))
      }
      if attached.blobs.allSatisfy({ reader.has($0) }) {
        images[index].attached.append(attached)
      } else {
        images[index].remarks.append(
          "\(tag ?? "\(descriptor.digest)") is not whole in the archive: it is left out")
      }
    }
  }

  private mutating func note(_ remark: String) {
    if !images.isEmpty { images[0].remarks.append(remark) }
  }

  /// The image that something is about: which its subject, its tag or its name says.
  private func subject(of attached: AttachedManifest, named name: String?, isOnly: Bool) -> Int? {
    let digest =
      attached.subject
      ?? attached.tag.flatMap { tag in
        let suffix = AttachedManifest.suffixes.first(where: tag.hasSuffix) ?? ""
        return AttachedManifest.subject(ofList: String(tag.dropLast(suffix.count)))
      }
    if let digest {
      return images.firstIndex { $0.digests.contains(digest) || $0.original == digest }
    }
    if let name, let index = images.firstIndex(where: { $0.names.contains(name) }) { return index }
    return isOnly && images.count == 1 ? 0 : nil
  }
}

/// What a descriptor of `index.json` says of an image's name.
struct SavedName {
  /// The full name.
  let full: String?
  /// The tag alone.
  let tag: String?
  /// What cosign says that it is: `image`, `imageIndex`, `sigs`.
  let kind: String?

  init(_ descriptor: Descriptor) {
    let annotations = descriptor.annotations ?? [:]
    kind = annotations["kind"].flatMap { $0.hasPrefix("dev.cosignproject.cosign/") ? $0 : nil }
      .map { String($0.dropFirst("dev.cosignproject.cosign/".count)) }
    let name = annotations[ImageLayout.nameAnnotation].flatMap(Self.usable)
    let reference = annotations[ImageLayout.tagAnnotation].flatMap(Self.usable)
    // skopeo and podman write the full name there, most others the tag alone.
    let isFull = reference?.utf8.contains { [0x2f, 0x3a, 0x40].contains($0) } ?? false
    full = name ?? (isFull ? reference : nil)
    tag = isFull ? nil : reference
  }

  /// The tag at the end of a full name.
  static func tag(of name: String) -> String? { (try? ImageReference(name))?.tag }

  /// What engines write where there is no name: nothing, `<none>:<none>`, or the image's ID.
  static func usable(_ name: String) -> String? {
    name.isEmpty || name.contains("<none>") || (try? Digest(name)) != nil ? nil : name
  }
}
