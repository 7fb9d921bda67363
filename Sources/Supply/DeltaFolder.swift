import Bundle
import Files
import Integrity
import SystemPackage

/// A delta as it has arrived. Its files are opened when its index, or the manifest of the new bundle, lists them, beneath
/// its folder and through no link.
struct DeltaFolder: Sendable {
  let folder: FilePath
  let index: DeltaIndex
  private let whole: Set<BundlePath>
  private let pieces: [Digest: Int64]
  let recipes: [BundlePath: ArchiveRecipe]

  init(_ folder: FilePath, _ index: DeltaIndex) {
    self.folder = folder
    self.index = index
    whole = Set(index.files)
    pieces = Dictionary(index.pieces.map { ($0.sha256, $0.size) }) { first, _ in first }
    recipes = Dictionary(index.archives.map { ($0.path, $0) }) { first, _ in first }
  }

  /// Whether a file of the new bundle is here whole.
  func has(_ path: BundlePath) -> Bool { whole.contains(path) }

  /// Opens a file of the new bundle that is here whole.
  ///
  /// - Throws: ``DeltaError``.
  func open(_ file: ManifestFile) throws(DeltaError) -> FileDescriptor {
    try openProved(FilePath(name(of: file)), beneath: folder, size: file.size) { .damaged($0, how: $1) }
  }

  /// Where a file of the new bundle lies here, for messages.
  func place(of file: ManifestFile) -> FilePath { folder.appending(FilePath(name(of: file)).components) }

  private func name(of file: ManifestFile) -> String { "\(DeltaIndex.newFolder)/\(file.path)" }

  /// Opens a piece.
  ///
  /// - Throws: ``DeltaError``; also for one that the index does not list.
  func open(piece digest: Digest) throws(DeltaError) -> FileDescriptor {
    let path = FilePath("\(DeltaIndex.pieceFolder)/\(digest.hex)")
    guard let size = pieces[digest] else {
      throw .damaged(folder.appending(path.components), how: "\(DeltaIndex.fileName) does not list it")
    }
    return try openProved(path, beneath: folder, size: size) { .damaged($0, how: $1) }
  }

  /// Where a piece lies, for messages.
  func place(piece digest: Digest) -> FilePath {
    folder.appending(DeltaIndex.pieceFolder).appending(digest.hex)
  }
}
