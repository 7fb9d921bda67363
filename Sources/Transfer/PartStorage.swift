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
  /// Writes bytes behind those that are here.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws
  /// Notes what the answer says that brings the bytes.
  func note(_ origin: PartOrigin)
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
    try readFile(path, body)
    return PartOrigin(validator: meta[2].isEmpty ? nil : meta[2], total: ByteSize.parse(meta[3]))
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
    _ = try descriptor.writeAll(toAbsoluteOffset: offset, bytes)
  }

  /// Four lines: the URL without credentials, the expected digest, the validator, the size of the whole; an absent one is
  /// empty.
  func note(_ origin: PartOrigin) {
    let lines = [
      redactedURL, download.digest?.description ?? "", origin.validator ?? "",
      origin.total.map(String.init) ?? "",
    ]
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
  func note(_ origin: PartOrigin) {}
  func discard() { place.discard() }
  func commit() { place.complete() }
  func remove() {}
}
