import Bundle
import Concurrency
import Console
import Files
import FoundationEssentials
import Host
import Integrity
import Kubespray
import Registry
import Settings
import SystemPackage

/// Adds something to a bundle that is there, or takes it out again, without finding out anew what kubespray wants: nothing
/// but that is planned and fetched, and then the bundle is closed as by any run.
public struct AdditionRun: Sendable {
  /// What is asked for.
  public enum Request: Sendable {
    /// Add it; a file with the digest that it must have.
    case add(Additions.Kind, name: String, sha256: Digest?)
    /// Take it out.
    case remove(Additions.Kind, name: String)

    fileprivate var kind: Additions.Kind {
      switch self {
      case .add(let kind, _, _), .remove(let kind, _): kind
      }
    }
  }

  /// What one request comes to.
  struct Change {
    /// The list as it is then.
    var additions: Additions
    /// What is to be fetched first.
    var rows: [StageTable.Row] = []
    /// What is written when that is there.
    var generated: [Artifact] = []
    /// Files that go.
    var taken: Set<BundlePath> = []
  }

  private let configuration: Configuration
  private let installation: FilePath?
  private let environment: [String: String]
  private let emit: @Sendable (ConsoleEvent) -> Void

  /// Work on the bundle in the folder that the configuration calls outputs.
  public init(
    _ configuration: Configuration, installation: FilePath?, environment: [String: String],
    emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) {
    var configuration = configuration
    // A lock has what a run of all stages found, and not this.
    configuration.locked = false
    self.configuration = configuration
    self.installation = installation
    self.environment = environment
    self.emit = emit
  }

  /// Does what is asked for.
  ///
  /// What fails before anything has arrived leaves the bundle as it was, its signature included.
  /// - Throws: ``AdditionError``; what keeps a run from starting or the bundle from being closed, see
  ///   ``Pipeline/execute()``.
  public func execute(_ request: Request) async throws -> RunReport {
    let job = Job(
      configuration, selection: request.kind == .package ? [.repo] : [], projectRoot: ".",
      installation: installation)
    let tools = try RunTools(job, environment: environment, emit: emit)
    let lock = try RunLock.take(job)
    defer { withExtendedLifetime(lock) {} }
    try tools.previous.checkUnchanged()
    guard let manifest = tools.previous.manifest else { throw AdditionError.noBundle(configuration.outputs) }
    let start = ContinuousClock.now
    let change = try change(request, manifest, job, tools)
    var report = RunReport(stages: await run(change.rows, job, tools))
    try Task.checkCancellation()
    guard !report.hasFailures else {
      if request.kind != .package { try tools.previous.restore() }
      return report
    }
    let generated = change.generated + (try change.additions.artifacts())
    for stage in StageName.allCases {
      let artifacts = generated.filter { $0.stage == stage }
      guard !artifacts.isEmpty else { continue }
      let rows = [StageTable.Row(name: stage, needs: [], stage: GivenStage(list: artifacts))]
      report.stages += await run(rows, job, tools)
    }
    guard !report.hasFailures else { return report }
    var taken = change.taken
    if change.additions.entries.isEmpty { taken.insert(try BundlePath(Additions.fileName)) }
    let statement = BundleStatement(
      kubespray: manifest.kubespray, source: nil, signedRepositories: tools.signatures.byFolder,
      expiresAfter: configuration.signing.expiresAfter)
    let closing = BundleClosing(job, tools, stages: report.stages, statement: statement, taking: taken)
    // One more file takes nothing away from what was proved; packages that were chosen anew may.
    return try await closing.finish(report, job.selection.isEmpty ? manifest.proof : nil, since: start)
  }

  private func run(
    _ rows: [StageTable.Row], _ job: Job, _ tools: RunTools
  ) async -> [StageReport] {
    let runner = StageRunner(rows, tools.fetcher(job), tools.lock, emit: emit)
    var reports: [StageReport] = []
    for stage in runner.stages { reports.append(await runner.run(stage)) }
    return reports
  }

  // MARK: What is to be done

