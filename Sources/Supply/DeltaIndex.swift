import Bundle
import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// `delta.json`: what is in a delta, and how the archives of images are put together from it. Written last: a folder
/// without it is an unfinished delta.
///
/// Nobody signs it, and nobody has to believe it: the new bundle's manifest, which may be signed, has the digest of each
/// file that comes of it.
public struct DeltaIndex: Sendable, Codable, Equatable {
  /// Its name in the folder of the delta.
  public static let fileName = "delta.json"
  /// Its name while the delta is made.
  static let unfinishedFileName = "delta.json.unfinished"
  /// The format that this program reads and writes.
  public static let currentFormat = 1
  /// The most bytes that are read of an index.
  static let largestFile = 256 << 20
  /// The folder with what is new of the new bundle: its manifest, signatures and files, each under its path.
  public static let newFolder = "new"
  /// The folder with blobs of images and what lies between them, each named by its digest.
  static let pieceFolder = "pieces"

  /// The number of the format.
  public var format = DeltaIndex.currentFormat
  /// The program that wrote it.
  public var tool: String
  /// The bundle that it is for.
  public var base: BundleIdentity
  /// The bundle that comes of it.
  public var result: BundleIdentity
  /// The digest of the new bundle's manifest.
  public var manifest: Digest
  /// The files of the base that are damaged, where this is to heal them; absent otherwise.
  public var heals: [BundlePath]?
  /// The files of the new bundle that are here whole.
  public var files: [BundlePath]
  /// The archives of images that are put together.
  public var archives: [ArchiveRecipe]
  /// What they are put together from, as far as the base has it not.
  public var pieces: [DeltaPiece]
}

/// A blob of an image, or all that lies between the blobs of one archive.
public struct DeltaPiece: Sendable, Codable, Equatable {
  /// Its digest, by which it is named.
  public var sha256: Digest
  /// Its size in bytes.
  public var size: Int64

  /// Its place in the folder of the delta.
  var place: String { "\(DeltaIndex.pieceFolder)/\(sha256.hex)" }
}

/// How the archive of an image is put together, byte for byte.
public struct ArchiveRecipe: Sendable, Codable, Equatable {
  /// A part of what is in the archive.
  public struct Segment: Sendable, Codable, Equatable {
    /// Its size in bytes.
    public var size: Int64
    /// The blob that it is; absent for the next bytes of ``ArchiveRecipe/between``.
    public var blob: Digest?
    /// The archive of the base that has the blob; absent for a blob that is a piece of the delta.
    public var base: BundlePath?
  }

  /// The archive's path in the new bundle.
  public var path: BundlePath
  /// The bytes before the first block of the gzip file.
  public var head: Data
  /// The length of each block.
  public var blocks: [Int]
  /// The bytes behind the last block.
  public var tail: Data
  /// The piece with all that lies between the blobs.
  public var between: Digest
  /// The parts, in their order.
  public var segments: [Segment]
}

extension DeltaIndex {
  /// Reads the index of a delta.
  ///
  /// - Throws: ``DeltaError``, or `FileError`.
  public static func load(from folder: FilePath) throws -> DeltaIndex {
    var bytes: [UInt8] = []
    do {
      try readFile(FilePath(fileName), beneath: folder) { piece in
        guard piece.count <= largestFile - bytes.count else {
          throw FileError(.read, folder.appending(fileName), .fileTooLarge)
        }
        bytes.append(contentsOf: piece)
      }
    } catch let error as FileError where error.isMissing {
      throw DeltaError.noDelta(folder)
    }
    return try DeltaIndex(decoding: bytes, from: folder.appending(fileName))
  }

  /// Decodes the bytes of an index. Nothing is read from `path`: errors name it.
  ///
  /// - Throws: ``DeltaError``.
  public init(decoding bytes: [UInt8], from path: FilePath) throws(DeltaError) {
    struct Format: Decodable { let format: Int }
    do {
      let format = try JSONDecoder().decode(Format.self, from: Data(bytes)).format
      guard format == Self.currentFormat else { throw DeltaError.otherFormat(path, format: format) }
      self = try JSONDecoder().decode(DeltaIndex.self, from: Data(bytes))
    } catch let error as DeltaError {
      throw error
    } catch {
      throw .malformed(path, reason: "it is cut off, or somebody has changed it")
    }
    if let fault { throw .malformed(path, reason: fault) }
  }

  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }

  /// What no delta says.
  private var fault: String? {
    for digest in pieces.map(\.sha256) + archives.map(\.between) where digest.algorithm != .sha256 {
      return "a piece is not named by its SHA-256"
    }
    let sizes = pieces.map(\.size) + archives.flatMap { $0.segments.map(\.size) }
    guard sizes.allSatisfy(ByteSize.range.contains) else { return "it has a size that nothing has" }
    for archive in archives {
      let isRight = archive.blocks.allSatisfy { 0...StoredArchive.largestBlock ~= $0 }
      guard isRight, archive.blocks.byteSum(of: { Int64($0) }) == archive.segments.byteSum(of: \.size) else {
        return "the parts of \(archive.path) do not fill it"
      }
    }
    return nil
  }

  /// How many bytes its pieces have.
  var pieceBytes: Int64 { pieces.byteSum(of: \.size) }
}
