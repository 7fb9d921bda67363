import Bundle
import Files
import FoundationEssentials
import Integrity
import SystemPackage

/// `media.json`: what one of several media holds, and what all of them hold together. Each has the same set, and its own
/// number.
public struct MediaIndex: Sendable, Codable, Equatable {
  /// Its name on a medium.
  public static let fileName = "media.json"
  /// The format that this program reads and writes.
  public static let currentFormat = 1
  /// Its name while the medium is written.
  static let unfinishedFileName = "media.json.unfinished"
  /// The folder on a medium with the files that are whole.
  static let contentFolder = "content"
  /// The folder on a medium with pieces of files that are larger than a medium.
  static let pieceFolder = "pieces"
  static let largestFile = 256 << 20

  /// The number of the format.
  public var format = MediaIndex.currentFormat
  /// The number of this medium, from 1.
  public var part: Int
  /// The digest of ``set``, by which two media are known to belong together.
  public var id: Digest
  /// What all media hold together.
  public var set: MediaSet
}

/// What several media hold together.
public struct MediaSet: Sendable, Codable, Equatable {
  /// The bundle, or the bundle that comes of the delta.
  public var bundle: BundleIdentity
  /// How many media there are.
  public var parts: Int
  /// The room on each medium that was planned with, in bytes.
  public var capacity: Int64
  /// The files, in order of their paths; what closes the bundle or the delta is among them.
  public var files: [MediaFile]

  /// The digest of the set, whatever medium it was read from.
  func id() throws -> Digest {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Digest(of: Array(try encoder.encode(self)))
  }
}

/// A file that media hold.
public struct MediaFile: Sendable, Codable, Hashable {
  /// A part of a file on one medium.
  public struct Piece: Sendable, Codable, Hashable {
    /// The number of the medium.
    public var part: Int
    /// Its size in bytes.
    public var size: Int64
    /// Its digest.
    public var sha256: Digest
  }

  /// Its path in the folder that is put together.
  public var path: String
  /// Its size in bytes.
  public var size: Int64
  /// Its digest.
  public var sha256: Digest
  /// Whether everybody may start it; media with FAT do not keep that.
  public var isProgram: Bool?
  /// The pieces, in their order: one for a file that is whole.
  public var pieces: [Piece]

  /// The name of a piece on its medium: for a file that is whole, its path.
  func name(of number: Int) -> String {
    pieces.count == 1
      ? "\(MediaIndex.contentFolder)/\(path)" : "\(MediaIndex.pieceFolder)/\(sha256.hex).\(number + 1)"
  }

  /// Where a piece begins in the file.
  func offset(of number: Int) -> Int64 { pieces[..<number].byteSum(of: \.size) }
}

extension MediaIndex {
  /// Reads the index on a medium.
  ///
  /// - Throws: ``MediaError`` or `FileError`.
  public static func load(from medium: FilePath) throws -> MediaIndex {
    let path = medium.appending(fileName)
    var bytes: [UInt8] = []
    do {
      try readFile(FilePath(fileName), beneath: medium) { piece in
        guard piece.count <= largestFile - bytes.count else { throw FileError(.read, path, .fileTooLarge) }
        bytes.append(contentsOf: piece)
      }
    } catch let error as FileError where error.isMissing {
      throw MediaError.noMedium(medium)
    }
    return try MediaIndex(decoding: bytes, from: path)
  }

  /// Decodes the bytes of an index. Nothing is read from `path`: errors name it.
  ///
  /// - Throws: ``MediaError``.
  public init(decoding bytes: [UInt8], from path: FilePath) throws(MediaError) {
    struct Format: Decodable { let format: Int }
    do {
      let format = try JSONDecoder().decode(Format.self, from: Data(bytes)).format
      guard format == Self.currentFormat else { throw MediaError.otherFormat(path, format: format) }
      self = try JSONDecoder().decode(MediaIndex.self, from: Data(bytes))
      guard try set.id() == id else { throw MediaError.malformed(path) }
    } catch let error as MediaError {
      throw error
    } catch {
      throw .malformed(path)
    }
    guard set.isSound, 1...set.parts ~= part else { throw .malformed(path) }
  }

  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }
}

extension MediaSet {
  /// Whether its paths stay in their folder and its pieces make their files.
  fileprivate var isSound: Bool {
    guard 1...100_000 ~= parts else { return false }
    var seen: Swift.Set<String> = []
    return files.allSatisfy { file in
      MediaContent.isPath(file.path) && seen.insert(file.path.lowercased()).inserted
        && ByteSize.range.contains(file.size) && file.sha256.algorithm == .sha256 && !file.pieces.isEmpty
        && file.pieces.allSatisfy { piece in
          ByteSize.range.contains(piece.size) && 1...parts ~= piece.part && piece.sha256.algorithm == .sha256
        } && file.pieces.byteSum(of: \.size) == file.size
    }
  }
}
