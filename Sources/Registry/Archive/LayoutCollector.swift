import Archive
import Bundle
import FoundationEssentials
import Integrity
import SystemPackage

/// Collects index.json, and the indexes and manifests that it leads to, from the entries of an archive.
struct LayoutCollector {
  private let path: FilePath
  private var top: Descriptor?
  private var indexes: [Digest: ArchivedIndex] = [:]
  private var manifests: [Digest: ArchivedManifest] = [:]
  /// What was named and has not come by.
  private var wanted: [Digest: Descriptor] = [:]
  /// Whether this is the order of ``ImageArchiveWriter``, in which all manifests come before all other content.
  private var isOurOrder = false
  private var isAtStart = true
  private var hasPassedManifests = false

  init(_ path: FilePath) {
    self.path = path
  }

  /// How many documents have been understood.
  var documents: Int { (top == nil ? 0 : 1) + indexes.count + manifests.count }

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
    } else if let digest = ImageLayout.digest(ofBlob: entry.path) {
      if let descriptor = wanted[digest] {
        try take(descriptor, try content.bytes(limit: ManifestContent.maximumSize))
      } else if isOurOrder, manifests[digest] == nil, indexes[digest] == nil {
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
    wanted[descriptor.digest] = descriptor
  }

  private mutating func take(_ descriptor: Descriptor, _ bytes: [UInt8]) throws {
    let actual = Digest(of: bytes, algorithm: descriptor.digest.algorithm)
    guard actual == descriptor.digest else {
      throw ImageArchiveError.damaged(path, blob: descriptor.digest, actual: actual)
    }
    wanted[descriptor.digest] = nil
    do {
      if descriptor.mediaType.isIndex {
        let index = try ArchivedIndex(bytes, mediaType: descriptor.mediaType)
        indexes[descriptor.digest] = index
        for child in index.index.manifests where manifests[child.digest] == nil {
          wanted[child.digest] = child
        }
      } else {
        manifests[descriptor.digest] = try ArchivedManifest(
          bytes, mediaType: descriptor.mediaType, platform: descriptor.platform)
      }
    } catch {
      throw unusable("\(error)")
    }
  }

  /// The image.
  ///
  /// - Throws: ``ImageArchiveError``.
  func image() throws(ImageArchiveError) -> ArchivedImage {
    guard let top else { throw .noImageLayout(path) }
    guard let name = top.annotations?[ImageLayout.nameAnnotation] else {
      throw unusable("it does not say the image's name (\(ImageLayout.nameAnnotation))")
    }
    let reference: ImageReference
    do {
      reference = try ImageReference(name)
    } catch {
      throw unusable("\(error)")
    }
    // What a name with a digest stands for stays as it was served, and may list what is not carried.
    let isPinned = reference.digest == top.digest
    if let missing = wanted.keys.min(by: { $0.hex < $1.hex }), !isPinned || top.digest == missing {
      throw .incomplete(path, blob: missing)
    }
    var found = Found()
    collect(top, into: &found)
    guard let main = found.manifests.first else { throw .incomplete(path, blob: top.digest) }
    return ArchivedImage(
      reference: reference, main: main, others: Array(found.manifests.dropFirst()), indexes: found.indexes)
  }

  private struct Found {
    var indexes: [ArchivedIndex] = []
    var manifests: [ArchivedManifest] = []
    var digests: Set<Digest> = []
  }

  private func collect(_ descriptor: Descriptor, into found: inout Found) {
    guard found.digests.insert(descriptor.digest).inserted else { return }
    if let index = indexes[descriptor.digest] {
      found.indexes.append(index)
      for child in index.index.manifests { collect(child, into: &found) }
    } else if let manifest = manifests[descriptor.digest] {
      found.manifests.append(manifest)
    }
  }

  private func unusable(_ reason: String) -> ImageArchiveError { .unusable(path, reason: reason) }
}
