import Files
import Integrity
import SystemPackage

/// What lies in the storage folder of a registry: names, manifests and the blobs that they name.
struct StorageContent: Sendable {
  /// A repository.
  struct Repository: Sendable {
    /// What each tag stands for; `nil` for one that stands for nothing.
    var tags: [String: Digest?] = [:]
    /// The manifests.
    var revisions: Set<Digest> = []
  }

  /// What a manifest names.
  struct Document: Sendable {
    /// The manifests of an index.
    var children: [Digest] = []
    /// The configuration and the layers.
    var blobs: [Digest] = []
    /// The configuration.
    var configuration: Digest?
    /// Why the registry cannot read it; `nil` when it can.
    var fault: String?
  }

  let folder: StorageFolder
  /// The repositories that have manifests, by name.
  private(set) var repositories: [String: Repository] = [:]
  /// The manifests, by digest.
  private(set) var documents: [Digest: Document] = [:]
  /// The blobs and manifests that have bytes there.
  private(set) var blobs: Set<Digest> = []

  /// Looks.
  ///
  /// - Throws: `FileError` when a folder cannot be read.
  init(_ folder: StorageFolder) throws {
    self.folder = folder
    for name in try StorageFolder.repositories(in: folder.root) {
      var repository = Repository()
      let manifests = folder.base.appending("repositories/\(name)/_manifests")
      repository.revisions = Set(
        folder.digests(in: manifests.appending("revisions/sha256")).filter {
          folder.target(of: folder.revisionLink(name, $0)) == $0
        })
      for tag in folder.names(in: manifests.appending("tags")) {
        let current = folder.target(of: manifests.appending("tags").appending(tag).appending("current/link"))
        repository.tags[tag] = .some(current)
      }
      for revision in repository.revisions where documents[revision] == nil { read(revision) }
      repositories[name] = repository
    }
    let top = folder.base.appending("blobs/sha256")
    for part in folder.names(in: top) { blobs.formUnion(folder.digests(in: top.appending(part))) }
  }

  /// Reads a manifest as the registry does: what it cannot read keeps it from collecting anything.
  private mutating func read(_ digest: Digest) {
    var document = Document()
    defer { documents[digest] = document }
    guard let bytes = folder.bytes(folder.data(digest), limit: ManifestContent.maximumSize) else {
      document.fault = "it is missing"
      return
    }
    do {
      let type = try ManifestContent.mediaType(of: bytes, announced: .ociManifest)
      switch try ManifestContent(bytes, mediaType: type) {
      case .manifest(let manifest):
        document.blobs = manifest.blobs.map(\.digest)
        document.configuration = manifest.config.digest
      case .index(let index): document.children = index.manifests.map(\.digest)
      }
    } catch {
      document.fault = "\(error)"
    }
  }

  /// The manifests of a repository that belong to some: these, and what they name.
  func closure(_ digests: some Sequence<Digest>, in repository: String) -> Set<Digest> {
    var found: Set<Digest> = []
    var open = Array(digests)
    let known = repositories[repository]?.revisions ?? []
    while let next = open.popLast() {
      guard known.contains(next), found.insert(next).inserted else { continue }
      open += documents[next]?.children ?? []
    }
    return found
  }

  /// The manifests of images that are in a repository, with what is about them.
  func closure(_ images: [StoredImage], in repository: String) -> Set<Digest> {
    closure(
      images.filter { $0.repository == repository }.flatMap { [$0.digest] + $0.attached.map(\.digest) },
      in: repository)
  }
}
