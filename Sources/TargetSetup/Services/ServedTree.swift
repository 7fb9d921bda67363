import Bundle
import Console
import Files
import Glibc
import Host
import Integrity
import Settings
import SystemPackage

/// What the web server hands out: some folders of the bundle, as they lie there or as a copy on this host.
struct ServedTree: Sendable {
  /// The folders that are served. Images, scripts and settings are nobody's business.
  static let parts = ["files", "debs", "rpms", "pypi"]

  private let node: Node

  init(_ node: Node) { self.node = node }

  /// The folder that the web server sees as its root.
  var folder: FilePath { node.stateFolder.appending("www") }

  /// The folders that this bundle has.
  ///
  /// - Throws: ``StepError``.
  func parts() throws(StepError) -> [String] {
    var found: [String] = []
    for part in Self.parts where try !node.bundleFiles(below: part).isEmpty { found.append(part) }
    return found
  }

  /// Why a copy is served; `nil` when the bundle itself is.
  var reasonToCopy: String? {
    switch node.configuration.target.copy {
    case .always: return "target.copy is always"
    case .never: return nil
    case .auto:
      // Such a character cannot be written into the list of a container's mounts.
      if node.bundle.string.contains(where: { ",\":".contains($0) }) {
        return "its path has a comma or a colon in it"
      }
      if let medium = Medium(of: node.bundle), let reason = medium.reasonToLeave { return reason }
      return isReadableByAll ? nil : "the web server may not read all of its files"
    }
  }

  /// What must be mounted for the container, beside ``folder`` itself.
  func mounts() throws(StepError) -> [ContainerService.Mount] {
    let top = ContainerService.Mount(source: folder, place: "/usr/share/nginx/html")
    guard reasonToCopy == nil else { return [top] }
    return [top]
      + (try parts().map { .init(source: node.bundle.appending($0), place: "/usr/share/nginx/html/\($0)") })
  }

  /// Makes the root, and the copy if there is to be one.
  ///
  /// - Throws: ``StepError``, `FileError`, `Errno` or `CancellationError`.
  func prepare(_ journal: Journal) async throws {
    try journal.makeFolder(folder)
    let parts = try parts()
    guard let reason = reasonToCopy else {
      for part in parts { try journal.makeFolder(folder.appending(part)) }
      return
    }
    let missing = try parts.filter { try !isCopied($0, journal) }
    let files = try missing.flatMap { try node.bundleFiles(below: $0) }
    guard !files.isEmpty else { return }
    try refuseFullDisk(files)
    node.say(.info, "what is served is copied to \(folder): \(reason)", step: journal.step)
    node.emit(
      .stageTotals(journal.step.rawValue, items: files.count, bytes: files.reduce(0) { $0 + size($1) }))
    for part in missing { try await copy(part, journal) }
  }

  /// Whether all of it is in place, without reading it.
  func isPrepared(_ journal: Journal) throws -> Bool {
    let parts = try parts()
    if reasonToCopy != nil { return try parts.allSatisfy { try isCopied($0, journal) } }
    return parts.allSatisfy { node.exists(folder.appending($0)) }
  }

  private func isCopied(_ part: String, _ journal: Journal) throws -> Bool {
    guard journal.lastNote("served-\(part)") == (try fingerprint(part)) else { return false }
    return try node.bundleFiles(below: part).allSatisfy { path in
      FileAttributes(copied(path)).map { $0.kind == .file && $0.size == size(path) } ?? false
    }
  }

  private func copied(_ path: String) -> FilePath { node.path(folder).appending(FilePath(path).components) }

  private func size(_ path: String) -> Int64 {
    node.manifestFile(path)?.size ?? FileAttributes(node.bundle.appending(FilePath(path).components))?.size
      ?? 0
  }

  private func fingerprint(_ part: String) throws -> String {
    let text = try node.bundleFiles(below: part).map(node.fingerprint).joined(separator: "\n")
    return Digest(of: Array(text.utf8)).hex
  }

  private func copy(_ part: String, _ journal: Journal) async throws {
    let prepared = folder.appending(".\(part).new")
    let (node, stage) = (node, journal.step.rawValue)
    let files = try node.bundleFiles(below: part).map { path in
      (path: path, source: try node.bundleFile(path), digest: node.manifestFile(path)?.sha256)
    }
    let fingerprint = try fingerprint(part)
    try await offloaded {
      let place = node.path(prepared)
      try FileTree.remove(place)
      for file in files {
        try Task.checkCancellation()
        let target = place.appending(FilePath(String(file.path.dropFirst(part.count + 1))).components)
        try createDirectories(target.removingLastComponent())
        let size = try copyDurably(file.source, to: target, expecting: file.digest).size
        guard chmod(target.string, 0o644) == 0 else { throw Errno(rawValue: errno) }
        node.emit(.bytes(stage, size))
        node.emit(.itemFinished(stage, item: file.path, .done, bytes: size))
      }
    }
    try await offloaded {
      // What was copied from an earlier bundle.
      try FileTree.remove(node.path(folder.appending(part)))
      try journal.placeTree(prepared, at: folder.appending(part))
      try journal.replaceNote("served-\(part)", fingerprint)
    }
  }

  private func refuseFullDisk(_ files: [String]) throws {
    let needed = files.reduce(0) { $0 + size($1) }
    let available = try FileSystemSpace.at(node.path(folder)).availableBytes
    guard needed + (64 << 20) > available else { return }
    throw StepError(
      "the copy that is to be served needs \(ByteCount.format(needed)), and the disk of \(folder) has "
        + "\(ByteCount.format(available)) left. Make room, choose another folder (target.directory), or serve the "
        + "bundle where it is: --copy never")
  }

  private var isReadableByAll: Bool {
    guard let parts = try? parts() else { return true }
    return parts.allSatisfy { part in
      guard let top = FileAttributes(node.bundle.appending(part)), top.mode & 0o005 == 0o005 else {
        return false
      }
      var folders: Set<String> = []
      return ((try? node.bundleFiles(below: part)) ?? []).allSatisfy { path in
        let file = FilePath(path)
        let parent = file.removingLastComponent()
        if folders.insert(parent.string).inserted,
          FileAttributes(node.bundle.appending(parent.components)).map({ $0.mode & 0o005 != 0o005 }) ?? false
        {
          return false
        }
        return FileAttributes(node.bundle.appending(file.components)).map { $0.mode & 0o004 != 0 } ?? true
      }
    }
  }
}
