import Bundle
import Console
import Files
import Host
import Integrity
import Settings
import SystemPackage

/// What the web server hands out: some folders of the bundle, as they lie there or as a copy on this host.
struct ServedTree: Sendable {
  /// The folders that are served. Images, scripts and settings are nobody's business.
  enum Part: String, CaseIterable, Codable {
    case files, debs, rpms, pypi

    /// The note of what was copied of it.
    fileprivate var note: NoteKind {
      switch self {
      case .files: .servedFiles
      case .debs: .servedDebs
      case .rpms: .servedRpms
      case .pypi: .servedPypi
      }
    }
  }

  private let context: SetupContext

  private var host: TargetHost { context.host }
  private var bundle: ArrivedBundle { context.bundle }

  init(_ context: SetupContext) { self.context = context }

  /// The folder that the web server sees as its root.
  var folder: FilePath { host.stateFolder.appending("www") }

  /// The folders that this bundle has.
  ///
  /// - Throws: ``StepError``.
  func parts() throws(StepError) -> [Part] {
    var found: [Part] = []
    for part in Part.allCases where try !bundle.files(below: part.rawValue).isEmpty { found.append(part) }
    return found
  }

  /// Why a copy is served; `nil` when the bundle itself is.
  var reasonToCopy: String? {
    switch context.configuration.target.copy {
    case .always: return "target.copy is always"
    case .never: return nil
    case .auto:
      // Such a character cannot be written into the list of a container's mounts.
      if bundle.folder.string.contains(where: { ",\":".contains($0) }) {
        return "its path has a comma or a colon in it"
      }
      if let medium = Medium(of: bundle.folder), let reason = medium.reasonToLeave { return reason }
      return isReadableByAll ? nil : "the web server may not read all of its files"
    }
  }

  /// The folder of the bundle that must stay where it is; `nil` when a copy is served.
  var keptFolder: FilePath? { reasonToCopy == nil ? bundle.folder : nil }

  /// What must be mounted for the container, beside ``folder`` itself.
  func mounts() throws(StepError) -> [ContainerService.Mount] {
    let top = ContainerService.Mount(source: folder, place: "/usr/share/nginx/html")
    return [top]
      + (try parts().map {
        .init(source: source(of: $0), place: "/usr/share/nginx/html/\($0.rawValue)")
      })
  }

  /// The bundle as one of those that are served; `nil` when it has nothing for that.
  ///
  /// - Throws: ``StepError``.
  func release() throws(StepError) -> ServedRelease? {
    let parts = try parts()
    guard !parts.isEmpty else { return nil }
    let digests = try bundle.files(below: Part.files.rawValue).compactMap { path in
      bundle.entry(path).map { (String(path.dropFirst(Part.files.rawValue.count + 1)), $0.sha256.hex) }
    }
    return ServedRelease(
      id: releaseID, kubespray: context.configuration.kubespray.version, folder: sourceFolder, parts: parts,
      files: Dictionary(digests) { first, _ in first }, keys: keys)
  }

  /// What the keys of its package repositories are known by; none when they are not as they should be, which the step that
  /// uses them says.
  private var keys: [String: [String]] {
    let repositories = (try? context.repositories)?.repositories ?? []
    return Dictionary(
      repositories.map { repository in
        let own = bundle.manifest?.signedRepositories[repository.path]
        // The bundle's own key is exported anew each time.
        let files = repository.publicKeys.filter { own == nil || !$0.contains("kubespray-offline") }
        return (repository.path, [own].compactMap { $0 } + files.map(bundle.fingerprint))
      }
    ) { first, _ in first }
  }

  private var releaseID: String {
    bundle.manifest?.id ?? "kubespray-\(context.configuration.kubespray.version)"
  }

  /// Where the web server finds a part, a path of the host.
  private func source(of part: Part) -> FilePath { sourceFolder.appending(part.rawValue) }

  /// A copy has a folder for each bundle: the next one does not take it away from a cluster that was made of it.
  private var sourceFolder: FilePath {
    guard reasonToCopy != nil else { return bundle.folder }
    return host.stateFolder.appending("releases").appending(
      FilePath(releaseID.replacing("/", with: "-")).lastComponent ?? "files")
  }

