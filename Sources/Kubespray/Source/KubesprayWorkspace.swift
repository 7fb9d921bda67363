import Archive
import Cache
import Files
import Integrity
import SystemPackage

/// Makes working copies of kubespray in the cache.
///
/// Whatever the source, there is one way: it becomes a tarball, which outputs/files carries, and the tarball
/// is unpacked and patched. Which source and patches a copy was made of decides its name.
public struct KubesprayWorkspace: Sendable {
  /// The version that names tarball and folder.
  public let version: KubesprayVersion
  /// The folder with patches for this version (`target-scripts/patches/VERSION`); it may be missing.
  public let patches: FilePath?
  /// Where the copies are kept.
  public let cache: Cache

  /// Names, and only names, that a user's own folder may have and that are not part of kubespray.
  static let leftOut = [
    ".git", "__pycache__", ".venv", "venv", ".ansible", ".cache", ".tox", ".mypy_cache", ".pytest_cache",
    ".vagrant",
    ".idea", ".vscode", ".DS_Store",
  ]
  /// The file of an entry that has the id of the unpatched tree.
  private static let idName = "tree-id"
  /// The time of all entries of a tarball that we make: 1980-01-01, the first that FAT can hold.
  static let entryTime: Int64 = 315_532_800

  /// Describes a workspace; nothing is made yet.
  public init(version: KubesprayVersion, patches: FilePath?, cache: Cache) {
    self.version = version
    self.patches = patches
    self.cache = cache
  }

  /// Gives the working copy, making another one when the source or a patch has changed.
  ///
  /// - Parameters:
  ///   - source: Where kubespray comes from.
  ///   - downloaded: The file that the caller downloaded for ``KubespraySource/downloadURL(for:)``.
  ///   - progress: Called with short lines about what is being done.
  /// - Throws: ``KubespraySourceError``, with ``KubespraySourceError/otherContent(_:origin:found:known:)`` for what is
  ///   said to be a known release and has other files; ``KubesprayTreeError``, `ArchiveError`, `CommandError` or `FileError`.
  ///   What was there before is then still there.
  public func prepare(
    _ source: KubespraySource, downloaded: FilePath? = nil, progress: (@Sendable (String) -> Void)? = nil
  ) async throws -> WorkingCopy {
    let files = try patchFiles()
    let origin = try await SourceOrigin(source, version: version, downloaded: downloaded)
    var stampLines = ["kubespray \(version.fileName)", origin.stamp]
    for file in files { stampLines.append("\(file.lastComponent?.string ?? "") \(try Digest(ofFile: file))") }
    let stamp = stampLines.joined(separator: "\n") + "\n"

    var isReady = true
    let name = "\(version.folderName)-\(CacheKey(["stamp": stamp]))"
    let entry = try await cache.entry(.trees, name) { work in
      isReady = false
      progress?("unpacking kubespray \(version)")
      try createDirectories(work)
      var made = try await origin.tarball(in: work, as: version)
      let tree = work.appending("tree")
      try unpack(made.file, strippingFolder: made.hasFolder, origin: origin, into: tree)
      _ = try KubesprayTree(tree)
      if WindowsLineEnds.areIn(tree) {
        progress?("\(origin.name) has line ends of Windows: the copy gets those of kubespray's repository")
        try WindowsLineEnds.remove(from: tree)
        made = try origin.tarball(of: tree, in: work, as: version)
      }
      let id = try GitTree.id(of: tree)
      try check(id, source, origin)
      try writeAtomically(id.description, to: work.appending(Self.idName))
      try await KubesprayPatches(files: files).apply(to: tree, progress: progress)
      let tarball = work.appending(version.tarballName)
      if made.file != tarball, (try? moveFile(made.file, to: tarball)) == nil {
        _ = try copyDurably(made.file, to: tarball)
      }
    }
    let id = try Digest(try readText(entry.appending(Self.idName)))
    try check(id, source, origin)
    if isReady { progress?("kubespray \(version) is ready") }
    return WorkingCopy(
      name: name, tree: try KubesprayTree(entry.appending("tree")),
      tarball: entry.appending(version.tarballName), version: version, sourceTree: id,
      commit: origin.commit, stamp: stamp)
  }

  /// Refuses what comes from the address of a release and is something else. A source of the user's own may be
  /// anything.
  private func check(_ id: Digest, _ source: KubespraySource, _ origin: SourceOrigin) throws {
    guard source == .release, let known = KubesprayReleases.tree(of: version), known != id else { return }
    throw KubespraySourceError.otherContent(version, origin: origin.name, found: id, known: known)
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
}
