import Files
import Integrity
import SystemPackage

/// Where the bytes of a download are until they are proved, and the next run finds them.
protocol PartStorage: AnyObject, Sendable {
  /// The file that is written to, for errors.
  var path: FilePath { get }
  /// Hands over the bytes of an earlier run that are provably of the same thing.
  ///
  /// - Returns: What is known of where they came from; `nil` when there are none.
  func adopt(_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> PartOrigin?
  /// Whether bytes can be written at any place, and read again.
  var takesPieces: Bool { get }
  /// Whether the next run finds what lies beyond the first missing byte.
  var keepsPieces: Bool { get }
  /// Writes bytes behind those that are here, or anywhere where it takes pieces.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws
  /// Hands over bytes that were written.
  func read(_ range: Range<Int64>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws
  /// Whether a note lies beside the bytes.
  var hasNote: Bool { get }
  /// Notes what the answer says that brings the bytes.
  ///
  /// - Parameter first: How many bytes are here from the beginning on, where there may be others beyond; `nil` when all are.
  func note(_ origin: PartOrigin, first: Int64?)
  /// Forgets all bytes.
  func discard()
  /// The bytes are proved: they take their final place.
  func commit() throws
  /// Leaves nothing behind, since there is nothing worth resuming.
  func remove()
}

/// What the answer has told by which the bytes at hand came.
struct PartOrigin: Sendable {
  var validator: String?
  /// The size of the whole, in bytes.
  var total: Int64?
  /// What is here beyond the first bytes.
  var ahead = ByteRanges()
}

/// A file beside the final name; beside it lies a note of what it is a part of, so that another process can go on after a
/// kill.
final class FilePartStorage: PartStorage {
  let path: FilePath
  private let metaPath: FilePath
  private let download: Download
  private let redactedURL: String
  private let descriptor: FileDescriptor

  /// Opens the part that is there, or a new one. Nobody else's file is written to: the name is this program's own, and
  /// what lies there must be a file.
  ///
  /// - Throws: `FileError`.
  init(_ download: Download, redactedURL: String) throws(FileError) {
    self.download = download
    self.redactedURL = redactedURL
    path = Download.partFile(of: download.destination)
    metaPath = Download.metaFile(of: download.destination)
    descriptor =
      FileInfo(regularFile: path) == nil
      ? try openFile(
        path, .readWrite, options: [.create, .exclusiveCreate, .noFollow], permissions: .publicFile)
      : try openFile(path, .readWrite, options: [.noFollow, .nonBlocking])
  }

  deinit { try? descriptor.close() }

  func adopt(_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> PartOrigin? {
    guard let meta = readMeta(), meta.count >= 4, meta[0] == redactedURL,
      meta[1] == download.digest?.description ?? "", !(meta[1].isEmpty && meta[2].isEmpty)
    else {
      try? descriptor.resize(to: 0)
      return nil
    }
    var origin = PartOrigin(validator: meta[2].isEmpty ? nil : meta[2], total: ByteSize.parse(meta[3]))
    guard meta.count >= 5, !meta[4].isEmpty else {
      try readFile(path, body)
      return origin
    }
    // Of a file in pieces its length tells nothing. What is noted was written before; the digest proves it.
    guard let ranges = ByteRanges(meta[4]), origin.validator != nil, let total = origin.total,
      ranges.ranges.last.map({ $0.upperBound <= min(total, FileInfo(regularFile: path)?.size ?? 0) }) ?? true
    else {
      try? descriptor.resize(to: 0)
      return nil
    }
    origin.ahead = ranges
    if let first = ranges.first, first.lowerBound == 0 {
      try read(first, body)
      origin.ahead.remove(first)
    }
    return origin
  }

  var takesPieces: Bool { true }
  var keepsPieces: Bool { true }
  var hasNote: Bool { fileExists(metaPath) }

  func read(_ range: Range<Int64>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    var offset = range.lowerBound
    while offset < range.upperBound {
      let piece = UnsafeMutableRawBufferPointer(
        rebasing: buffer.prefix(Int(min(Int64(buffer.count), range.upperBound - offset))))
      let count = try FileError.naming(.read, path) {
        try descriptor.read(fromAbsoluteOffset: offset, into: piece)
      }
      guard count > 0 else { throw FileError(.read, path, .ioError) }
      try body(UnsafeRawBufferPointer(rebasing: piece.prefix(count)))
      offset += Int64(count)
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
    _ = try descriptor.writeAll(toAbsoluteOffset: offset, bytes)
  }

  /// Four lines: the URL without credentials, the expected digest, the validator, the size of the whole; an absent one is
  /// empty. For a file in pieces a fifth: the ranges that are here.
  func note(_ origin: PartOrigin, first: Int64?) {
    var lines = [
      redactedURL, download.digest?.description ?? "", origin.validator ?? "",
      origin.total.map(String.init) ?? "",
    ]
    if let first {
      var ranges = origin.ahead
      ranges.insert(0..<first)
      lines.append(ranges.ranges.isEmpty ? "0-0" : ranges.description)
    }
    // Without it the next run starts from the beginning: no reason to fail this one, or to hold up all others for the disk.
    let text = lines.joined(separator: "\n") + "\n"
    try? writeAtomically(Array(text.utf8), to: metaPath, isDurable: false)
  }

  func discard() {
    try? descriptor.resize(to: 0)
    try? removeFile(metaPath)
  }

  func commit() throws {
    if download.isDurable {
      try synchronize(descriptor)
      try renameDurably(path, to: download.destination)
    } else {
      try moveFile(path, to: download.destination)
    }
    try? removeFile(metaPath)
  }

  func remove() {
    try? removeFile(path)
    try? removeFile(metaPath)
  }

  private func readMeta() -> [String]? {
    try? readText(metaPath, limit: 1 << 16)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }
}

/// A place in something larger. What is there is told by its owner, and proved by its digest alone.
final class PlacedPartStorage: PartStorage {
  private let place: any ContentPlace

  init(_ place: any ContentPlace) { self.place = place }

  var path: FilePath { place.path }

  func adopt(_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> PartOrigin? {
    try place.readKept(body)
    return PartOrigin()
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { try place.write(bytes, at: offset) }
  var takesPieces: Bool { true }
  var keepsPieces: Bool { false }
  var hasNote: Bool { false }

  func read(_ range: Range<Int64>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try place.read(range, body)
  }

  func note(_ origin: PartOrigin, first: Int64?) {}
  func discard() { place.discard() }
  func commit() { place.complete() }
  func remove() {}
}