  /// Reads all that is to be served and finds it right: the web server compares nothing. Nothing is changed, but that copies
  /// lie ready.
  ///
  /// - Returns: What then takes its place.
  /// - Throws: ``StepError``, `FileError` or `CancellationError`.
  func prove(_ journal: Journal, _ staging: StagingFolder) async throws -> ProvedTree {
    var proved = ProvedTree(folder: folder, host: host)
    let parts = try parts()
    proved.mountPoints = parts.map { folder.appending($0.rawValue) }
    guard let reason = reasonToCopy else {
      for part in parts where try !isProvedInPlace(part, journal) {
        try await proveInPlace(part, journal)
        proved.notes.append((part.note, try inPlace(part)))
      }
      return proved
    }
    let missing = try parts.filter { try !isCopied($0, journal) }
    let files = try missing.flatMap { try bundle.files(below: $0.rawValue) }
    guard !files.isEmpty else { return proved }
    try refuseFullDisk(files, in: staging)
    context.say(.info, "what is served is copied to \(sourceFolder): \(reason)", step: journal.step)
    context.emit(
      .stageTotals(journal.step.rawValue, items: files.count, bytes: files.byteSum(of: size)))
    for part in missing {
      let copy = staging.onHost.appending(part.rawValue)
      try await self.copy(part, to: copy, journal.step)
      proved.copies.append((copy, source(of: part)))
      proved.notes.append((part.note, try fingerprint(part)))
    }
    return proved
  }

  /// Removes what a kill has left of a copy that was being put in its place.
  func removeUnfinished() throws {
    for part in Part.allCases { try removeTree(host.path(ProvedTree.earlier(source(of: part)))) }
  }

  /// Removes the packages and wheels that earlier versions of this program have copied to where others are mounted now: once
  /// the server has been started again, nobody sees them.
  func removeCopiesBelowMounts(_ journal: Journal) throws {
    let own = Set(journal.writtenPaths)
    for path in Part.allCases.map({ folder.appending($0.rawValue) }) where own.contains(path) {
      let place = host.path(path)
      for name in try listFolder(ifPresent: place) { try removeTree(place.appending(name)) }
    }
  }

  /// Whether all of it is in place, without reading it.
  func isPrepared(_ journal: Journal) throws -> Bool {
    let parts = try parts()
    if reasonToCopy != nil { return try parts.allSatisfy { try isCopied($0, journal) } }
    return try parts.allSatisfy {
      try isProvedInPlace($0, journal) && host.exists(folder.appending($0.rawValue))
    }
  }

  /// Whether what is served where the bundle lies was read and found right since this bundle has come.
  private func isProvedInPlace(_ part: Part, _ journal: Journal) throws -> Bool {
    journal.lastNote(part.note) == (try inPlace(part))
  }

  private func inPlace(_ part: Part) throws -> String { "in place \(try fingerprint(part))" }

  private func proveInPlace(_ part: Part, _ journal: Journal) async throws {
    let files = try bundle.files(below: part.rawValue)
    let (bundle, context, stage) = (bundle, context, journal.step.rawValue)
    context.emit(.stageTotals(stage, items: files.count, bytes: files.byteSum { size($0) }))
    try await offloaded {
      for path in files {
        try Task.checkCancellation()
        try bundle.read(path) { context.emit(.bytes(stage, Int64($0.count))) }
        context.emit(.itemFinished(stage, item: path, .done, bytes: bundle.size(path)))
      }
    }
  }

  private func isCopied(_ part: Part, _ journal: Journal) throws -> Bool {
    // What was copied for an earlier set-up is still in its place, and is served.
    guard journal.notes(part.note).contains(try fingerprint(part)) else { return false }
    return try bundle.files(below: part.rawValue).allSatisfy { path in
      let copied = host.path(source(of: part)).appending(
        FilePath(String(path.dropFirst(part.rawValue.count + 1))).components)
      return (try? FileInfo(copied)).map { $0.kind == .file && $0.size == size(path) } ?? false
    }
  }

