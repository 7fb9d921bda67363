import Files
import Integrity
import SystemPackage

/// Writes a tar archive whose bytes depend only on what is added and in which order: every entry belongs to
/// root, has one and the same modification time, and the compressed stream carries neither time nor name.
///
/// The bytes go to a temporary name, which ``finish()`` flushes to the disk and renames. A writer that is let go
/// before, or after an error, leaves nothing behind and a file of the final name as it was.
public final class ArchiveWriter {
  /// How many bytes of a file are handed to libarchive at a time: where gzip that only stores begins its blocks depends on
  /// it.
  static let pieceSize = 1 << 18

  private let path: FilePath
  private let modified: Int64
  private let output: ArchiveOutput
  /// `nil` when the archive is finished or given up.
  private var file: PendingFile?
  private var handle: WriteHandle?
  private var names: Set<String> = []

  /// Starts an archive.
  ///
  /// - Parameters:
  ///   - path: The final name; its folder must exist.
  ///   - compression: How to compress.
  ///   - modified: The modification time of all entries, in seconds since 1970.
  /// - Throws: ``ArchiveError/writeFailed(archive:reason:)``.
  public init(
    _ path: FilePath, compression: ArchiveCompression, modified: Int64 = 0
  ) throws(ArchiveError) {
    if let level = compression.level, !level.allowed.contains(level.chosen) {
      throw .writeFailed(
        archive: path,
        reason: "\(compression.filterName ?? "tar") has levels \(level.allowed.lowerBound) to "
          + "\(level.allowed.upperBound), not \(level.chosen)")
    }
    self.path = path
    self.modified = modified
    let file: PendingFile
    do {
      file = try PendingFile(for: path)
    } catch {
      throw .writeFailed(archive: path, reason: "\(error.code)")
    }
    self.file = file
    output = ArchiveOutput(file.descriptor)
    do {
      handle = try WriteHandle(output, compression: compression)
    } catch {
      throw .writeFailed(archive: path, reason: error.reason)
    }
  }

  /// Adds a regular file from the disk, with mode 0755 if its owner may execute it and else 0644.
  ///
  /// - Parameters:
  ///   - file: The file.
  ///   - name: Its name in the archive.
  ///   - expectedSize: How many bytes it must have, if that is known.
  ///   - digest: What its bytes must hash to, if they are to be proved once more while they are copied.
  /// - Throws: ``ArchiveError``; the archive is then given up.
  public func add(
    file: FilePath, as name: String, size expectedSize: Int64? = nil, digest: Digest? = nil
  ) throws(ArchiveError) {
    try adding(name) { handle in
      let source = try openFile(file, .readOnly)
      try source.closeAfter {
        let info = try FileInfo(source)
        guard info.kind == .file else { throw WriteHandle.Failure(reason: "it is not a regular file") }
        let size = info.size
        if let expectedSize, size != expectedSize {
          throw WriteHandle.Failure(reason: "\(file) has \(size) bytes where \(expectedSize) were expected")
        }
        let executable = info.permissions.contains(.ownerExecute)
        try handle.writeHeader(entry(name, .file, size: size, permissions: executable ? 0o755 : 0o644))
        try copy(source, size: size, digest: digest, to: handle)
      }
    }
  }

  /// Adds a file with this content.
  ///
  /// - Throws: ``ArchiveError``; the archive is then given up.
  public func add(bytes: [UInt8], as name: String, permissions: UInt16 = 0o644) throws(ArchiveError) {
    try adding(name) { handle in
      try handle.writeHeader(entry(name, .file, size: Int64(bytes.count), permissions: permissions))
      try bytes.withUnsafeBytes { content throws in try handle.writeContent(content) }
    }
  }

