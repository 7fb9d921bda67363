import Files
import Integrity
import SystemPackage

/// What goes from the storage folder of a registry when some images are needed no longer, and what stays all the same.
///
/// This unlinks names and manifests, as the registry itself does when it is asked to delete them. The bytes go when the
/// registry collects its garbage: all blobs that no manifest names any more, whoever has left them.
public struct StoragePruning: Sendable {
  /// An image that stays although no kept bundle has it.
  public struct Kept: Sendable, Hashable, Encodable {
    /// Its name in the registry.
    public let name: String
    /// Why, for people.
    public let reason: String
  }

  /// The tags that go, as `REPOSITORY:TAG`.
  public let tags: [String]
  /// How many manifests go.
  public let manifests: Int
  /// The blobs, manifests among them, that no manifest names then.
  public let garbage: [Digest]
  /// How many bytes the disk gets back.
  public let bytes: Int64
  /// What stays and is no bundle's.
  public let kept: [Kept]
  /// Manifests that stay and that the registry cannot read, by name, with the reason: it would collect nothing.
  public let unreadable: [Kept]

  private let folder: StorageFolder
  /// The links in the order in which they go: no tag ever stands for a manifest that is gone, and a manifest tells which
  /// layers it needed until the last of them is gone.
  private let links: [FilePath]

  /// Whether there is nothing to do.
  public var isEmpty: Bool { links.isEmpty && garbage.isEmpty }

  /// Looks; changes nothing.
  ///
  /// - Parameters:
  ///   - storage: The registry's `rootdirectory`.
  ///   - keeping: The images of bundles that are kept: what they share with others stays.
  ///   - dropping: The images of bundles that are not.
  ///   - uses: Images that stay because somebody uses them.
  ///   - space: What was counted already.
  /// - Throws: `FileError`.
  public init(
    in storage: FilePath, keeping: [StoredImage], dropping: [StoredImage], uses: [ImageUse],
    _ space: inout RemovedSpace
  ) throws {
    let content = try StorageContent(try StorageFolder(storage))
    var choice = Choice(content: content, keeping: keeping, dropping: dropping, uses: uses)
    for name in content.repositories.keys.sorted() { choice.look(at: name) }
    folder = content.folder
    tags = choice.tags
    manifests = choice.revisions.count
    kept = choice.kept
    links = choice.tagLinks + choice.layerLinks + choice.revisionLinks
    unreadable = choice.unreadable
    let garbage = content.blobs.subtracting(choice.named).sorted { $0.hex < $1.hex }
    self.garbage = garbage
    let top = folder.base.appending("repositories")
    var bytes = try space.add(FileRemoval(links, below: top, takesEmptyFolders: false))
    for digest in garbage {
      let data = folder.data(digest)
      bytes = ByteSize.sum(
        bytes, try space.add(FileRemoval(try Self.content(of: data), below: data.removingLastComponent())))
    }
    self.bytes = bytes
  }

  private static func content(of data: FilePath) throws -> [FilePath] {
    let place = data.removingLastComponent()
    return try listFolder(ifPresent: place).map { place.appending($0) }
  }

  /// Takes the names and manifests out of the registry.
  public func unlink() {
    for link in links { folder.remove(link) }
  }

  /// Takes out the first of them alone; says whether there was one.
  func unlinkFirst() -> Bool {
    guard let first = links.first(where: { folder.size($0) != nil }) else { return false }
    folder.remove(first)
    return true
  }

  /// The blobs that were to go and are still there.
  public var leftGarbage: [Digest] { garbage.filter { folder.size(folder.data($0)) != nil } }
}

/// Which manifests of each repository go.
private struct Choice {
  let content: StorageContent
  let keeping: [StoredImage]
  let dropping: [StoredImage]
  let uses: [ImageUse]

  var tags: [String] = []
  var revisions: [(repository: String, digest: Digest)] = []
  var kept: [StoragePruning.Kept] = []
  var unreadable: [StoragePruning.Kept] = []
  var tagLinks: [FilePath] = []
  var revisionLinks: [FilePath] = []
  var layerLinks: [FilePath] = []
  /// What the manifests that stay name, they themselves included.
  var named: Set<Digest> = []

