import Archive
import Bundle
import Cache
import Concurrency
import Console
import Files
import Host
import Integrity
import Kubespray
import Mirrors
import Registry
import Settings
import SystemPackage

/// Makes the image with Ansible: a base from a registry, packages of the bundle where the base lacks them, and
/// kubespray's requirements from the bundle's wheels. No container engine is needed, and nothing of it is run.
///
/// Layers and documents are written here, so that the same parts give the same image. The archive is kept in the
/// cache under the digest of what it was made of, and made again only when that changes.
struct AnsibleAssembly: Sendable {
  /// Raised when the same parts would give another image than before.
  private static let format = 2
  /// Where an entry of the cache has the digest of the base.
  private static let baseName = "base"

  let name: ImageReference
  private let job: Job
  private let copy: WorkingCopy
  private let wheels: StageMirrors
  private let fetch: BaseFetch
  private let events: StageEvents
  private let cache: Cache
  private let keeper: LockKeeper

  /// - Parameters:
  ///   - copy: The kubespray whose requirements go into it.
  ///   - wheels: The mirrors with the wheels.
  ///   - keeper: Knows what the base must be, and hears what it was.
  init(
    _ name: ImageReference, _ job: Job, _ cache: Cache, _ copy: WorkingCopy, _ wheels: StageMirrors,
    _ client: RegistryClient, _ progress: TransferProgress, _ events: StageEvents,
    _ keeper: LockKeeper
  ) {
    self.name = name
    self.job = job
    self.copy = copy
    self.wheels = wheels
    self.events = events
    self.cache = cache
    self.keeper = keeper
    fetch = BaseFetch(
      client: client, progress: progress, architecture: job.architecture,
      parallel: job.configuration.transfer.parallel, cache: cache)
  }

  private var configuration: Configuration { job.configuration }

  /// The name of the base, and the digest that it must have.
  private typealias Base = (reference: ImageReference, pin: Digest?)

  /// The archive, made now or before, as an artifact of the stage `images`.
  ///
  /// - Throws: ``AssemblyFailed``, ``LockContradicted``, or what a part of the work threw.
  func artifact() async throws -> Artifact {
    let tree = copy.tree
    let reference = try Self.base(configuration, tree)
    let base = (reference, pin: try keeper.base(reference, of: name))
    let key = try await key(base, tree)
    let place = try await place(key, base, tree)
    let digest = try Digest(readText(place.appending(Self.baseName)))
    keeper.note(BundleLock.Base(reference: reference, digest: digest), of: name)
    return Artifact(
      path: try name.archivePath(), source: .assembledImage(place.appending("image.tar.gz"), name),
      stage: .images, verification: .generated)
  }

  /// The folder of the archive. One without packages of Debian holds whatever these are.
  private func place(_ key: String, _ base: Base, _ tree: KubesprayTree) async throws -> FilePath {
    if let place = try await cache.use(.images, key) { return place }
    let packages = CacheKey(["image": key, "packages": try await packageIdentity()])
    var usesPackages = true
    let place = try await cache.entry(.images, "\(packages)") { place in
      usesPackages = try await make(base, tree, at: place)
    }
    guard !usesPackages else { return place }
    return try await cache.entry(.images, key) { folder in
      try createDirectories(folder)
      for name in ["image.tar.gz", Self.baseName] {
        _ = try copyDurably(place.appending(name), to: folder.appending(name))
      }
    }
  }

  /// The base that the settings name, or one that fits the bundle: the slim form of Python's image has no ssh client, so
  /// it is taken where the bundle has one for its Debian.
  static func base(_ configuration: Configuration, _ tree: KubesprayTree) throws -> ImageReference {
    if let name = configuration.python.ansibleBase { return try ImageReference(name) }
    let targets = try? PackageTargets(configuration.packages, system: try OSRelease.current())
    let carried = configuration.packages.skip ? [] : targets?.choices.map(\.target.name) ?? []
    let slim = ["debian-12": "-slim-bookworm", "debian-13": "-slim-trixie"]
    let suffix = carried.compactMap { slim[$0] }.first ?? "-bookworm"
    return try ImageReference("docker.io/library/python:3.\(min(12, tree.pythonMinors.upperBound))\(suffix)")
  }

  // MARK: What it is made of

  private func index() async throws -> PythonIndex {
    guard let index = try await wheels.all().lazy.compactMap({ $0 as? PythonIndex }).first else {
      throw AssemblyFailed(name: name, reason: "the bundle has no wheels to make it of")
    }
    return index
  }

  private func key(_ base: Base, _ tree: KubesprayTree) async throws -> String {
    let index = try await index()
    let wheels = try await self.wheels.resolved(index)
    let key = CacheKey([
      "program": "\(Self.format) \(programVersion)", "name": "\(name)",
      "base": base.pin.map { "\(base.reference) \($0)" } ?? "\(base.reference)",
      "wheels": "\(wheels.identity)", "requirements": "\(try Digest(ofFile: tree.requirements))",
      "architecture": job.architecture.rawValue,
    ])
    return "\(key)"
  }

  /// What the packages of Debian and Ubuntu in the bundle are.
  private func packageIdentity() async throws -> String {
    guard let targets = debianTargets else { return "none" }
    let indexes = targets.map { choice in
      let file = configuration.outputs.appending("\(choice.folder)/Packages")
      return "\(choice.folder) \((try? Digest(ofFile: file))?.hex ?? "missing")"
    }
    return indexes.joined(separator: "\n") + "\n"
  }

