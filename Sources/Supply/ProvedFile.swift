import Files
import Integrity
import SystemPackage

/// Writes a file beside its final name and gives it the name when it has the size and the digest that it must have.
///
/// A file of that name that is right already stays. Its bytes are not flushed: whoever writes many flushes all of them
/// before the one that says that they are complete.
struct ProvedFile {
  let path: FilePath
  let size: Int64
  let sha256: Digest

  /// Whether the file is there and right.
  var isThere: Bool {
    guard let info = FileInfo(regularFile: path), info.size == size else { return false }
    return (try? Digest(ofFile: path)) == sha256
  }

  /// Writes it.
  ///
  /// - Parameters:
  ///   - isProgram: Whether everybody may start it.
  ///   - content: Hands over the bytes to the function that it is given.
  /// - Returns: `nil`, or how the bytes were others than they must be; the final name is then as it was.
  /// - Throws: `FileError`, or what `content` throws.
  func write(
    isProgram: Bool = false, _ content: (@escaping (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws -> String? {
    let permissions: FilePermissions =
      isProgram ? [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute] : .publicFile
    try createDirectories(path.removingLastComponent(), isDurable: false)
    let file = try PendingFile(for: path, permissions: permissions)
    let output = ProvedOutput(file)
    try content { try output.add($0) }
    try output.flush()
    guard output.size == size else { return "it has \(output.size) bytes instead of \(size)" }
    let actual = output.hasher.finalize()
    guard actual == sha256 else { return "its digest is \(actual) instead of \(sha256)" }
    try file.commit(isDurable: false)
    return nil
  }
}

/// Gathers small pieces, then hashes and writes them while the processor still has them at hand; and has the disk begin
/// with what is written, so that little is left to wait for when everything is flushed.
private final class ProvedOutput {
  private(set) var hasher = DigestHasher(.sha256)
  private(set) var size: Int64 = 0

  private let file: PendingFile
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
  private var filled = 0
  /// How many bytes the disk has been told to begin with.
  private var begun: Int64 = 0
  /// How many bytes are left to gather before it is told again.
  private static let step: Int64 = 8 << 20

  init(_ file: PendingFile) { self.file = file }

  deinit { buffer.deallocate() }

  func add(_ bytes: UnsafeRawBufferPointer) throws {
    if filled == 0, bytes.count >= buffer.count { return try put(bytes) }
    var rest = bytes
    while !rest.isEmpty {
      let count = min(rest.count, buffer.count - filled)
      let room = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      room.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
      filled += count
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      if filled == buffer.count { try flush() }
    }
  }

  /// Writes what was gathered.
  func flush() throws {
    try put(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
    filled = 0
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws {
    hasher.update(bytes)
    size += Int64(bytes.count)
    try FileError.naming(.write, file.destination) { _ = try file.descriptor.writeAll(bytes) }
    if size - begun >= Self.step {
      file.beginWriting(begun..<size)
      begun = size
    }
  }
}
