import SystemPackage

/// Reads a file from start to end in pieces of at most 1 MiB, with constant memory.
///
/// - Throws: ``FileError`` when the file cannot be read, or whatever `body` throws.
public func readFile(_ path: FilePath, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
  try readPieces(of: try openFile(path, .readOnly), path, body)
}

/// Reads a file below a folder from start to end in pieces of at most 1 MiB; no part of its path may be a link.
///
/// - Throws: ``FileError`` as ``openFile(_:beneath:)``, or whatever `body` throws.
public func readFile(
  _ path: FilePath, beneath folder: FilePath, _ body: (UnsafeRawBufferPointer) throws -> Void
) throws {
  try readPieces(of: try openFile(path, beneath: folder), folder.appending(path.components), body)
}

private func readPieces(
  of descriptor: FileDescriptor, _ path: FilePath, _ body: (UnsafeRawBufferPointer) throws -> Void
) throws {
  defer { try? descriptor.close() }
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
  defer { buffer.deallocate() }
  while true {
    let count = try FileError.naming(.read, path) { try descriptor.read(into: buffer) }
    if count == 0 { return }
    try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
  }
}

/// The content of a file of at most `limit` bytes. Give a limit where the file comes from others.
///
/// - Throws: ``FileError``; for a longer file its code is `Errno.fileTooLarge`.
public func readBytes(_ path: FilePath, limit: Int = .max) throws -> [UInt8] {
  var bytes: [UInt8] = []
  // Memory that grows holds all bytes twice for a moment. Files of /proc say that they are empty.
  if let size = (try? FileInfo(path, followsLinks: true))?.size, size > 1 << 20 {
    bytes.reserveCapacity(Int(min(size, 256 << 20)))
  }
  try readFile(path) { piece in
    guard piece.count <= limit - bytes.count else { throw FileError(.read, path, .fileTooLarge) }
    bytes.append(contentsOf: piece)
  }
  return bytes
}

/// The content of a file; `nil` when there is none.
///
/// - Throws: ``FileError`` as ``readBytes(_:limit:)``.
public func readBytes(ifPresent path: FilePath, limit: Int = .max) throws -> [UInt8]? {
  do {
    return try readBytes(path, limit: limit)
  } catch let error as FileError where error.isMissing {
    return nil
  }
}

/// The text of a file in UTF-8; what is not UTF-8 becomes U+FFFD.
///
/// - Throws: ``FileError`` as ``readBytes(_:limit:)``.
public func readText(_ path: FilePath, limit: Int = .max) throws -> String {
  String(decoding: try readBytes(path, limit: limit), as: UTF8.self)
}

/// The text of a file in UTF-8; `nil` when there is none.
///
/// - Throws: ``FileError`` as ``readBytes(_:limit:)``.
public func readText(ifPresent path: FilePath, limit: Int = .max) throws -> String? {
  try readBytes(ifPresent: path, limit: limit).map { String(decoding: $0, as: UTF8.self) }
}

/// The first bytes of a file, by which its kind can be told; fewer where it is shorter.
///
/// - Throws: ``FileError``.
public func readBeginning(_ path: FilePath, count: Int) throws -> [UInt8] {
  let descriptor = try openFile(path, .readOnly)
  defer { try? descriptor.close() }
  return try FileError.naming(.read, path) {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
        let read = try descriptor.read(into: rest)
        if read == 0 { break }
        filled += read
      }
    }
  }
}
