import Archive
import Bundle
import FoundationEssentials
import Integrity
import SystemPackage

/// Collects index.json, and the indexes and manifests that it leads to, from the entries of an archive.
struct LayoutCollector {
  /// How many bytes all manifests and indexes of an image may have together.
  private static let largest = 64 << 20

  private let path: FilePath
  private var top: Descriptor?
  private var name: String?
  private var documents: [Digest: FetchedManifest] = [:]
  /// What was named and has not come by.
  private var wanted: [Digest: Wanted] = [:]
  /// What is about the image, and the tag that leads there, if one does.
  private var attached: [(descriptor: Descriptor, tag: String?)]?
  /// How many bytes the documents have.
  private var documentBytes = 0
  /// Whether this is the order of ``ImageArchiveWriter``, in which all manifests come before all other content.
  private var isOurOrder = false
  private var isAtStart = true
  private var hasPassedManifests = false

  /// A document that was named.
  private struct Wanted {
    let descriptor: Descriptor
    /// In how many indexes it stands.
    let depth: Int
  }

  init(_ path: FilePath) {
    self.path = path
  }

  /// How many files have been understood.
  var count: Int { (top == nil ? 0 : 1) + documents.count }

  /// Whether nothing more is to be found.
  var isComplete: Bool { top != nil && (wanted.isEmpty || hasPassedManifests) }

  /// Prepares for the first entry.
  mutating func rewind() { isAtStart = true }

  /// Takes an entry.
  ///
  /// - Throws: ``ImageArchiveError`` or ``Archive/ArchiveError``.
  mutating func take(_ entry: ArchiveEntry, _ content: ArchiveContent) throws {
    if isAtStart { isOurOrder = entry.path == ImageLayout.markerFile }
    isAtStart = false
    if entry.path == ImageLayout.indexFile, top == nil {
      try takeIndexFile(try content.bytes(limit: ManifestContent.maximumSize))
    } else if entry.path == ImageLayout.attachedFile, isOurOrder, attached == nil {
      try takeAttachedFile(try content.bytes(limit: ManifestContent.maximumSize))
    } else if let digest = ImageLayout.digest(ofBlob: entry.path) {
      if let named = wanted[digest] {
        try take(named, try content.bytes(limit: ManifestContent.maximumSize))
      } else if isOurOrder, documents[digest] == nil {
        hasPassedManifests = true
      }
    }
  }

  private mutating func takeIndexFile(_ bytes: [UInt8]) throws {
    let index: ImageIndex
    do {
      index = try JSONDecoder().decode(ImageIndex.self, from: Data(bytes))
    } catch {
      throw unusable("its index.json is malformed")
    }
    guard let descriptor = index.manifests.first, index.manifests.count == 1 else {
      throw unusable("it holds \(index.manifests.count) images where one is expected")
    }
    top = descriptor
    top?.annotations = nil
    name = descriptor.annotations?[ImageLayout.nameAnnotation]
    wanted[descriptor.digest] = top.map { Wanted(descriptor: $0, depth: 0) }
  }

  private mutating func takeAttachedFile(_ bytes: [UInt8]) throws {
    guard let index = try? JSONDecoder().decode(ImageIndex.self, from: Data(bytes)) else {
      throw unusable("its \(ImageLayout.attachedFile) is malformed")
    }
    attached = try index.manifests.map { descriptor in
      let tag = descriptor.annotations?[ImageLayout.tagAnnotation]
      guard tag.map(AttachedManifest.isTag) ?? true, wanted[descriptor.digest] == nil else {
        throw unusable("its \(ImageLayout.attachedFile) names an image: \(tag ?? "\(descriptor.digest)")")
      }
      var descriptor = descriptor
      descriptor.annotations = nil
      return (descriptor, tag)
    }
    for (descriptor, _) in attached ?? [] {
      wanted[descriptor.digest] = Wanted(descriptor: descriptor, depth: 0)
    }
  }

  private mutating func take(_ named: Wanted, _ bytes: [UInt8]) throws {
    let descriptor = named.descriptor
    let actual = Digest(of: bytes, algorithm: descriptor.digest.algorithm)
    guard actual == descriptor.digest else {
      throw ImageArchiveError.damaged(path, blob: descriptor.digest, actual: actual)
    }
    wanted[descriptor.digest] = nil
    documentBytes += bytes.count
    guard documentBytes <= Self.largest else {
      throw unusable("its manifests have more than \(Self.largest >> 20) MiB together")
    }
    let document: FetchedManifest
    do {
      document = try FetchedManifest(bytes, descriptor: descriptor)
    } catch {
      throw unusable("\(error)")
    }
    documents[descriptor.digest] = document
    // What an attached index lists is attached too, or not carried.
    guard case .index(let index) = document.content, !isAttached(descriptor.digest) else { return }
    // For each level the archive may be read once more.
    guard named.depth < ImageResolver.maximumDepth else {
      throw unusable("its indexes are nested without end")
    }
    for child in index.manifests where documents[child.digest] == nil {
      wanted[child.digest] = Wanted(descriptor: child, depth: named.depth + 1)
    }
  }

  /// The image.
  ///
  /// - Parameter other: Its name if the archive does not say it.
  /// - Throws: ``ImageArchiveError``.
  func image(named other: ImageReference?) throws(ImageArchiveError) -> ArchivedImage {
    guard let top else { throw .noImageLayout(path) }
    let reference: ImageReference
    do {
      guard let found = try name.map({ try ImageReference($0) }) ?? other else {
        throw unusable("it does not say the image's name (\(ImageLayout.nameAnnotation))")
      }
      reference = found
    } catch let error as ImageArchiveError {
      throw error
    } catch {
      throw unusable("\(error)")
    }
    // What a name with a digest stands for stays as it was served, and may list what is not carried.
    let isPinned = reference.digest == top.digest
    let missing = wanted.keys.filter { !isPinned || top.digest == $0 || isAttached($0) }
    if let missing = missing.min(by: { $0.hex < $1.hex }) { throw .incomplete(path, blob: missing) }
    var found = Found()
    collect(top, into: &found)
    guard !found.manifests.isEmpty else { throw .incomplete(path, blob: top.digest) }
    do {
      return try ArchivedImage(
        reference: reference, manifests: found.manifests, indexes: found.indexes,
        attached: (attached ?? []).compactMap { descriptor, tag in
          documents[descriptor.digest].map { AttachedManifest(manifest: $0, tag: tag) }
        })
    } catch {
      throw unusable("\(error)")
    }
  }

  private func isAttached(_ digest: Digest) -> Bool {
    attached?.contains { $0.descriptor.digest == digest } ?? false
  }

  private struct Found {
    var indexes: [FetchedManifest] = []
    var manifests: [FetchedManifest] = []
    var digests: Set<Digest> = []
  }

  private func collect(_ descriptor: Descriptor, into found: inout Found) {
    guard let document = documents[descriptor.digest], found.digests.insert(descriptor.digest).inserted
    else { return }
    switch document.content {
    case .manifest: found.manifests.append(document)
    case .index(let index):
      found.indexes.append(document)
      for child in index.manifests { collect(child, into: &found) }
    }
  }

  private func unusable(_ reason: String) -> ImageArchiveError { .unusable(path, reason: reason) }
}
