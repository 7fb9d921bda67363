import Bundle
import Files
import SystemPackage

/// The folder that a bundle is merged into.
struct MergeTarget: Sendable {
  let folder: FilePath
  let statement: [UInt8]
  let signatures: [BundleSignature]
  let result: BundleIdentity
  /// Whether it is the base itself, whose damaged files are put back.
  let isBase: Bool

  /// Where a file of the new bundle goes.
  func place(_ path: BundlePath) -> FilePath { folder.appending(FilePath(path.description).components) }

  private var mark: FilePath { folder.appending(Manifest.unfinishedFileName) }
  private var final: FilePath { folder.appending(Manifest.fileName) }

  /// Sees that the folder is empty, or holds this bundle, finished or not; and marks it.
  ///
  /// - Throws: ``DeltaError/occupied(_:by:)``, `ManifestError` or `FileError`.
  func claim() throws {
    if isBase { return }
    if let bytes = try readBytes(ifPresent: final, limit: Manifest.largestFile) {
      if bytes == statement { return }
      let other = (try? Manifest(decoding: bytes, from: final)).map { "\(BundleIdentity($0))" }
      throw DeltaError.occupied(folder, by: other ?? Manifest.fileName)
    }
    if let bytes = try readBytes(ifPresent: mark, limit: Manifest.largestFile) {
      if bytes == statement { return }
      throw DeltaError.occupied(folder, by: "another bundle that is not finished")
    }
    let names = try BundleTree.files(below: folder)
    // A mark that was being written when the power went.
    if let other = names.first(where: { !IncompleteName.matches($0) }) {
      throw DeltaError.occupied(folder, by: other)
    }
    try writeAtomically(statement, to: mark)
  }

  /// Removes what is none of the bundle's, and gives the manifest its name.
  ///
  /// - Throws: `FileError`.
  func finish(_ manifest: Manifest) throws {
    if isBase { return flushFileSystem(of: folder) }
    let known = Set(
      manifest.files.map(\.path.description) + [Manifest.fileName, Manifest.unfinishedFileName]
        + signatures.map(\.name))
    for name in try BundleTree.files(below: folder) where !known.contains(name) && name != FolderLock.name {
      guard IncompleteName.matches(name) else { throw DeltaError.occupied(folder, by: name) }
      try removeFile(folder.appending(FilePath(name).components))
    }
    for signature in signatures {
      try writeAtomically(signature.bytes, to: folder.appending(signature.name), isDurable: false)
    }
    flushFileSystem(of: folder)
    // A bundle that was finished before has no mark.
    if fileExists(mark) { try renameDurably(mark, to: final) }
  }
}
