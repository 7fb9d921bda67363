import Archive
import Files
import Integrity
import SystemPackage

/// Makes working copies of kubespray below the cache folder.
///
/// Whatever the source, there is one way: it becomes a tarball, which outputs/files carries, and the tarball
/// is unpacked and patched beside its final place and renamed when it is complete. A stamp beside it, written
/// last, says which source and patches it was made of.
public struct KubesprayWorkspace: Sendable {
  /// The version that names tarball and folder.
  public let version: KubesprayVersion
  /// The folder with patches for this version (`target-scripts/patches/VERSION`); it may be missing.
  public let patches: FilePath?
  /// The folder to work in.
  public let cache: FilePath

  /// Names, and only names, that a user's own folder may have and that are not part of kubespray.
  static let leftOut = [
    ".git", "__pycache__", ".venv", "venv", ".ansible", ".cache", ".tox", ".mypy_cache", ".pytest_cache",
    ".vagrant",
    ".idea", ".vscode", ".DS_Store",
  ]
  /// The time of all entries of a tarball that we make: 1980-01-01, the first that FAT can hold.
  static let entryTime: Int64 = 315_532_800

  /// Describes a workspace; nothing is made yet.
  public init(version: KubesprayVersion, patches: FilePath?, cache: FilePath) {
    self.version = version
    self.patches = patches
    self.cache = cache
  }

  /// Gives the working copy, making it again when the source or a patch has changed.
  ///
  /// - Parameters:
  ///   - source: Where kubespray comes from.
  ///   - downloaded: The file that the caller downloaded for ``KubespraySource/downloadURL(for:)``.
  ///   - progress: Called with short lines about what is being done.
  /// - Throws: ``KubespraySourceError``, ``KubesprayTreeError``, `ArchiveError`, `CommandError` or `FileError`.
  ///   What was there before is then still there.
  public func prepare(
    _ source: KubespraySource, downloaded: FilePath? = nil, progress: (@Sendable (String) -> Void)? = nil
  ) async throws -> WorkingCopy {
    try createDirectories(cache)
    let cache = try realPath(cache)
    let files = try patchFiles()
    let origin = try await SourceOrigin(source, version: version, downloaded: downloaded)
    var stampLines = ["kubespray \(version.fileName)", origin.stamp]
    for file in files { stampLines.append("\(file.lastComponent?.string ?? "") \(try Digest(ofFile: file))") }
    let stamp = stampLines.joined(separator: "\n") + "\n"

    let copy = cache.appending(version.folderName)
    let stampFile = cache.appending("\(version.folderName).stamp")
    let tarball = cache.appending(version.tarballName)
    if (try? readText(stampFile)) == stamp, fileExists(tarball),
      let tree = try? KubesprayTree(copy)
    {
      progress?("kubespray \(version) is ready")
      return WorkingCopy(tree: tree, tarball: tarball, version: version, stamp: stamp)
    }
    let work = cache.appending(".\(version.folderName).partial")
    try removeTree(work)
    try createDirectories(work)
    defer { try? removeTree(work) }
    progress?("unpacking kubespray \(version)")
    let made = try await origin.tarball(in: work, as: version)
    let fresh = work.appending("tree")
    try unpack(made.file, strippingFolder: made.hasFolder, origin: origin, into: fresh)
    _ = try KubesprayTree(fresh)
    try await KubesprayPatches(files: files).apply(to: fresh, progress: progress)
    try replace(copy, with: fresh, tarball: tarball, from: made.file, stamp: stampFile, text: stamp)
    return WorkingCopy(tree: try KubesprayTree(copy), tarball: tarball, version: version, stamp: stamp)
  }

  private func patchFiles() throws -> [FilePath] {
    guard let patches, fileExists(patches) else { return [] }
    return try listFolder(patches).filter { $0.hasSuffix(".patch") }.map { patches.appending($0) }
  }

  private func unpack(_ file: FilePath, strippingFolder: Bool, origin: SourceOrigin, into folder: FilePath)
    throws
  {
    do {
      try ArchiveReader.extract(file, into: folder, strippingComponents: strippingFolder ? 1 : 0)
    } catch ArchiveError.notAnArchive(_, let looksLike) {
      throw KubespraySourceError.notATarball(
        file, origin: origin.name, found: looksLike ?? "something else")
    }
  }

  /// The stamp goes first and comes last, so that a crash in between leaves a copy that is made again.
  private func replace(
    _ copy: FilePath, with fresh: FilePath, tarball: FilePath, from made: FilePath, stamp: FilePath,
    text: String
  ) throws {
    try removeTree(stamp)
    try removeTree(copy)
    // The user's own file may lie on another file system.
    do { try moveFile(made, to: tarball) } catch { _ = try copyDurably(made, to: tarball) }
    try renameDurably(fresh, to: copy)
    try writeAtomically(text, to: stamp)
  }
}
