import Archive
import Files
import Integrity
import Synchronization
import SystemPackage

/// The files of an archive or of a folder, by their names in it, each at hand at any time.
///
/// An archive that has them byte for byte is read where it lies. Another one is unpacked into one file, once.
final class SavedFiles: Sendable {
  /// How many files an archive may have; an image has three and its layers.
  private static let most = 100_000
  /// Files up to this size are kept where the others are only hashed.
  private static let small = Int64(ManifestContent.maximumSize)
  /// So many bytes tell how a file is compressed.
  static let head = 512
  /// How many bytes the small files may have together.
  private static let largest: Int64 = 64 << 20

  /// Where a file is.
  private enum Place {
    case stored(TarIndex.File)
    case file(FilePath)
    case bytes([UInt8])
    /// Nowhere: only its digest and how it begins are known.
    case hashed(Digest, head: [UInt8])
  }

  private struct Entry {
    let place: Place
    let size: Int64
  }

  private struct Content {
    var entries: [String: Entry] = [:]
    var links: [String: TarIndex.Link] = [:]
  }

  let path: FilePath
  private let content: Mutex<Content>

  /// Finds the files: reads an archive's headers, or all of it when it is compressed.
  ///
  /// - Parameter scratch: Where a compressed archive is unpacked; `nil` when its large files need only be hashed.
  /// - Throws: ``ImageArchiveError``, ``Archive/ArchiveError``, `FileError` or `CancellationError`.
  init(_ path: FilePath, scratch: FilePath?) throws {
    self.path = path
    content = Mutex(try Self.content(of: path, scratch))
  }

  private static func content(of path: FilePath, _ scratch: FilePath?) throws -> Content {
    if try FileInfo(path, followsLinks: true).kind == .folder { return try folder(path) }
    do {
      return try tidied(stored(path))
    } catch StoredStreamError.notStored {
      return try tidied(scratch.map { try unpacked(path, into: $0) } ?? hashed(path))
    } catch let error as StoredStreamError {
      throw error.naming(path)
    }
  }

  /// Forgets where everything lies; what was unpacked is gone with its last reader.
  func close() { content.withLock { $0 = Content() } }

  /// The names of all files and links.
  var names: [String] { content.withLock { Array($0.entries.keys) + Array($0.links.keys) } }

  /// The size of a file; `nil` when there is none of that name.
  func size(_ name: String) -> Int64? { entry(name)?.size }

  /// The digest of a file whose content is not kept.
  func knownDigest(_ name: String) -> Digest? {
    if case .hashed(let digest, _) = entry(name)?.place { digest } else { nil }
  }

  /// How a file begins that is kept in memory, or whose content is not kept.
  func knownHead(_ name: String) -> [UInt8]? {
    switch entry(name)?.place {
    case .hashed(_, let head): head
    case .bytes(let bytes): Array(bytes.prefix(Self.head))
    default: nil
    }
  }

  /// A file, to be read.
  ///
  /// - Throws: ``ImageArchiveError`` when there is none, or `FileError`.
  func file(_ name: String) throws -> TarIndex.File {
    guard let entry = entry(name) else { throw lacks(name) }
    switch entry.place {
    case .stored(let file): return file
    case .file(let place):
      let file = try RandomAccessFile(place)
      return TarIndex.File(start: StoredStream(plain: file), size: file.size)
    case .bytes, .hashed: throw lacks(name)
    }
  }

  /// The bytes of a small file.
  ///
  /// - Throws: ``ImageArchiveError`` when there is none, or it is too large; `FileError`.
  func bytes(_ name: String) throws -> [UInt8] {
    guard let entry = entry(name) else { throw lacks(name) }
    if case .bytes(let bytes) = entry.place { return bytes }
    guard entry.size <= ManifestContent.maximumSize else {
      throw ImageArchiveError.unusable(
        path, reason: "its \(name.debugDescription) is larger than \(ManifestContent.maximumSize >> 20) MiB")
    }
    var stream = try file(name).start
    var bytes = [UInt8](repeating: 0, count: Int(entry.size))
    do {
      guard try bytes.withUnsafeMutableBytes({ try stream.read(into: $0) }) == bytes.count else {
        throw StoredStreamError.damaged("the file ends too early")
      }
    } catch let error as StoredStreamError {
      throw error.naming(path)
    }
    return bytes
  }

  private func lacks(_ name: String) -> ImageArchiveError {
    .unusable(path, reason: "\(name.debugDescription) is not in it")
  }

  /// The file that a name leads to: layers in common are links in older archives.
  private func entry(_ name: String) -> Entry? {
    content.withLock { content in
      var name = Self.tidy(name, in: [])
      for _ in 0..<16 {
        guard let present = name else { return nil }
        if let entry = content.entries[present] { return entry }
        guard let link = content.links[present] else { return nil }
        let folder = link.isHard ? [] : present.utf8.split(separator: UInt8(ascii: "/")).dropLast()
        name = Self.tidy(link.target, in: folder.map { String($0) ?? "" })
      }
      return nil
    }
  }
}

