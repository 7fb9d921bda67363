import Bundle
import Concurrency
import Console
import Files
import Integrity
import Registry
import Settings
import SystemPackage

/// Removes what no kept release needs.
public struct PruneRun: Sendable {
  /// What came of it.
  public struct Report: Sendable, Encodable {
    /// What was to go, as it was found before the first change.
    public let plan: PrunePlan
    /// How many bytes the disk got back.
    public let freed: Int64
  }

  private let context: SetupContext
  private let request: PrunePlan.Request

  /// A pruning.
  ///
  /// - Parameters:
  ///   - context: The host, and the bundle that the program belongs to.
  ///   - drop: The releases that are to go.
  ///   - cluster: What a cluster runs; `nil` when none was asked.
  ///   - keepsBundles: Whether the folders of bundles stay.
  public init(_ context: SetupContext, dropping drop: [String], cluster: ClusterUse?, keepsBundles: Bool) {
    self.context = context
    let program = (try? linkTarget("/proc/self/exe")) ?? "/"
    request = PrunePlan.Request(
      drop: drop, uses: cluster?.images ?? [], keepsBundles: keepsBundles, program: FilePath(program))
    self.cluster = cluster
  }

  private let cluster: ClusterUse?

  /// What would go. Changes nothing.
  ///
  /// - Throws: ``StepError`` or `FileError`.
  public func plan() async throws -> PrunePlan {
    let (request, context, cluster) = (request, context, cluster)
    return try await offloaded {
      let plan = try PrunePlan(request, context, isWhole: true)
      try cluster?.refuse(plan.selection)
      return plan
    }
  }

  /// Removes it. Killed at any moment, the same call made again ends as if it had not been.
  ///
  /// - Throws: ``StepError``, ``Host/CommandError``, `FileError` or `CancellationError`.
  public func apply() async throws -> Report {
    let lock = try HostLock(context.host)
    defer { withExtendedLifetime(lock) {} }
    let (request, context) = (request, context)
    let plan = try await offloaded { try PrunePlan(request, context) }
    try cluster?.refuse(plan.selection)
    let order = PruneOrder(
      started: plan.selection.unfinished?.started ?? ManifestTime.text(secondsSince1970()),
      releases: plan.selection.dropped.map(\.release), uses: plan.uses,
      keepsBundles: plan.selection.unfinished?.keepsBundles ?? false || request.keepsBundles)
    if plan.steps.isEmpty, order.releases.isEmpty { return Report(plan: plan, freed: 0) }
    try await requireServers(plan, order)
    // Before the first change it is known what it is part of.
    try order.save(on: context.host)
    try note(plan, order)
    try await stopServing(plan, order)
    var freed: Int64 = 0
    for item in plan.steps where item.removal != nil {
      try Task.checkCancellation()
      freed = ByteSize.sum(freed, try await remove(item))
    }
    freed = ByteSize.sum(freed, try await removeImages(plan))
    try forget(plan, order)
    try removeFile(context.host.path(PruneOrder.file(context.host)))
    return Report(plan: plan, freed: freed)
  }

  /// Looks whether what is needed to the end is there: what is removed by then comes back from nowhere.
  private func requireServers(_ plan: PrunePlan, _ order: PruneOrder) async throws {
    let collection = RegistryCollection(context: context)
    if plan.images != nil {
      try await collection.require()
    } else if try stillServed(order).hasAny {
      _ = try await ContainerRuntime.running(context.host)
    } else if plan.isUnfinished, try await collection.isClosed() {
      _ = try await ContainerRuntime.running(context.host)
    }
  }

  /// The releases that stay on the web server, and whether it serves any that go.
  private func stillServed(_ order: PruneOrder) throws -> (rest: [ServedRelease], hasAny: Bool) {
    let going = Set(order.releases.map(\.id))
    let served = try ServedReleases.read(context.host)
    let rest = served.filter { !going.contains($0.id) }
    return (rest, rest != served)
  }