  private var debianTargets: [PackageTargets.Choice]? {
    guard !configuration.packages.skip else { return nil }
    return (try? job.packageTargets())?.filter { $0.target.family == .debian }
  }

  // MARK: Making

  /// - Returns: Whether packages went into it.
  private func make(_ wanted: Base, _ tree: KubesprayTree, at place: FilePath) async throws -> Bool {
    events.begin("assembling \(name) on \(wanted.reference)")
    let work = place.appending("work")
    try createDirectories(work)
    defer { try? removeTree(work) }
    let (base, digest, blobs) = try await fetch.fetch(wanted.reference, at: wanted.pin)
    let contents = try await offload { () throws in
      try BaseContents(layers: base.layers.map { blobs.appending($0.digest.hex) })
    }
    let fit = try BaseFit(name, base, contents, tree.pythonMinors)
    var layers: [AddedLayer] = []
    var places: [Digest: FilePath] = [:]
    func add(_ folder: FilePath, _ title: String, _ createdBy: String) async throws {
      let made = try await LayerWriter(work: work).layer(of: folder, title, createdBy: createdBy)
      layers.append(made.layer)
      places[made.layer.descriptor.digest] = made.place
    }
    let packages = try await packages(fit, contents, work)
    if let packages { try await add(packages.folder, "packages", "packages: \(packages.names)") }
    let wheels = AnsibleFolder(
      interpreter: fit.python, minor: fit.minor, architecture: job.architecture)
    let installed = try await wheels.make(
      of: tree.requirements, try await index(), glibcMinor: fit.glibcMinor,
      wheels: try realPath(configuration.outputs.appending("pypi/files")), in: work)
    try await add(installed.folder, "requirements", "pip install: \(installed.names.joined(separator: " "))")
    let image = try AssembledImage(
      name, on: base, adding: layers,
      environment: [
        "PATH": (["\(AnsibleFolder.place)/bin"] + base.searchPath).joined(separator: ":"),
        // Compiled files would lie in the kubespray tree of the host, and belong to root.
        "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8",
      ],
      labels: ["org.opencontainers.image.title": "Ansible for kubespray \(copy.version)"],
      command: ["/bin/sh"])
    let configuration = work.appending("configuration")
    try writeAtomically(image.configuration, to: configuration, isDurable: false)
    places[image.configurationDigest] = configuration
    let found = places
    let archive = work.appending("image.tar.gz")
    _ = try await offload { () throws in
      try ImageArchiveWriter.write(
        image.image, blobs: { found[$0] ?? blobs.appending($0.hex) }, to: archive)
    }
    try writeAtomically("\(digest)", to: place.appending(Self.baseName))
    try renameDurably(archive, to: place.appending("image.tar.gz"))
    return packages != nil
  }

  /// What the base lacks and the bundle has for its release, unpacked.
  private func packages(
    _ fit: BaseFit, _ contents: BaseContents, _ work: FilePath
  ) async throws -> (folder: FilePath, names: String)? {
    guard !fit.missing.isEmpty else { return nil }
    let target = contents.system.flatMap { try? PackageTarget($0) }
    guard let choice = debianTargets?.first(where: { $0.target == target }),
      let status = contents.packageStatus
    else {
      try lack(fit.missing, target)
      return nil
    }
    let additions = DebianAdditions(
      repository: try realPath(configuration.outputs.appending(choice.folder)),
      architecture: job.architecture, cache: cache)
    let files = additions.isThere ? try await additions.files(for: fit.missing, on: status) : []
    let found = Set(files.compactMap { $0.stem?.split(separator: "_").first.map(String.init) })
    let lacking = fit.missing.filter { !found.contains($0) }
    if !lacking.isEmpty { try lack(lacking, target) }
    guard !files.isEmpty else { return nil }
    let folder = work.appending("packages")
    try createDirectories(folder)
    try await DebianAdditions.unpack(files, into: folder)
    try await offload { () throws in try PackageFolder(folder).adapt(to: contents) }
    let names = files.compactMap(\.stem)
    return (folder, names.joined(separator: " "))
  }

  /// - Throws: ``AssemblyFailed`` when Ansible would be of no use without.
  private func lack(_ packages: [String], _ target: PackageTarget?) throws {
    let release = target.map { "\($0) (packages.targets)" } ?? "its release"
    guard !packages.contains("openssh-client") else {
      throw AssemblyFailed(
        name: name,
        reason:
          "its base has no ssh client, and the bundle has no openssh-client for \(release)",
        remedy: .sshClient)
    }
    let list = packages.joined(separator: " and ")
    events.say(
      .warning, "\(name) lacks \(list): neither its base nor the bundle has them for \(release)")
  }
}

/// An image with Ansible that could not be made.
struct AssemblyFailed: Error, CustomStringConvertible {
  let name: ImageReference
  let reason: String
  var remedy: AssemblyRemedy?

  var description: String { "\(name) cannot be assembled: \(reason)" }
}

/// What helps against an image that cannot be assembled.
enum AssemblyRemedy {
  /// A base that has an ssh client, or the package of one.
  case sshClient
}