  private func change(
    _ request: Request, _ manifest: Manifest, _ job: Job, _ tools: RunTools
  ) throws -> Change {
    let additions = try Additions(in: configuration.outputs)
    switch request {
    case .add(.image, let name, _): return try adding(try ImageReference(name), additions, manifest, tools)
    case .add(.file, let url, let digest): return try adding(url, digest, additions, manifest, tools)
    case .add(.package, let name, _):
      guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9.+_-]*/) != nil else {
        throw AdditionError.notAPackage(name)
      }
      var change = Change(additions: additions)
      let known = additions.entries.first { $0.kind == .package && $0.name == name }
      if known != nil { sayPresent(name, known) }
      change.additions.put(.init(kind: .package, name: name, sha256: nil, paths: []))
      change.rows = try packages(manifest, change.additions, without: [], job, tools)
      return change
    case .remove(let kind, let name): return try removing(kind, name, additions, manifest, job, tools)
    }
  }

  private func adding(
    _ image: ImageReference, _ additions: Additions, _ manifest: Manifest, _ tools: RunTools
  ) throws -> Change {
    var plan = ImagePlan(strippedRegistries: configuration.registry.stripped)
    for known in manifest.files.compactMap(\.image?.reference) { plan.add(known) }
    let isNew = plan.add(image)
    let path = try manifest.files.first { $0.image?.reference == image }?.path ?? plan.archivePath(of: image)
    let isOpen = image.digest == nil && tools.images.client.isPlain(image)
    let artifact = Artifact(
      path: path, source: .image(image), stage: .images,
      verification: Verification(.registry, over: isOpen ? .open : .proved), listing: "download-all add")
    var change = Change(additions: additions)
    let known = additions.entries.first { $0.kind == .image && $0.name == "\(image)" }
    if !isNew { sayPresent("\(image)", known) }
    change.additions.put(
      .init(kind: .image, name: "\(image)", sha256: nil, paths: known?.paths ?? (isNew ? ["\(path)"] : [])))
    change.rows = [.init(name: .images, needs: [], stage: GivenStage(list: [artifact]))]
    change.generated = try list("images/additional-images.list", .images, adding: "\(image)")
    return change
  }

  private func adding(
    _ url: String, _ digest: Digest?, _ additions: Additions, _ manifest: Manifest, _ tools: RunTools
  ) throws -> Change {
    let artifact = try Self.file(url, digest, FileLayout(name: configuration.fileLayout), tools.remote)
    let present = manifest.files.first { $0.path == artifact.path }
    if let present, present.url != artifact.recordedOrigin {
      throw AdditionError.collision(
        url: hidingCredentials(url), path: "\(artifact.path)",
        other: present.url ?? "another file of the bundle")
    }
    var change = Change(additions: additions)
    let known = additions.entries.first { $0.kind == .file && $0.name == url }
    if present != nil { sayPresent(hidingCredentials(url), known) }
    change.additions.put(
      .init(
        kind: .file, name: url, sha256: digest,
        paths: known?.paths ?? (present == nil ? ["\(artifact.path)"] : [])))
    change.rows = [.init(name: .files, needs: [], stage: GivenStage(list: [artifact]))]
    change.generated = try list("files/files.list", .files, adding: hidingCredentials(url))
    return change
  }

  private func sayPresent(_ name: String, _ known: Additions.Entry?) {
    let text =
      known == nil
      ? "is in the bundle already; from now on it stays there when no list names it" : "was added already"
    emit(.message(.info, "\(name) \(text). Only what has changed since is fetched", stage: nil))
  }

  /// A file that was added, at its place in the bundle.
  ///
  /// - Throws: `FileLayoutError` or ``BundlePathError``.
  static func file(
    _ url: String, _ digest: Digest?, _ layout: FileLayout, _ remote: RemoteFiles
  ) throws -> Artifact {
    Artifact(
      path: try BundlePath("files/\(try layout.placement(url: url).path)"), source: .url(url), stage: .files,
      digest: digest, verification: digest == nil ? remote.verification(of: url) : .givenChecksum)
  }

  private func removing(
    _ kind: Additions.Kind, _ name: String, _ additions: Additions, _ manifest: Manifest, _ job: Job,
    _ tools: RunTools
  ) throws -> Change {
    let name = kind == .image ? "\(try ImageReference(name))" : name
    guard let entry = additions.entries.first(where: { $0.kind == kind && $0.name == name }) else {
      throw AdditionError.unknown(kind: kind, name: name, outputs: configuration.outputs)
    }
    var change = Change(additions: additions)
    change.additions.entries.removeAll { $0 == entry }
    change.taken = Set(try entry.paths.map { try BundlePath($0) })
    switch kind {
    case .image: change.generated = try list("images/additional-images.list", .images, removing: name)
    case .file: change.generated = try list("files/files.list", .files, removing: hidingCredentials(name))
    case .package: change.rows = try packages(manifest, change.additions, without: [name], job, tools)
    }
    // What the bundle had before stays in its lists.
    if kind != .package, entry.paths.isEmpty { change.generated = [] }
    return change
  }

  /// A list of the bundle with one line more or less.
  private func list(
    _ path: String, _ stage: StageName, adding line: String? = nil, removing other: String? = nil
  ) throws -> [Artifact] {
    let text = try readText(ifPresent: configuration.outputs.appending(path)) ?? ""
    var lines = Set(text.split(separator: "\n").map(String.init))
    if let line { lines.insert(line) }
    if let other { lines.remove(other) }
    let bytes = Array(lines.sorted().map { "\($0)\n" }.joined().utf8)
    return [
      Artifact(
        path: try BundlePath(path), source: .generated(bytes), stage: stage, verification: .generated)
    ]
  }

  /// The rows of the stage `repo`, whose packages are those that were asked for before, and those that were added.
  private func packages(
    _ manifest: Manifest, _ additions: Additions, without removed: Set<String>, _ job: Job, _ tools: RunTools
  ) throws -> [StageTable.Row] {
    guard !configuration.packages.skip else { throw AdditionError.noPackages }
    let asked = AskedPackages(configuration.lock, of: manifest, without: removed)
    if asked == nil {
      tools.events(.repo).say(
        .info,
        "\(configuration.lock) does not tell which packages this bundle was made of, so kubespray is asked")
    }
    let packages = PackageRepositories(job, tools, asked: asked, additions: additions)
    let mirrors = StageMirrors(tools.resolutions, tools.events(.repo)) {
      try await packages.mirrors(tools.events(.repo))
    }
    return [
      .init(
        name: .repo, needs: [],
        stage: MirrorStage(mirrors: mirrors, remote: tools.remote) {
          await packages.fetchLists(tools.events(.repo))
        }),
      StageTable.index(mirrors, job, tools),
    ]
  }
}

/// Wants what was given.
private struct GivenStage: Stage {
  let list: [Artifact]

  func artifacts() async throws -> [Artifact] { list }
}
