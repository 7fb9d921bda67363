import Archive
import Files
import Host
import Integrity
import SystemPackage

/// A source of kubespray at a moment: what it is, and how it becomes a tarball.
struct SourceOrigin {
  /// A tarball and whether everything in it lies in one folder.
  struct Tarball {
    let file: FilePath
    let hasFolder: Bool
  }

  private enum Content {
    case folder(FilePath)
    case file(FilePath)
    case git(url: String, commit: String, reference: String)
  }

  private let content: Content
  /// The content's identity; it changes when the content does.
  let stamp: String
  /// The commit, for what git fetches.
  var commit: String? {
    if case .git(_, let commit, _) = content { commit } else { nil }
  }

  /// What people know it as.
  let name: String

  /// - Throws: ``KubespraySourceError``, `CommandError` or `FileError`.
  init(_ source: KubespraySource, version: KubesprayVersion, downloaded: FilePath?) async throws {
    switch source {
    case .folder(let path):
      content = .folder(path)
      stamp = "folder \(try Self.digest(ofFolder: path))"
      name = path.string
    case .tarball(let path):
      content = .file(path)
      stamp = "tarball \(try Digest(ofFile: path))"
      name = path.string
    case .release, .download:
      let url = try source.downloadURL(for: version) ?? ""
      guard let downloaded, fileExists(downloaded) else {
        throw KubespraySourceError.notDownloaded(url: url)
      }
      content = .file(downloaded)
      stamp = "tarball \(try Digest(ofFile: downloaded))"
      name = url
    case .git(let url, let reference):
      let wanted = reference ?? version.gitReference
      let commit = try await GitRepository(url: url).commit(of: wanted)
      content = .git(url: url, commit: commit, reference: wanted)
      stamp = "git \(hidingCredentials(url)) \(commit)"
      name = hidingCredentials(url)
    }
  }

  /// Makes the tarball for outputs/files, or takes it as it is when it already has the right folder inside.
  func tarball(in work: FilePath, as version: KubesprayVersion) async throws -> Tarball {
    let target = work.appending(version.tarballName)
    switch content {
    case .folder(let path):
      _ = try KubesprayTree(path)
      try pack(path, as: target, version: version)
      return Tarball(file: target, hasFolder: true)
    case .git(let url, let commit, let reference):
      let clone = work.appending("clone")
      try await GitRepository(url: url).checkOut(commit, reference: reference, into: clone)
      try pack(clone, as: target, version: version)
      return Tarball(file: target, hasFolder: true)
    case .file(let path):
      return try carry(path, as: target, work: work, version: version)
    }
  }

  /// Makes the tarball of a tree that was changed on the way.
  func tarball(of tree: FilePath, in work: FilePath, as version: KubesprayVersion) throws -> Tarball {
    let target = work.appending(version.tarballName)
    try removeFile(target)
    try pack(tree, as: target, version: version)
    return Tarball(file: target, hasFolder: true)
  }

  private func pack(_ folder: FilePath, as target: FilePath, version: KubesprayVersion) throws {
    try ArchiveWriter.tarball(
      of: folder, as: target, prefix: version.folderName, excluding: KubesprayWorkspace.leftOut,
      modified: KubesprayWorkspace.entryTime)
  }

  /// A gzipped tarball whose one folder has the name that the target expects is carried byte for byte.
  private func carry(
    _ path: FilePath, as target: FilePath, work: FilePath, version: KubesprayVersion
  ) throws -> Tarball {
    let tops = try topNames(of: path)
    let hasFolder = tops.count == 1
    if tops == [version.folderName], try Self.isGzip(path) {
      _ = try copyDurably(path, to: target)
      return Tarball(file: target, hasFolder: true)
    }
    let folder = work.appending("unpacked")
    try ArchiveReader.extract(path, into: folder, strippingComponents: hasFolder ? 1 : 0)
    _ = try KubesprayTree(folder)
    try pack(folder, as: target, version: version)
    return Tarball(file: target, hasFolder: true)
  }

  private func topNames(of path: FilePath) throws -> Set<String> {
    var names: Set<String> = []
    do {
      try ArchiveReader.entries(of: path) { entry in
        // git archive puts the commit into a comment entry, which readers may show under this name.
        let first = entry.path.split(separator: "/").first { $0 != "." }
        if let first, first != "pax_global_header" { names.insert(String(first)) }
      }
    } catch ArchiveError.notAnArchive(_, let looksLike) {
      throw KubespraySourceError.notATarball(path, origin: name, found: looksLike ?? "something else")
    }
    return names
  }

  private static func isGzip(_ path: FilePath) throws -> Bool {
    try readBeginning(path, count: 2) == [0x1F, 0x8B]
  }

  /// A digest of all that ``pack(_:as:version:)`` would carry.
  private static func digest(ofFolder folder: FilePath) throws -> Digest {
    _ = try KubesprayTree(folder)
    var lines: [String] = []
    try walkFolder(folder, skipping: Set(KubesprayWorkspace.leftOut)) { entry in
      switch entry.info.kind {
      case .folder: break
      case .file:
        let executable: FilePermissions = [.ownerExecute, .groupExecute, .otherExecute]
        let isExecutable = !entry.info.permissions.isDisjoint(with: executable)
        lines.append("\(entry.name) \(isExecutable) \(try Digest(ofFile: entry.path).hex)")
      case .link, .other:
        lines.append("\(entry.name) -> \((try? linkTarget(entry.path)) ?? "")")
      }
    }
    return Digest(of: Array(lines.sorted().joined(separator: "\n").utf8))
  }
}
