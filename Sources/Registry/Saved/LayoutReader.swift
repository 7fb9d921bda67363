import Bundle
import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// Reads manifests and configurations out of a layout, and holds them against each other.
struct LayoutReader {
  /// What a descriptor leads to.
  struct Tree {
    var indexes: [FetchedManifest] = []
    var manifests: [FetchedManifest] = []
    /// What is listed and is not there, or not whole.
    var missing: [Descriptor] = []
    /// The first blob that is not there.
    var lacking: Digest?
    var configurations: Set<Digest> = []
    fileprivate var seen: Set<Digest> = []

    /// What its only manifest is about.
    var subject: Digest? {
      if manifests.count == 1, case .manifest(let content) = manifests[0].content {
        content.subject?.digest
      } else {
        nil
      }
    }
  }

  let blobs: SavedBlobs
  /// What stands before every name: the folder that the archive is in, with a slash.
  let root: String
  /// Whether blobs are named by their digests alone, as skopeo's transport `dir` does it.
  var isFlat = false

  var path: FilePath { blobs.path }

  private func name(_ digest: Digest) -> String? {
    let names =
      isFlat
      ? ["\(digest.hex)", "\(digest.hex).manifest.json", "\(digest.algorithm.rawValue)-\(digest.hex)"]
      : [ImageLayout.blobPath(digest)]
    let found = names.map { root + $0 }.first { blobs.files.size($0) != nil }
    if found == nil, isFlat, let bytes = try? blobs.files.bytes(root + "manifest.json"),
      Digest(of: bytes, algorithm: digest.algorithm) == digest
    {
      return root + "manifest.json"
    }
    return found
  }

  /// Whether a blob is there with its size. Notes its place.
  func has(_ blob: Descriptor) -> Bool {
    guard let name = name(blob.digest), blobs.files.size(name) == blob.size else { return false }
    blobs.note(blob.digest, at: name)
    return true
  }

  /// A manifest or an index; `nil` when it is not there.
  ///
  /// - Throws: ``ImageArchiveError`` when it is not what the descriptor says, or no manifest.
  func document(_ descriptor: Descriptor) throws -> FetchedManifest? {
    guard let name = name(descriptor.digest) else { return nil }
    let bytes = try blobs.files.bytes(name)
    let actual = Digest(of: bytes, algorithm: descriptor.digest.algorithm)
    guard actual == descriptor.digest else {
      throw ImageArchiveError.damaged(path, blob: descriptor.digest, actual: actual)
    }
    var descriptor = descriptor
    descriptor.annotations = nil
    // Its own word counts for more than that of who lists it.
    if let own = try? ManifestContent.mediaType(of: bytes, announced: descriptor.mediaType),
      own.isIndex || own.isManifest
    {
      descriptor.mediaType = own
    }
    do {
      return try FetchedManifest(bytes, descriptor: descriptor)
    } catch {
      throw ImageArchiveError.unusable(path, reason: "\(descriptor.digest): \(error)")
    }
  }

  /// attached.json, where this program puts what is about an image.
  ///
  /// - Throws: ``ImageArchiveError``.
  func attachedList() throws -> [(descriptor: Descriptor, tag: String?)] {
    let name = root + ImageLayout.attachedFile
    guard !isFlat, blobs.files.size(name) != nil else { return [] }
    let bytes = try blobs.files.bytes(name)
    guard let index = try? JSONDecoder().decode(ImageIndex.self, from: Data(bytes)) else {
      throw ImageArchiveError.unusable(path, reason: "its \(ImageLayout.attachedFile) is malformed")
    }
    return try index.manifests.map { descriptor in
      let tag = descriptor.annotations?[ImageLayout.tagAnnotation]
      guard tag.map(AttachedManifest.isTag) ?? true else {
        throw ImageArchiveError.unusable(
          path, reason: "its \(ImageLayout.attachedFile) names an image: \(tag ?? "")")
      }
      return (descriptor, tag)
    }
  }