// MARK: Finding them

extension SavedFiles {
  /// A name without what says nothing, as `./` or a slash in front; `nil` for one that leads outside.
  private static func tidy(_ name: String, in folder: [String]) -> String? {
    // In bytes: to Swift a slash with a mark that combines with it is another character.
    var parts = name.utf8.first == UInt8(ascii: "/") ? [] : folder
    for part in name.utf8.split(separator: UInt8(ascii: "/")) {
      switch String(part) ?? "" {
      case "", ".": continue
      case "..":
        guard parts.popLast() != nil else { return nil }
      case let part: parts.append(part)
      }
    }
    return parts.isEmpty ? nil : parts.joined(separator: "/")
  }

  private static func tidied(_ content: Content) -> Content {
    var result = Content()
    for (name, entry) in content.entries {
      if let name = tidy(name, in: []) { result.entries[name] = entry }
    }
    for (name, link) in content.links {
      if let name = tidy(name, in: []) { result.links[name] = link }
    }
    return result
  }

  private static func stored(_ path: FilePath) throws -> Content {
    let stream = try StoredStream(RandomAccessFile(path))
    // Compressed twice: gzip stores what is compressed already.
    var beginning = stream
    var head = [UInt8](repeating: 0, count: Self.head)
    _ = try? head.withUnsafeMutableBytes { try beginning.read(into: $0) }
    guard Compression(head) == .none else { throw StoredStreamError.notStored }
    let index = try TarIndex(stream)
    try check(index.files.count, path)
    return Content(
      entries: index.files.mapValues { Entry(place: .stored($0), size: $0.size) }, links: index.links)
  }

  private static func folder(_ path: FilePath) throws -> Content {
    var content = Content()
    try walkFolder(path) { entry in
      guard entry.info.kind == .file || entry.info.kind == .link else { return }
      let place = path.appending(FilePath(entry.name).components)
      // Who names a folder means what is in it, links too.
      guard let info = try? FileInfo(place, followsLinks: true), info.kind == .file else { return }
      content.entries[entry.name] = Entry(place: .file(place), size: info.size)
      try check(content.entries.count, path)
    }
    return content
  }

  private static func check(_ count: Int, _ path: FilePath) throws(ImageArchiveError) {
    guard count <= most else { throw .unusable(path, reason: "it has more than \(most) files") }
  }

  private static func visit(
    _ path: FilePath, _ body: (ArchiveEntry, ArchiveContent) throws -> Entry
  ) throws -> Content {
    var content = Content()
    try ArchiveReader.visit(path) { entry, bytes in
      switch entry.kind {
      case .file: content.entries[entry.path] = try body(entry, bytes)
      case .symbolicLink(let target): content.links[entry.path] = TarIndex.Link(target: target, isHard: false)
      case .hardLink(let target): content.links[entry.path] = TarIndex.Link(target: target, isHard: true)
      case .directory, .other: break
      }
      try check(content.entries.count + content.links.count, path)
      return .next
    }
    return content
  }

  /// All files one behind the other in one file without a name: its space is given back however this program ends.
  private static func unpacked(_ path: FilePath, into scratch: FilePath) throws -> Content {
    try createDirectories(scratch)
    let (place, descriptor) = try createTemporaryFile(in: scratch, named: "archive")
    defer { try? removeFile(place) }
    var offsets: [String: Int64] = [:]
    var end: Int64 = 0
    let content = try descriptor.closeAfter {
      try visit(path) { entry, content in
        offsets[entry.path] = end
        try content.pieces { piece in
          try FileError.naming(.write, place) { _ = try descriptor.writeAll(piece) }
        }
        end = ByteSize.sum(end, entry.size)
        return Entry(place: .bytes([]), size: entry.size)
      }
    }
    let file = try RandomAccessFile(place)
    var result = Content(links: content.links)
    for (name, entry) in content.entries {
      var start = StoredStream(plain: file)
      try start.skip(offsets[name] ?? 0)
      result.entries[name] = Entry(
        place: .stored(TarIndex.File(start: start, size: entry.size)), size: entry.size)
    }
    return result
  }

  /// The small files, and the digests of the others.
  private static func hashed(_ path: FilePath) throws -> Content {
    var kept: Int64 = 0
    return try visit(path) { entry, content in
      if entry.size <= small, kept + entry.size <= largest {
        kept += entry.size
        return Entry(place: .bytes(try content.bytes(limit: Int(small))), size: entry.size)
      }
      var hasher = DigestHasher(.sha256)
      var head: [UInt8] = []
      try content.pieces { piece in
        hasher.update(piece)
        if head.count < self.head { head += piece.prefix(self.head - head.count) }
      }
      return Entry(place: .hashed(hasher.finalize(), head: head), size: entry.size)
    }
  }
}
