import Archive
import Bundle
import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// The images of an archive, or of a folder, as whatever program wrote it: docker (classic, and of the containerd store),
/// podman, nerdctl, ctr, skopeo, crane, ko, kaniko, buildx, regctl, and this one.
///
/// `index.json` of an OCI layout counts first: it has the manifests as their registry served them. `manifest.json` gives
/// names where that has none, images that are not in it, and images that it has wrong.
struct SavedImages {
  /// How deep in folders an archive may lie within its tar.
  private static let deepest = 3

  /// An image with one of its names.
  struct Named {
    let image: ArchivedImage
    /// What is to be known of it.
    let remark: String?
  }

  /// Where their blobs lie.
  let blobs: SavedBlobs
  /// The images; those with several names more than once.
  private(set) var images: [Named] = []
  /// Why others cannot be used, each once.
  private(set) var failures: [any Error] = []
  /// The images before they had names.
  private(set) var found: [SavedImage] = []
  private var broken: [BrokenImage] = []

  var path: FilePath { blobs.path }

  /// Reads all of an archive but its layers' content; that of compressed layers too.
  ///
  /// - Parameters:
  ///   - path: The archive, or a folder.
  ///   - scratch: Where a compressed archive is unpacked; `nil` when nothing is taken out of it.
  ///   - name: What its only image is called, or the only one without a name; where several have nothing but a tag each, the
  ///     repository of them all.
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError``, `FileError`, `ImageReferenceError` for `name`, or
  ///   `CancellationError`.
  init(_ path: FilePath, scratch: FilePath?, named name: String? = nil) throws {
    let files = try SavedFiles(path, scratch: scratch)
    blobs = SavedBlobs(files, scratch: scratch)
    let roots = Self.roots(files.names)
    guard !roots.isEmpty else { throw ImageArchiveError.noImages(path, reason: Self.likeness(files.names)) }
    for root in roots { try read(root, isOnly: roots.count == 1) }
    try giveNames(name)
    if images.isEmpty, failures.isEmpty {
      throw ImageArchiveError.noImages(path, reason: "its lists are empty")
    }
  }

  /// The folders in which `index.json` or `manifest.json` lie, each with a slash behind; those that are least deep.
  private static func roots(_ names: [String]) -> [String] {
    var roots: [Int: Set<String>] = [:]
    for name in names {
      let parts = name.utf8.split(separator: UInt8(ascii: "/")).map { String($0) ?? "" }
      guard let last = parts.last, [ImageLayout.indexFile, ImageLayout.dockerFile].contains(last),
        parts.count <= deepest + 1
      else { continue }
      roots[parts.count, default: []].insert(parts.dropLast().map { $0 + "/" }.joined())
    }
    return roots.min { $0.key < $1.key }?.value.sorted() ?? []
  }

  /// What something without images seems to be.
  private static func likeness(_ names: [String]) -> String {
    let tops = Set(names.map { String($0.prefix { $0 != "/" }) })
    if tops.isSuperset(of: ["etc", "usr"]) {
      return "it looks like the files of a container (docker export, podman export) and not like an image"
    }
    if tops.contains("repositories") {
      return "it has no manifest.json, as archives of Docker before 1.10 had none"
    }
    if names.contains(where: { $0.hasSuffix(".tar") || $0.hasSuffix(".tar.gz") || $0.hasSuffix(".tgz") }) {
      return "it has neither index.json nor manifest.json, but other archives: name those"
    }
    return "it has neither index.json nor manifest.json"
  }

  // MARK: Reading