  init(content: StorageContent, keeping: [StoredImage], dropping: [StoredImage], uses: [ImageUse]) {
    self.content = content
    self.keeping = keeping
    self.dropping = dropping
    self.uses = uses
  }

  mutating func look(at name: String) {
    guard let repository = content.repositories[name] else { return }
    let needed = content.closure(keeping, in: name)
    let superfluous = content.closure(dropping, in: name).subtracting(needed)
    var going = superfluous
    going.subtract(keepForeign(name, repository, ours: needed.union(superfluous)))
    for image in dropping where image.repository == name {
      let whole = content.closure([image], in: name)
      guard !whole.isDisjoint(with: going), let use = use(of: image, whole) else { continue }
      going.subtract(whole)
      keep(Self.text(image), "\(use.user) uses it")
    }
    unlink(going, from: name, repository)
    for revision in repository.revisions.subtracting(going) {
      named.insert(revision)
      guard let document = content.documents[revision] else { continue }
      named.formUnion(document.children + document.blobs)
      guard let fault = document.fault else { continue }
      unreadable.append(.init(name: "\(name)@\(revision)", reason: fault))
    }
  }

  private mutating func keep(_ name: String, _ reason: String) {
    let new = StoragePruning.Kept(name: name, reason: reason)
    if !kept.contains(new) { kept.append(new) }
  }

  /// What stays because somebody else has put it there, or a name for it.
  private mutating func keepForeign(
    _ name: String, _ repository: StorageContent.Repository, ours: Set<Digest>
  ) -> Set<Digest> {
    let known = Set((keeping + dropping).filter { $0.repository == name }.flatMap(\.tags))
    var foreign: Set<Digest> = []
    for (tag, target) in repository.tags.sorted(by: { $0.key < $1.key }) {
      guard let target, !known.contains(tag) || !ours.contains(target) else { continue }
      foreign.formUnion(content.closure([target], in: name))
      keep("\(name):\(tag)", "no bundle of this host has put it there")
    }
    let untagged = repository.revisions.subtracting(ours).subtracting(foreign)
    if !untagged.isEmpty {
      let count = counted(untagged.count, "manifest")
      keep(name, "\(count) without a tag, which no bundle of this host has put there")
    }
    return foreign
  }

  private func use(of image: StoredImage, _ whole: Set<Digest>) -> ImageUse? {
    let digests = whole.union(whole.compactMap { content.documents[$0]?.configuration })
    return uses.first { use in
      if let digest = use.digest, digests.contains(digest) { return true }
      guard let tag = use.tag, tag == image.tag, use.repository == image.repository else { return false }
      return true
    }
  }

  private mutating func unlink(
    _ going: Set<Digest>, from name: String, _ repository: StorageContent.Repository
  ) {
    let folder = content.folder
    for (tag, target) in repository.tags.sorted(by: { $0.key < $1.key }) {
      let place = folder.base.appending("repositories/\(name)/_manifests/tags").appending(tag)
      let before = folder.digests(in: place.appending("index/sha256"))
      // A tag without a target is what a kill has left of one that went.
      let goes = target.map(going.contains) ?? before.allSatisfy { !repository.revisions.contains($0) }
      for digest in before where goes || going.contains(digest) {
        tagLinks.append(folder.tagLinks(name, tag, digest).index)
      }
      guard goes else { continue }
      tagLinks.append(place.appending("current/link"))
      tags.append("\(name):\(tag)")
    }
    let sorted = going.sorted { $0.hex < $1.hex }
    revisions += sorted.map { (name, $0) }
    revisionLinks += sorted.map { folder.revisionLink(name, $0) }
    let rest = repository.revisions.subtracting(going)
    let needed = Set(rest.flatMap { content.documents[$0]?.blobs ?? [] })
    let gone = Set(going.flatMap { content.documents[$0]?.blobs ?? [] }).subtracting(needed)
    layerLinks += gone.sorted { $0.hex < $1.hex }.map { folder.layerLink(name, $0) }
  }

  private static func text(_ image: StoredImage) -> String {
    "\(image.repository)" + (image.tag.map { ":\($0)" } ?? "@\(image.digest)")
  }
}