  private func size(_ path: String) -> Int64 { bundle.size(path) }

  private func fingerprint(_ part: Part) throws -> String {
    var hasher = DigestHasher(.sha256)
    for (index, path) in try bundle.files(below: part.rawValue).enumerated() {
      hasher.update(Array((index == 0 ? "" : "\n").utf8) + Array(bundle.fingerprint(path).utf8))
    }
    return hasher.finalize().hex
  }

  private func copy(_ part: Part, to copy: FilePath, _ step: StepName) async throws {
    let (bundle, context, stage, place) = (bundle, context, step.rawValue, host.path(copy))
    let files = try bundle.files(below: part.rawValue)
    try await offloaded {
      try removeTree(place)
      var isComplete = false
      defer { if !isComplete { try? removeTree(place) } }
      for path in files {
        try Task.checkCancellation()
        let target = place.appending(FilePath(String(path.dropFirst(part.rawValue.count + 1))).components)
        try createDirectories(target.removingLastComponent())
        let size = try bundle.copy(path, to: target)
        context.emit(.bytes(stage, size))
        context.emit(.itemFinished(stage, item: path, .done, bytes: size))
      }
      isComplete = true
    }
  }

  private func refuseFullDisk(_ files: [String], in staging: StagingFolder) throws {
    let needed = files.byteSum(of: size)
    let available = try FileSystemSpace.at(staging.path).availableBytes
    guard ByteSize.sum(needed, 64 << 20) > available else { return }
    throw StepError(
      "the copy that is to be served needs \(ByteCount.format(needed)), and the disk of \(sourceFolder) has "
        + "\(ByteCount.format(available)) left", .serveInPlace)
  }

  private var isReadableByAll: Bool {
    guard let parts = try? parts() else { return true }
    return parts.allSatisfy { part in
      guard let top = try? FileInfo(bundle.folder.appending(part.rawValue)), top.mode & 0o005 == 0o005 else {
        return false
      }
      var folders: Set<String> = []
      return ((try? bundle.files(below: part.rawValue)) ?? []).allSatisfy { path in
        let file = FilePath(path)
        let parent = file.removingLastComponent()
        if folders.insert(parent.string).inserted,
          (try? FileInfo(bundle.folder.appending(parent.components))).map({ $0.mode & 0o005 != 0o005 })
            ?? false
        {
          return false
        }
        return (try? FileInfo(bundle.place(path))).map { $0.mode & 0o004 != 0 } ?? true
      }
    }
  }
}

/// What is to be served and was found right.
struct ProvedTree: Sendable {
  /// The root of the web server, a path of the host.
  let folder: FilePath
  let host: TargetHost
  /// The folders onto which those of the bundle are mounted.
  fileprivate(set) var mountPoints: [FilePath] = []
  /// Copies, and the places that they take.
  fileprivate(set) var copies: [(copy: FilePath, place: FilePath)] = []
  /// What is written down of it.
  fileprivate(set) var notes: [(kind: NoteKind, value: String)] = []

  /// Gives all of it its place.
  ///
  /// - Throws: ``StepError`` or `FileError`.
  func place(_ journal: Journal) async throws {
    try await offloaded {
      try journal.makeFolder(folder)
      for (copy, place) in copies {
        try journal.makeFolder(place.removingLastComponent())
        // What was copied before is served until the new one is there.
        let earlier = host.path(Self.earlier(place))
        try removeTree(earlier)
        if FileTree.exists(host.path(place)) { try renameDurably(host.path(place), to: earlier) }
        try journal.placeTree(copy, at: place)
        try removeTree(earlier)
      }
      for path in mountPoints { try journal.makeFolder(path) }
      for (kind, value) in notes { try journal.replaceNote(kind, value) }
    }
  }

  /// Where the folder at a place is while another one takes that place.
  fileprivate static func earlier(_ place: FilePath) -> FilePath {
    place.removingLastComponent().appending(".\(place.lastComponent?.string ?? "").earlier")
  }
}