  private mutating func read(_ root: String, isOnly: Bool) throws {
    do {
      let hasIndex = blobs.files.size(root + ImageLayout.indexFile) != nil
      let list =
        blobs.files.size(root + ImageLayout.dockerFile) != nil
        ? try blobs.files.bytes(root + ImageLayout.dockerFile) : nil
      if hasIndex {
        let layout = try LayoutImages(
          LayoutReader(blobs: blobs, root: root),
          index: try blobs.files.bytes(root + ImageLayout.indexFile))
        merge(layout.images, layout.broken)
        if let list { try merge(DockerItems(list, blobs, root: root)) }
      } else if let list, Self.isOneManifest(list) {
        let layout = try LayoutImages(
          LayoutReader(blobs: blobs, root: root, isFlat: true), index: list, isManifest: true)
        merge(layout.images, layout.broken)
      } else if let list {
        try merge(DockerItems(list, blobs, root: root))
      }
    } catch let error where !isOnly && !(error is CancellationError) {
      failures.append(error)
    }
  }

  /// Whether a manifest.json is the manifest of an image, as in folders of skopeo and podman, and not a list.
  private static func isOneManifest(_ bytes: [UInt8]) -> Bool {
    struct Outline: Decodable { let schemaVersion: Int }
    return (try? JSONDecoder().decode(Outline.self, from: Data(bytes))) != nil
  }

  private mutating func merge(_ images: [SavedImage], _ broken: [BrokenImage]) {
    found += images
    self.broken += broken
  }

  /// Adds what manifest.json knows.
  private mutating func merge(_ list: DockerItems) throws {
    for item in list.items {
      let known = item.digest.flatMap { digest in
        found.firstIndex { $0.configurations.contains(digest) }
      }
      if let known {
        guard try agrees(item, known) else { continue }
        let present = Set(found[known].names.map(Self.full))
        found[known].names += item.names.filter { !present.contains(Self.full($0)) }
        continue
      }
      if let other = found.firstIndex(where: { image in
        image.absent.isEmpty && !Set(image.names.map(Self.full)).isDisjoint(with: item.names.map(Self.full))
      }) {
        fail(
          found.remove(at: other).names,
          "index.json and manifest.json give it different configurations, \(item.digest.map { "\($0)" } ?? "none")"
        )
        continue
      }
      take(item, list)
    }
  }

  /// Makes an image of an item that index.json has not, or has wrong.
  private mutating func take(_ item: DockerItems.Item, _ list: DockerItems) {
    let wrong = broken.firstIndex { image in
      item.digest.map { image.configurations.contains($0) } ?? false
        || !Set(image.names.map(Self.full)).isDisjoint(with: item.names.map(Self.full))
    }
    do {
      var image = try list.image(item)
      if let wrong {
        let other = broken.remove(at: wrong)
        let present = Set(image.names.map(Self.full))
        image.names += other.names.filter { !present.contains(Self.full($0)) }
        image.tag = other.tag
        image.remarks.append("what index.json says of it is wrong, so it is taken as manifest.json says")
      }
      if let index = found.firstIndex(where: { $0.digest == image.digest }) {
        found[index].names += image.names
      } else {
        found.append(image)
      }
    } catch {
      // What was told of it once is enough.
      if wrong == nil { broken.append(BrokenImage(names: item.names, reason: error)) }
    }
  }

  /// Holds an item against the manifest that has its configuration: files that are named by digests say which layers.
  private mutating func agrees(_ item: DockerItems.Item, _ index: Int) throws -> Bool {
    for manifest in found[index].manifests {
      guard case .manifest(let content) = manifest.content, content.config.digest == item.digest else {
        continue
      }
      let named = item.layers.map { name in
        ImageLayout.digest(ofBlob: name.split(separator: "/").suffix(3).joined(separator: "/"))
      }
      let isSame =
        named.count == content.layers.count
        && zip(named, content.layers).allSatisfy { $0 == nil || $0 == $1.digest }
      guard isSame else {
        fail(
          found.remove(at: index).names + item.names,
          "index.json and manifest.json give it different layers")
        return false
      }
    }
    return true
  }

  private mutating func fail(_ names: [String], _ reason: String) {
    let name = names.first ?? "an image"
    broken.append(
      BrokenImage(
        names: [], reason: ImageArchiveError.unusableImage(path, image: name, reason: reason)))
  }

