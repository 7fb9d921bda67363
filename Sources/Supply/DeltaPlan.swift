import Bundle
import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// What goes into a delta.
struct DeltaPlan: Sendable {
  /// Blobs below this size lie between the others: a file of its own would take more room.
  static let smallBlob: Int64 = 64 << 10
  /// Parts below this size are not looked up in the base.
  private static let smallestShared: Int64 = 1 << 10
  /// The most bytes between the blobs of one archive that are held in memory.
  private static let mostBetween: Int64 = 16 << 20

  /// A piece, and where its bytes are in the new bundle.
  struct Piece: Sendable {
    enum Content: Sendable {
      case blob(ManifestFile, Range<Int64>)
      case between(ManifestFile, [Range<Int64>])
    }

    let piece: DeltaPiece
    let content: Content
  }

  /// The files that go in whole.
  private(set) var files: [ManifestFile] = []
  private(set) var archives: [ArchiveRecipe] = []
  private(set) var pieces: [Piece] = []
  /// The bytes that the base does not have, each content once.
  private(set) var newBytes: Int64 = 0

  /// An archive that the base does not have.
  private struct Archive {
    let file: ManifestFile
    let head: [UInt8]
    let blocks: [Int]
    let tail: [UInt8]
    let segments: [TarSegment]
  }

  /// Plans a delta.
  ///
  /// - Throws: ``DeltaError`` or `FileError` when an archive of the new bundle cannot be read.
  init(_ bundle: HeldBundle, for base: DeltaBase) throws {
    var archives: [Archive] = []
    var planned: Set<Digest> = []
    for file in bundle.manifest.files where !base.files.contains(file.sha256) {
      guard planned.insert(file.sha256).inserted else { continue }
      if file.image != nil, let archive = try Self.look(at: file, bundle) {
        archives.append(archive)
      } else {
        files.append(file)
      }
    }
    var count: [Digest: Int] = [:]
    for digest in archives.flatMap({ Set($0.segments.compactMap(\.blob)) }) { count[digest, default: 0] += 1 }
    for archive in archives {
      let isWorth = archive.segments.contains { segment in
        guard let blob = segment.blob, segment.size >= Self.smallestShared else { return false }
        return base.blobs[blob] != nil || count[blob, default: 0] > 1
      }
      let between = archive.segments.byteSum { $0.blob == nil || $0.size < Self.smallBlob ? $0.size : 0 }
      if isWorth, between <= Self.mostBetween {
        try add(archive, bundle, base)
      } else {
        files.append(archive.file)
      }
    }
    files.sort { $0.path < $1.path }
    newBytes = ByteSize.sum(newBytes, files.byteSum(of: \.size))
  }

  private static func look(at file: ManifestFile, _ bundle: HeldBundle) throws -> Archive? {
    try bundle.withArchive(file, isWanted: true) { stream in
      Archive(
        file: file, head: stream.head, blocks: stream.blocks, tail: stream.tail,
        segments: try TarSegments.of(stream))
    }
  }

  private mutating func add(_ archive: Archive, _ bundle: HeldBundle, _ base: DeltaBase) throws {
    var segments: [ArchiveRecipe.Segment] = []
    var between: [Range<Int64>] = []
    for segment in archive.segments {
      if let blob = segment.blob, segment.size >= Self.smallestShared, let path = base.blobs[blob] {
        segments.append(.init(size: segment.size, blob: blob, base: path))
      } else if let blob = segment.blob, segment.size >= Self.smallBlob {
        segments.append(.init(size: segment.size, blob: blob))
        addPiece(blob, segment.size, .blob(archive.file, segment.range))
      } else {
        between.append(segment.range)
        if let last = segments.indices.last, segments[last].blob == nil {
          segments[last].size += segment.size
        } else {
          segments.append(.init(size: segment.size))
        }
      }
    }
    let bytes = try Self.bytes(between, of: archive.file, bundle)
    let digest = Digest(of: bytes)
    addPiece(digest, Int64(bytes.count), .between(archive.file, between))
    archives.append(
      ArchiveRecipe(
        path: archive.file.path, head: Data(archive.head), blocks: archive.blocks, tail: Data(archive.tail),
        between: digest, segments: segments))
  }

  private mutating func addPiece(_ digest: Digest, _ size: Int64, _ content: Piece.Content) {
    guard !pieces.contains(where: { $0.piece.sha256 == digest }) else { return }
    pieces.append(Piece(piece: DeltaPiece(sha256: digest, size: size), content: content))
    newBytes = ByteSize.sum(newBytes, size)
  }

  private static func bytes(
    _ ranges: [Range<Int64>], of file: ManifestFile, _ bundle: HeldBundle
  ) throws -> [UInt8] {
    var bytes: [UInt8] = []
    _ = try bundle.withArchive(file) { stream in
      for range in ranges { try stream.read(range) { bytes.append(contentsOf: $0) } }
    }
    return bytes
  }
}
