import Bundle
import Files
import Integrity
import SystemPackage

/// The one door to the files of a bundle.
///
/// A file is opened only when the manifest lists it, beneath the bundle's folder and through no link, and is hashed
/// while it is read. What the caller gets is what was hashed: a medium that answers differently the next time is caught
/// then. Of a bundle of the shell project nothing is listed anywhere, so of its files only the place is checked.
extension ArrivedBundle {
  /// The most bytes of a file that is read into memory.
  private static let smallFile: Int64 = 64 << 20

  /// Reads a file piece by piece. What `body` makes of the pieces counts only when this returns.
  ///
  /// - Throws: ``StepError`` when the file is not as the manifest says, or whatever `body` throws.
  func read(_ path: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let entry = try admitted(path)
    var hasher = DigestHasher(.sha256)
    var size: Int64 = 0
    do {
      try readFile(FilePath(path), beneath: folder) { bytes in
        size += Int64(bytes.count)
        if let entry, size > entry.size {
          throw other(path, "it has more than \(entry.size) bytes")
        }
        hasher.update(bytes)
        try body(bytes)
      }
    } catch let error as FileError where error.path == place(path) {
      throw unreadable(path, error)
    }
    guard let entry else { return }
    guard size == entry.size else { throw other(path, "it has \(size) bytes instead of \(entry.size)") }
    let actual = hasher.finalize()
    guard actual == entry.sha256 else {
      throw other(path, "its digest is \(actual) instead of \(entry.sha256)")
    }
  }

  /// The bytes of a small file.
  ///
  /// - Throws: ``StepError``.
  func bytes(_ path: String) throws(StepError) -> [UInt8] {
    var bytes: [UInt8] = []
    do {
      try read(path) { piece in
        guard Int64(bytes.count + piece.count) <= Self.smallFile else {
          throw other(path, "it has more than \(Self.smallFile) bytes")
        }
        bytes.append(contentsOf: piece)
      }
    } catch let error as StepError {
      throw error
    } catch {
      throw StepError("\(place(path)) cannot be read: \(FileError.reason(error))", .medium)
    }
    return bytes
  }

  /// A small file as text.
  ///
  /// - Throws: ``StepError``.
  func text(_ path: String) throws(StepError) -> String { String(decoding: try bytes(path), as: UTF8.self) }

  /// Copies a file. The destination gets its name when all of the copy was found right.
  ///
  /// - Returns: How many bytes it has.
  /// - Throws: ``StepError``, or `FileError` when the copy cannot be written.
  @discardableResult
  func copy(
    _ path: String, to destination: FilePath, permissions: FilePermissions = .publicFile
  ) throws -> Int64 {
    let file = try PendingFile(for: destination, permissions: permissions)
    var size: Int64 = 0
    try read(path) { bytes in
      try FileError.naming(.write, destination) { _ = try file.descriptor.writeAll(bytes) }
      size += Int64(bytes.count)
    }
    try file.commit()
    return size
  }

  /// The SHA-256 of a file: what the manifest says, or without one what is there.
  ///
  /// - Throws: ``StepError``.
  func digest(_ path: String) throws -> Digest {
    if let known = try admitted(path) { return known.sha256 }
    var hasher = DigestHasher(.sha256)
    try read(path) { hasher.update($0) }
    return hasher.finalize()
  }

  /// Sees that a file is there with the size that it was made with, without reading it: for saying early what is missing.
  ///
  /// - Throws: ``StepError``.
  func look(at path: String) throws(StepError) {
    let entry = try admitted(path)
    let size: Int64
    do {
      let descriptor = try openFile(FilePath(path), beneath: folder)
      defer { try? descriptor.close() }
      size = try FileInfo(descriptor).size
    } catch {
      throw unreadable(path, error as? FileError ?? FileError(.read, place(path), .ioError))
    }
    if let entry, entry.size != size { throw other(path, "it has \(size) bytes instead of \(entry.size)") }
  }

  /// Where a file lies, for a reader that proves by a digest of its own each piece that it uses.
  ///
  /// - Throws: ``StepError`` when it is not there, or not with its size.
  func unprovedFile(_ path: String) throws(StepError) -> FilePath {
    try look(at: path)
    return place(path)
  }

  /// The settings of a service: those of the bundle, or for one of the shell project those that this program brings.
  ///
  /// - Throws: ``StepError``.
  func serviceText(_ name: String) throws(StepError) -> String {
    guard shell != nil else { return try text(name) }
    let own = [
      "nginx.conf": PackageResources.nginx_conf, "nginx-default.conf": PackageResources.nginx_default_conf,
      "registry-config.yml": PackageResources.registry_config_yml,
    ]
    return String(decoding: own[name] ?? [], as: UTF8.self)
  }

  /// What the manifest says of a file that is to be opened; `nil` in a bundle without one.
  private func admitted(_ path: String) throws(StepError) -> ManifestFile? {
    guard try has(path) else { throw StepError("the bundle has no \(path)", .recopy) }
    return entry(path)
  }

  private func other(_ path: String, _ how: String) -> StepError {
    StepError("\(place(path)) is not as \(Manifest.fileName) says: \(how)", .recopy)
  }

  private func unreadable(_ path: String, _ error: FileError) -> StepError {
    switch error.code {
    case .noSuchFileOrDirectory: StepError("the bundle has no \(path), which it should have", .recopy)
    case .tooManySymbolicLinkLevels:
      StepError("\(error.path) is a link, or lies behind one, so it is not opened", .recopy)
    case .notSupported: StepError("\(error.path) is not a file", .recopy)
    default: StepError("\(error.path) cannot be read: \(error.code)", .medium)
    }
  }
}