  /// Adds a file whose content is made while it is written, mode 0644.
  ///
  /// - Parameters:
  ///   - name: Its name in the archive.
  ///   - size: How many bytes it will have; fewer or more are an error.
  ///   - content: Hands over the content piece by piece, to the function that it is given.
  /// - Throws: ``ArchiveError``, or what `content` throws; the archive is then given up.
  public func add(
    streamed name: String, size: Int64, _ content: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    var cause: (any Error)?
    do {
      try adding(name) { handle in
        try handle.writeHeader(entry(name, .file, size: size, permissions: 0o644))
        var left = size
        do {
          try content { piece in
            left -= Int64(piece.count)
            // The header has promised this many bytes.
            guard left >= 0 else { throw WriteHandle.Failure(reason: "it has more bytes than \(size)") }
            try handle.writeContent(piece)
          }
        } catch let failure as WriteHandle.Failure {
          throw failure
        } catch {
          cause = error
          throw error
        }
        guard left == 0 else {
          throw WriteHandle.Failure(reason: "it has \(size - left) bytes where \(size) were expected")
        }
      }
    } catch {
      throw cause ?? error
    }
  }

  /// Adds a directory, mode 0755.
  ///
  /// - Throws: ``ArchiveError``; the archive is then given up.
  public func add(directory name: String) throws(ArchiveError) {
    try adding(name) { handle in try handle.writeHeader(entry(name, .directory, permissions: 0o755)) }
  }

  /// Adds a symbolic link, which must lead to somewhere inside the archive, whether that exists or not.
  ///
  /// - Throws: ``ArchiveError``; the archive is then given up.
  public func add(symlink name: String, target: String) throws(ArchiveError) {
    try adding(name) { handle in
      try EntryPath(name).checkLinkTarget(target)
      try handle.writeHeader(entry(name, .symbolicLink(target: target), permissions: 0o777))
    }
  }

  /// Completes the archive and gives it its name.
  ///
  /// - Returns: The size in bytes and the digest of the whole file.
  /// - Throws: ``ArchiveError/writeFailed(archive:reason:)``.
  @discardableResult
  public func finish() throws(ArchiveError) -> (size: Int64, sha256: Digest) {
    guard let handle, let file else { throw abandoned }
    defer { giveUp() }
    do {
      try withUTF8Names { try handle.close() }
      try file.commit()
    } catch {
      throw .writeFailed(archive: path, reason: reason(error))
    }
    return (output.size, output.sha256)
  }

  private func adding(_ name: String, _ body: (WriteHandle) throws -> Void) throws(ArchiveError) {
    guard let handle else { throw abandoned }
    do {
      guard try EntryPath(name).string == name, !name.isEmpty else {
        throw EntryPath.Refusal(reason: "is not a plain relative path")
      }
      guard names.insert(name).inserted else { throw EntryPath.Refusal(reason: "is there already") }
      try withUTF8Names {
        try body(handle)
        try handle.finishEntry()
      }
    } catch {
      giveUp()
      throw .cannotAdd(name: name, archive: path, reason: reason(error))
    }
  }

  private func copy(
    _ source: FileDescriptor, size: Int64, digest: Digest?, to handle: WriteHandle
  ) throws {
    var hasher = digest.map { DigestHasher($0.algorithm) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceSize, alignment: 16)
    defer { buffer.deallocate() }
    var total: Int64 = 0
    while true {
      let count = try source.read(into: buffer)
      total += Int64(count)
      // The header has promised this many bytes.
      guard total <= size, count > 0 || total == size else {
        throw WriteHandle.Failure(reason: "it changed while it was read")
      }
      if count == 0 { break }
      let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      hasher?.update(piece)
      try handle.writeContent(piece)
    }
    if let digest, let actual = hasher?.finalize(), actual != digest {
      throw WriteHandle.Failure(reason: "its content has digest \(actual) where \(digest) was expected")
    }
  }

  private func entry(
    _ name: String, _ kind: ArchiveEntry.Kind, size: Int64 = 0, permissions: UInt16
  ) -> ArchiveEntry {
    ArchiveEntry(path: name, kind: kind, size: size, permissions: permissions, modified: modified)
  }

  private func giveUp() {
    handle = nil
    file = nil
  }

  private var abandoned: ArchiveError {
    .writeFailed(archive: path, reason: "it was finished before, or given up after an error")
  }

  private func reason(_ error: any Error) -> String {
    switch error {
    case let failure as WriteHandle.Failure: failure.reason
    case let refusal as EntryPath.Refusal: "the name \(refusal.reason)"
    default: FileError.reason(error)
    }
  }
}