  /// Each step's journal tells what of its work is taken away, once.
  private func note(_ plan: PrunePlan, _ order: PruneOrder) throws {
    let registry = context.configuration.registry.directory
    for item in plan.steps {
      let steps: [StepName] =
        switch item.kind {
        case .images where item.removal == nil: [.loadPush]
        case .tree: [.extract, .ansible]
        case .environment: [.ansible]
        default: [.nginx]
        }
      let note = PrunedNote(
        time: order.started, release: item.release ?? order.releases.map(\.kubespray).joined(separator: " "),
        bytes: item.bytes, what: item.removal == nil ? "images in \(registry)" : item.what)
      for step in steps {
        let journal = try context.journal(step)
        let isKnown = journal.notes(.pruned).compactMap { PrunedNote($0) }.contains {
          $0.time == note.time && $0.what == note.what
        }
        // One that is empty has no work.
        if !journal.isEmpty, !isKnown { try journal.note(.pruned, note.value) }
      }
    }
  }

  // MARK: Files

  /// Takes the releases that go from the web server, before anything of them is removed.
  private func stopServing(_ plan: PrunePlan, _ order: PruneOrder) async throws {
    guard order.releases.contains(where: { $0.folder != nil }) else { return }
    let (rest, isServed) = try stillServed(order)
    let journal = try context.journal(.nginx)
    if isServed {
      try journal.write(ServedReleases.file(context.host), try ServedReleases.bytes(rest))
    }
    if case .done = try await NginxStep().check(context, journal) {
    } else {
      _ = try await NginxStep().apply(context, journal)
    }
    let script = try context.host.file(context.host.stateFolder.appending("services/nginx.sh")) ?? []
    let text = String(decoding: script, as: UTF8.self)
    for release in order.releases {
      guard let folder = release.folder, text.contains("src=\(folder)/") else { continue }
      throw StepError("the web server still serves \(folder) of \(release.text)", .pruneAgain)
    }
  }

  private func remove(_ item: PruneItem) async throws -> Int64 {
    guard let removal = item.removal else { return 0 }
    context.say(.info, "removing \(item.what)")
    try await offloaded { try removal.perform() }
    let left = removal.files.filter(FileTree.exists)
    guard let first = left.first else { return item.bytes }
    throw StepError("\(first) is still there", .pruneAgain)
  }

  // MARK: Images

  /// Takes names and manifests out of the registry, and lets it collect what nothing names any more.
  private func removeImages(_ plan: PrunePlan) async throws -> Int64 {
    let collection = RegistryCollection(context: context)
    guard plan.images != nil else {
      // One that was killed may have left the registry closed.
      if plan.isUnfinished { try await collection.reopen() }
      return 0
    }
    let before = try await missing(plan)
    let (request, context) = (request, context)
    let bytes: Int64 = try await collection.whileClosed {
      // What was pushed until it was closed counts.
      let now = try await offloaded { try PrunePlan(request, context) }
      guard let images = now.images else { return 0 }
      context.say(
        .info,
        "removing \(counted(images.tags.count, "tag")), \(counted(images.manifests, "manifest")) from the registry"
      )
      try await offloaded { images.unlink() }
      context.say(
        .info, "the registry collects \(counted(images.garbage.count, "blob")) that nothing names any more")
      try await collection.run()
      let left = images.leftGarbage
      guard let first = left.first else { return images.bytes }
      throw StepError(
        "the registry has left \(left.count) of \(counted(images.garbage.count, "blob")) that nothing names, such as \(first)",
        .pruneAgain)
    }
    let after = try await missing(plan)
    guard after <= before else {
      throw StepError(
        "\(counted(after - before, "image of the releases that stay is", "images of the releases that stay are")) served no longer",
        .first(.loadPush))
    }
    return bytes
  }

  /// How many images of the releases that stay the registry does not serve.
  private func missing(_ plan: PrunePlan) async throws -> Int {
    let images = Set(plan.selection.kept.flatMap { $0.release.images ?? [] }).compactMap { image in
      (try? ImageReference(
        registry: context.addresses.localRegistryHost, repository: image.repository, tag: nil,
        digest: image.digest))
        .map { (reference: $0, digest: image.digest) }
    }
    return try await LoadPushStep().missing(images, context).count
  }

  /// Forgets what each release had in the registry, once it is gone.
  private func forget(_ plan: PrunePlan, _ order: PruneOrder) throws {
    // What could not be removed is known the next time.
    guard !plan.isRegistryLeftAlone else { return }
    let going = Set(order.releases.map(\.id))
    let all = try StoredRelease.read(context.host)
    let rest = all.filter { !going.contains($0.id) }
    guard rest != all else { return }
    try context.journal(.loadPush).write(StoredRelease.file(context.host), try StoredRelease.bytes(rest))
  }
}
