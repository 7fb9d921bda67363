import SystemPackage

/// The plan of a tar in gzip that only stores: where every byte of it lies, known before its contents are. Such an archive
/// can be written in any order, each byte once.
///
/// Its bytes are those that ``ArchiveWriter`` makes with `.gzip(level: 0)` of the same entries.
public struct StoredTar: Sendable {
  /// A regular file in the archive: of root, mode 0644, without a time.
  public struct Entry: Sendable {
    let name: String
    let size: Int64
    let bytes: [UInt8]?

    /// A file whose content is at hand.
    public init(_ name: String, bytes: [UInt8]) {
      (self.name, size, self.bytes) = (name, Int64(bytes.count), bytes)
    }

    /// A file whose content comes later.
    public init(_ name: String, size: Int64) { (self.name, self.size, bytes) = (name, size, nil) }
  }

  /// Bytes between the contents that come later. Most are zeros, before and after what a header says, and the plans of
  /// all images of a run are held at once: zeros are only counted.
  struct Known: Sendable {
    let offset: Int64
    private let zerosBefore: Int
    private let text: [UInt8]
    private let zerosAfter: Int

    init(offset: Int64, bytes: [UInt8]) {
      self.offset = offset
      let start = bytes.firstIndex { $0 != 0 } ?? bytes.endIndex
      let end = bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? start
      (zerosBefore, zerosAfter) = (start, bytes.count - end)
      text = Array(bytes[start..<end])
    }

    var bytes: [UInt8] {
      [UInt8](repeating: 0, count: zerosBefore) + text + [UInt8](repeating: 0, count: zerosAfter)
    }
  }

  /// The blocks around the tar.
  public let blocks: StoredBlocks
  /// All that is at hand, in the order of the tar.
  let known: [Known]
  /// Where in the tar the contents lie that come later, in their order.
  public let contents: [Range<Int64>]

  /// Plans an archive.
  ///
  /// - Throws: ``ArchiveError/cannotAdd(name:archive:reason:)``; `path` is the archive that it names.
  public init(_ entries: [Entry], of path: FilePath) throws(ArchiveError) {
    var builder = Builder()
    for entry in entries {
      do {
        builder.add(entry, headers: try WriteHandle.headers(of: entry))
      } catch {
        throw .cannotAdd(name: entry.name, archive: path, reason: error.reason)
      }
    }
    builder.close()
    (known, contents) = (builder.known, builder.contents)
    blocks = StoredBlocks(ofWrites: builder.writes.lazy.joined())
  }

  /// All bytes between the contents that come later.
  public var knownBytes: some Sequence<[UInt8]> { known.lazy.map(\.bytes) }

  /// How many bytes the archive will have.
  public var fileSize: Int64 { blocks.fileSize }
}

/// Lays out the parts of a tar.
private struct Builder {
  private static let block: Int64 = 512
  /// The pieces in which libarchive writes zeros.
  private static let zeros = 1024

  var known: [StoredTar.Known] = []
  var contents: [Range<Int64>] = []
  /// The sizes of the pieces in which the writer of the tar hands it over.
  var writes: [Pieces] = []
  private var offset: Int64 = 0
  /// What is at hand since the last content that comes later.
  private var gap: [UInt8] = []

  mutating func add(_ entry: StoredTar.Entry, headers: [[UInt8]]) {
    for header in headers { append(header) }
    if let bytes = entry.bytes {
      append(bytes)
    } else {
      if entry.size > 0 { closeGap() }
      contents.append(offset..<offset + entry.size)
      writes.append(Pieces(total: entry.size, size: ArchiveWriter.pieceSize))
      offset += entry.size
    }
    append([UInt8](repeating: 0, count: Int((Self.block - entry.size % Self.block) % Self.block)))
  }

  /// Two empty blocks end a tar.
  mutating func close() {
    append([UInt8](repeating: 0, count: Self.zeros))
    closeGap()
  }

  private mutating func append(_ bytes: [UInt8]) {
    writes.append(Pieces(total: Int64(bytes.count), size: max(1, bytes.count)))
    gap += bytes
    offset += Int64(bytes.count)
  }

  /// A content that comes later follows, or the end.
  private mutating func closeGap() {
    guard !gap.isEmpty else { return }
    known.append(StoredTar.Known(offset: offset - Int64(gap.count), bytes: gap))
    gap.removeAll(keepingCapacity: true)
  }
}

/// Pieces of one size, and a smaller last one.
private struct Pieces: Sequence, IteratorProtocol {
  var total: Int64
  let size: Int

  mutating func next() -> Int? {
    guard total > 0 else { return nil }
    let piece = Int(Swift.min(total, Int64(size)))
    total -= Int64(piece)
    return piece
  }
}

extension WriteHandle {
  /// What stands before the content of a file, in the pieces in which libarchive writes it: a header, or a long name or
  /// large size with a header of its own and the header.
  fileprivate static func headers(of entry: StoredTar.Entry) throws(Failure) -> [[UInt8]] {
    do throws(EntryPath.Refusal) {
      guard try EntryPath(entry.name).string == entry.name, !entry.name.isEmpty else {
        throw EntryPath.Refusal(reason: "is not a plain relative path")
      }
    } catch {
      throw Failure(reason: "the name \(error.reason)")
    }
    let output = ArchiveOutput(nil)
    let handle = try WriteHandle(output, compression: .none, blockSize: 0)
    let header = ArchiveEntry(
      path: entry.name, kind: .file, size: entry.size, permissions: 0o644, modified: 0)
    let result = withUTF8Names { Result { () throws(Failure) in try handle.writeHeader(header) } }
    try result.get()
    return output.collected
  }
}