  /// A name as Docker completes it, for comparisons: a list that has no digests means the same image.
  private static func full(_ name: String) -> String {
    guard let reference = try? ImageReference(name) else { return name }
    return reference.tag.map { "\(reference.name):\($0)" } ?? reference.description
  }

  // MARK: Names

  private mutating func giveNames(_ given: String?) throws {
    failures += broken.map { image in
      image.names.first.map { name in
        ImageArchiveError.unusableImage(path, image: name, reason: Self.reason(image.reason, path))
      } ?? image.reason
    }
    if let given {
      let nameless = found.indices.filter { found[$0].names.isEmpty }
      if let only = found.count == 1 ? 0 : nameless.count == 1 ? nameless[0] : nil {
        found[only].names = [Self.completed(given, with: found[only].tag)]
        _ = try ImageReference(found[only].names[0])
      } else if !nameless.isEmpty, nameless.allSatisfy({ found[$0].tag != nil }) {
        // A layout with tags alone is that of one repository (umoci, skopeo's transport oci).
        for index in nameless { found[index].names = [Self.completed(given, with: found[index].tag)] }
      }
    }
    var isNamed: Set<String> = []
    for image in found {
      if image.names.isEmpty {
        failures.append(
          ImageArchiveError.nameless(path, image: image.digest, isOnly: found.count == 1 && broken.isEmpty))
      }
      for name in image.names {
        do {
          let reference = try ImageReference(name)
          guard isNamed.insert("\(reference) \(image.digest)").inserted else { continue }
          images.append(
            Named(
              image: try image.named(reference),
              remark: image.remarks.isEmpty ? nil : image.remarks.joined(separator: "; ")))
        } catch let error as ImageReferenceError {
          failures.append(ImageArchiveError.misnamed(path, image: name, reason: error.reason))
        } catch {
          failures.append(ImageArchiveError.unusableImage(path, image: name, reason: "\(error)"))
        }
      }
    }
    refuseContested()
  }

  /// One name for two images of an archive is none.
  private mutating func refuseContested() {
    let same = Dictionary(grouping: images) { $0.image.reference }
    for (reference, all) in same.sorted(by: { $0.key < $1.key }) {
      let digests = Set(all.map(\.image.descriptor.digest))
      guard digests.count > 1 else { continue }
      images.removeAll { $0.image.reference == reference }
      failures.append(
        ImageArchiveError.unusableImage(
          path, image: "\(reference)",
          reason: "\(digests.map { "\($0)" }.sorted().joined(separator: " and ")) are both called so"))
    }
  }

  /// A given name with the tag that the archive has, where it has none of its own.
  private static func completed(_ name: String, with tag: String?) -> String {
    let last = name.split(separator: "/").last ?? ""
    guard let tag, !last.contains(":"), !last.contains("@") else { return name }
    return "\(name):\(tag)"
  }

  /// A reason without the archive's name, which the sentence around it has.
  private static func reason(_ error: any Error, _ path: FilePath) -> String {
    switch error {
    case ImageArchiveError.unusable(path, let reason), ImageArchiveError.noImages(path, let reason),
      ImageArchiveError.unusableImage(path, _, let reason):
      reason
    case ImageArchiveError.damaged(path, let blob, let actual): "its content \(blob) has digest \(actual)"
    case ImageArchiveError.incomplete(path, let blob):
      "its content \(blob) is missing or has another size"
    default: "\(error)"
    }
  }
}

extension ImageArchiveReader {
  /// Reads the whole of an image archive of any kind, and proves every layer by its digest.
  ///
  /// - Returns: The names of its images.
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError``, `FileError` or `CancellationError`.
  public static func verifyNames(_ path: FilePath) throws -> [ImageReference] {
    let saved = try SavedImages(path, scratch: nil)
    if let failure = saved.failures.first { throw failure }
    defer { saved.blobs.close() }
    var seen: Set<Digest> = []
    for blob in saved.images.flatMap(\.image.blobs) where !blob.isForeign && seen.insert(blob.digest).inserted
    {
      try saved.blobs.prove(blob)
    }
    return saved.images.map(\.image.reference)
  }
}
