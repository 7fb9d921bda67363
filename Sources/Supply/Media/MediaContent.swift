import Bundle
import Files
import Integrity
import SystemPackage

/// What is carried by media: a bundle or a delta, with the digest of each file.
public struct MediaContent: Sendable {
  /// A file.
  struct File: Sendable {
    let path: String
    let size: Int64
    let sha256: Digest
    let isProgram: Bool
  }

  let folder: FilePath
  let bundle: BundleIdentity
  /// In order of their paths.
  let files: [File]

  /// The files that close a bundle or a delta: it is finished when they have their names.
  static let closing = [Manifest.fileName, DeltaIndex.fileName]

  /// Looks at a folder: what its manifest, or the index of the delta, lists.
  ///
  /// - Throws: ``MediaError``, ``DeltaError``, `ManifestError` or `FileError`.
  public init(_ folder: FilePath) throws {
    self.folder = folder
    var files: [File] = []
    func add(_ path: String, _ size: Int64, _ digest: Digest) {
      let place = folder.appending(FilePath(path).components)
      let isProgram = FileInfo(regularFile: place)?.permissions.contains(.ownerExecute) ?? false
      files.append(File(path: path, size: size, sha256: digest, isProgram: isProgram))
    }
    /// What no manifest lists is hashed here.
    func add(_ path: String) throws {
      let bytes = try readBytes(folder.appending(FilePath(path).components), limit: Manifest.largestFile)
      add(path, Int64(bytes.count), Digest(of: bytes))
    }
    func addBundle(in prefix: String) throws -> Manifest? {
      let place = prefix.isEmpty ? folder : folder.appending(prefix)
      guard let manifest = try Manifest.load(from: place) else { return nil }
      let names = [Manifest.fileName] + (try Manifest.signatures(in: place).map(\.name))
      for name in names { try add(prefix.isEmpty ? name : "\(prefix)/\(name)") }
      return manifest
    }
    if fileExists(folder.appending(DeltaIndex.fileName)) {
      let index = try DeltaIndex.load(from: folder)
      guard let manifest = try addBundle(in: DeltaIndex.newFolder) else { throw DeltaError.noDelta(folder) }
      let whole = Set(index.files)
      for file in manifest.files where whole.contains(file.path) {
        add("\(DeltaIndex.newFolder)/\(file.path)", file.size, file.sha256)
      }
      for piece in index.pieces { add(piece.place, piece.size, piece.sha256) }
      try add(DeltaIndex.fileName)
      bundle = index.result
    } else {
      guard let manifest = try addBundle(in: "") else { throw MediaError.nothingToCarry(folder) }
      for file in manifest.files { add("\(file.path)", file.size, file.sha256) }
      bundle = BundleIdentity(manifest)
    }
    self.files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  /// Whether a path can be one of a file that is carried.
  static func isPath(_ path: String) -> Bool {
    // The manifest and what lies beside it have names that no file of a bundle has; in a delta they lie below a folder.
    let own = [Manifest.fileName] + Manifest.signatureFileNames
    return own.contains(path) || (try? BundlePath(path)) != nil
  }
}