  /// Follows a descriptor to all that it leads to.
  ///
  /// - Throws: ``ImageArchiveError``, `FileError` or `CancellationError`.
  func collect(_ descriptor: Descriptor, into tree: inout Tree, depth: Int = 0) throws {
    guard tree.seen.insert(descriptor.digest).inserted else { return }
    guard let document = try document(descriptor) else {
      tree.missing.append(descriptor)
      tree.lacking = tree.lacking ?? descriptor.digest
      return
    }
    try blobs.count(document.bytes)
    switch document.content {
    case .index(let index):
      guard depth < ImageResolver.maximumDepth else {
        throw ImageArchiveError.unusable(path, reason: "its indexes are nested without end")
      }
      tree.indexes.append(document)
      for child in index.manifests { try collect(child, into: &tree, depth: depth + 1) }
    case .manifest(let manifest):
      tree.configurations.insert(manifest.config.digest)
      if let blob = manifest.blobs.first(where: { !$0.isForeign && !has($0) }) {
        tree.missing.append(descriptor)
        tree.lacking = tree.lacking ?? blob.digest
        return
      }
      try check(manifest, document)
      // The entry of the index has the annotations and the platform.
      tree.manifests.append(document.describing(described(descriptor, document)))
    }
  }

  private func described(_ descriptor: Descriptor, _ document: FetchedManifest) -> Descriptor {
    var result = document.descriptor
    result.annotations = descriptor.annotations
    return result
  }

  /// The image that descriptors lead to.
  ///
  /// What is listed and is not there is left out, if something is left: `ctr export --platform` and `nerdctl save` write
  /// the index of all platforms with the content of some.
  /// - Parameters:
  ///   - isWhole: Whether one descriptor leads to all of it.
  ///   - isPinned: Whether the name has the digest of the index, which is then worth nothing for another one.
  /// - Throws: ``ImageArchiveError`` when there is nothing.
  func image(of tree: Tree, isWhole: Bool, isPinned: Bool) throws(ImageArchiveError) -> SavedImage {
    let images = tree.manifests.filter { !$0.descriptor.isAttestation }
    guard !images.isEmpty else {
      guard let lacking = tree.lacking else { throw .noImages(path, reason: "its index.json lists none") }
      throw .incomplete(path, blob: lacking)
    }
    let absent = tree.missing.filter { !$0.isAttestation }
    func plain(_ manifest: FetchedManifest) -> FetchedManifest {
      var descriptor = manifest.descriptor
      descriptor.annotations = nil
      return manifest.describing(descriptor)
    }
    guard isWhole, tree.missing.isEmpty || isPinned else {
      var image = SavedImage(manifests: images.map(plain))
      image.original = isWhole ? tree.indexes.first?.descriptor.digest : nil
      if !absent.isEmpty {
        let names = absent.map { $0.platform.map { "\($0)" } ?? "\($0.digest)" }
        image.remarks.append(
          "\(names.joined(separator: ", ")) is not in the archive, though the image has it: what is there is taken"
        )
        image.absent = absent
      } else if isWhole, !tree.missing.isEmpty {
        image.remarks.append("its attestations are not in the archive, so the image gets a digest of its own")
      }
      return image
    }
    let rest = tree.manifests.filter(\.descriptor.isAttestation)
    return SavedImage(manifests: (images + rest).map(plain), indexes: tree.indexes)
  }

  /// Holds a manifest against its configuration: the layers of the one must be those of the other. Docker 25.0.0 wrote
  /// manifests without layers for images that have some.
  private func check(_ manifest: ImageManifest, _ document: FetchedManifest) throws {
    let isImage = manifest.layers.allSatisfy { $0.mediaType.isLayer || $0.isForeign }
    let known: [MediaType] = [.ociConfig, .dockerConfig]
    guard isImage, blobs.files.size(name(manifest.config.digest) ?? "") != nil,
      let name = name(manifest.config.digest)
    else { return }
    let bytes = try blobs.files.bytes(name)
    let actual = Digest(of: bytes, algorithm: manifest.config.digest.algorithm)
    guard actual == manifest.config.digest else {
      throw ImageArchiveError.damaged(path, blob: manifest.config.digest, actual: actual)
    }
    guard let configuration = try? SavedConfiguration.decode(bytes) else {
      guard known.contains(manifest.config.mediaType) else { return }
      throw ImageArchiveError.unusable(
        path, reason: "the configuration \(manifest.config.digest) of its image is malformed")
    }
    guard let contents = configuration.contents else { return }
    guard contents.count == manifest.layers.count else {
      throw ImageArchiveError.unusable(
        path,
        reason: "the manifest \(document.descriptor.digest) has \(counted(manifest.layers.count, "layer")), "
          + "and its configuration has \(contents.count)")
    }
    // What is in an encrypted layer only those know who have the key (ocicrypt).
    for (layer, content) in zip(manifest.layers, contents)
    where !layer.isForeign && !layer.mediaType.isEncrypted {
      try blobs.prove(layer, content: content)
    }
  }
}
