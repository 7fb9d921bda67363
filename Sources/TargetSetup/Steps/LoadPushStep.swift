import Bundle
import Concurrency
import Console
import Files
import Host
import Integrity
import Registry
import Settings
import Synchronization
import SystemPackage
import Transfer

/// Puts all images of the bundle into the registry, under their names there and with their digests.
struct LoadPushStep: Step {
  let name = StepName.loadPush
  let needs: [StepName] = [.registry]
  let usedFolders = ["images"]

  func check(_ context: SetupContext, _ journal: Journal) async throws -> StepState {
    if !context.push.archives.isEmpty { return .needed("its images are to be in \(context.pushAddress)") }
    let archives = try archives(context.bundle)
    guard !archives.isEmpty else { return .notApplicable("the bundle has no images") }
    guard context.pushesToOwnRegistry else {
      return .needed(
        "\(counted(archives.count, "image is", "images are")) to be in \(context.configuration.registry.address)"
      )
    }
    let missing = try await missingImages(context, journal)
    let all = counted(archives.count, "image is", "images are")
    // Another bundle may have brought them: it is not to take them away.
    if missing == 0, try StoredRelease.lacks(context) {
      return .needed("\(all) in \(context.addresses.registryHost), by another bundle")
    }
    return missing == 0
      ? .done("\(all) in \(context.addresses.registryHost)")
      : .needed("\(missing) of \(all) to be put into \(context.addresses.registryHost)")
  }

  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String {
    let results = try await bring(context, journal)
    show(results, context)
    if context.bundle.shell != nil, context.push.archives.isEmpty {
      try PushedArchives.note(results, context.bundle, journal)
      if context.pushesToOwnRegistry {
        try StoredRelease.record(PushedArchives.stored(results), context, journal)
      }
    }
    let failures = results.compactMap { result in
      result.failure.map { Problem($0, about: Self.subject(result)) }
    }
    guard failures.isEmpty else {
      throw Problems(failures)
    }
    let present = results.count { $0.outcome == .present }
    let bytes = ByteCount.format(results.byteSum(of: \.bytesSent))
    let images = counted(results.count, "image")
    let there =
      present == 0 ? "" : results.count == 1 ? ", there already" : ", \(present) of them there already"
    return "\(images)\(there), \(bytes) sent"
  }

  private func bring(_ context: SetupContext, _ journal: Journal) async throws -> [PushResult] {
    guard context.push.archives.isEmpty else { return try await pushGivenArchives(context) }
    let names = try archives(context.bundle)
    if context.pushesToOwnRegistry { try await prove(names, context) }
    let archives = try names.map { try context.bundle.unprovedFile($0) }
    if let missing = context.bundle.shell?.images().filter({ $0.archive == nil }), !missing.isEmpty {
      context.say(
        .warning,
        "not in the bundle, though its lists name them: \(missing.map(\.name).joined(separator: ", "))",
        step: name)
    }
    return context.pushesToOwnRegistry
      ? try await seed(archives, context, journal)
      : try await send(archives, context)
  }

  /// Over HTTP. An archive is read just before it is sent; no image has a name before all of them were proved.
  private func send(_ archives: [FilePath], _ context: SetupContext) async throws -> [PushResult] {
    do {
      return try await push(context, isBundle: true).push(archives)
    } catch let error as ArchivesRefused {
      throw Problems(error.archives.map { Problem($0.error, about: path(of: $0.archive, context)) })
    }
  }

  /// Archives that were made by others. The journal has nothing of them: whose images those are in the bundle's own
  /// registry is not for undo to say, which then leaves all of them. That registry takes nothing over HTTP, so they go into
  /// its folder as the bundle's do.
  private func pushGivenArchives(_ context: SetupContext) async throws -> [PushResult] {
    let storage =
      context.pushesToOwnRegistry ? context.host.path(context.configuration.registry.directory) : nil
    return try await push(context).push(given: context.push.archives, into: storage)
  }

  /// Straight into the folder of the bundle's own registry, which is then asked for every manifest.
  private func seed(_ archives: [FilePath], _ context: SetupContext, _ journal: Journal) async throws
    -> [PushResult]
  {
    let folder = context.configuration.registry.directory
    if !context.host.exists(folder.appending("docker")) { try journal.note(.storage, folder.string) }
    try journal.note(.pushed, context.addresses.registryHost)
    let new = carriedRepositories(context).subtracting(notedRepositories(journal))
    if !new.isEmpty { try journal.note(.repositories, new.sorted().joined(separator: " ")) }
    try StoredRelease.record(context.storedImages(context.bundle.manifest), context, journal)
    return try await push(context).seed(
      archives, into: context.host.path(folder))
  }

  func beforeUndo(_ context: SetupContext, _ journal: Journal) async throws {
    guard let folder = journal.lastNote(.storage) else {
      return context.say(.warning, "the registry had images before, so all of them stay", step: name)
    }
    let foreign = try ImagePush.repositories(inStorage: context.host.path(FilePath(folder))).subtracting(
      pushedRepositories(context, journal))
    guard foreign.isEmpty else {
      context.say(
        .warning,
        "the registry also has \(foreign.sorted().prefix(5).joined(separator: ", ")), so all images stay in \(folder)",
        step: name)
      return
    }
    try await offloaded {
      let place = context.host.path(FilePath(folder))
      try removeTree(place.appending("docker"))
      // A record that a kill has left half written has its name in it.
      for name in try listFolder(place) where name.contains(".kubespray-offline") {
        try removeTree(place.appending(name))
      }
    }
  }

  // MARK: Parts

  private func archives(_ bundle: ArrivedBundle) throws(StepError) -> [String] {
    if let shell = bundle.shell { return Set(shell.images().compactMap(\.archive)).sorted() }
    guard let manifest = bundle.manifest else { throw .unfinished(bundle.folder) }
    return manifest.files.filter { $0.image != nil }.map(\.path.description)
  }

  /// What this program has put there: of this bundle and of those before it.
  private func pushedRepositories(_ context: SetupContext, _ journal: Journal) -> Set<String> {
    PushedArchives.repositories(journal).union(carriedRepositories(context)).union(notedRepositories(journal))
  }

  private func carriedRepositories(_ context: SetupContext) -> Set<String> {
    Set(
      (context.bundle.manifest?.files ?? []).compactMap(\.image).map { image in
        ImageReference.pushRepository(
          registry: image.reference.registry, repository: image.reference.repository,
          strippedRegistries: context.configuration.registry.stripped)
      })
  }

  private func notedRepositories(_ journal: Journal) -> Set<String> {
    Set(journal.notes(.repositories).flatMap { $0.split(separator: " ").map(String.init) })
  }

  /// How many images the bundle's own registry does not serve as they are in the bundle.
  private func missingImages(_ context: SetupContext, _ journal: Journal) async throws -> Int {
    var images: [(reference: ImageReference, digest: Digest)] = []
    var missing = 0
    if context.bundle.shell != nil {
      for archive in try archives(context.bundle) {
        // What an archive without a manifest holds is known once it was read.
        let known = PushedArchives.images(of: archive, context.bundle, journal)
        if known.isEmpty { missing += 1 }
        images += known
      }
    } else {
      let carried = (context.bundle.manifest?.files ?? []).count { $0.image != nil }
      guard carried > 0 else { return try archives(context.bundle).count }
      images = try carriedImages(context).images
      missing = carried - images.count
    }
    return try await self.missing(images, context).count + missing
  }

  /// Which of some images the bundle's own registry does not serve with these digests, as indices.
  ///
  /// - Throws: An error when the registry's address cannot be one.
  func missing(_ images: [(reference: ImageReference, digest: Digest)], _ context: SetupContext) async throws
    -> [Int]
  {
    // It is asked once: a registry that does not answer has none of them.
    var transfer = try transfer(context)
    transfer.retries = 0
    var configuration = configuration(context)
    configuration.allowsPlainHTTP = true
    let registry = ImagePush(
      target: try PushTarget(context.addresses.localRegistry), engine: try TransferEngine(transfer),
      credentials: RegistryCredentials(environment: try ownLogin(context), home: "/") { _, _ in (1, "") },
      configuration: configuration)
    return try await registry.missing(images)
  }

  private func transfer(_ context: SetupContext) throws(StepError) -> TransferConfiguration {
    var transfer = TransferConfiguration(
      environment: context.host.environment, options: context.push, exists: context.host.exists)
    if context.pushesToOwnRegistry {
      transfer.noProxy = "*"
      try context.access.adjust(&transfer)
    } else if context.isOwnMachine((try? PushTarget(context.configuration.registry.address))?.host ?? "") {
      transfer.noProxy = "*"
    }
    return transfer
  }

  private func configuration(_ context: SetupContext) -> PushConfiguration {
    let tmp = context.host.path(context.host.stateFolder).appending("tmp")
    var configuration = PushConfiguration(scratch: tmp.appending("load-push"))
    configuration.strippedRegistries = context.configuration.registry.stripped
    configuration.allowsPlainHTTP = context.push.isInsecure
    configuration.prefersTLS = context.push.certificateAuthority != nil
    if let name = context.push.imageName, let archive = context.push.archives.first {
      configuration.names[archive] = name
    }
    for file in context.bundle.manifest?.files ?? [] {
      guard let image = file.image else { continue }
      configuration.expected[context.bundle.place(file.path.description)] = ExpectedImage(image)
    }
    return configuration
  }

  /// The login of the bundle's own registry, as variables that only this process sees.
  private func ownLogin(_ context: SetupContext) throws(StepError) -> [String: String] {
    guard context.pushesToOwnRegistry, let login = try context.access.login else { return [:] }
    let names = RegistryCredentials.variableNames(registry: context.addresses.localRegistryHost)
    return [names.user: login.user, names.password: login.password]
  }

  private func push(_ context: SetupContext, isBundle: Bool = false) throws -> ImagePush {
    var configuration = configuration(context)
    if isBundle {
      configuration.archivesAreProved = context.bundle.manifest != nil
      configuration.prove = proof(context)
    }
    let home = context.host.environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/root"
    let report = context.emit
    let credentials = RegistryCredentials(
      environment: context.host.environment.merging(try ownLogin(context)) { $1 }, home: FilePath(home),
      onProblem: { report(.message(.warning, "\($0); registries are asked without it", stage: nil)) },
      helper: { program, server in
        let result = try await context.host.run(Command(program, ["get"], input: server + "\n"))
        return (result.status, result.standardOutput)
      })
    let (emit, stage) = (context.emit, name.rawValue)
    let totals = PlannedTotals()
    return ImagePush(
      target: try PushTarget(context.pushTarget), engine: try TransferEngine(transfer(context)),
      credentials: credentials, configuration: configuration
    ) { event in
      switch event {
      case .planned(let images, let bytes):
        let sum = totals.add(images, bytes)
        emit(.stageTotals(stage, items: sum.images, bytes: sum.bytes))
      case .sent(let bytes), .skipped(let bytes): emit(.bytes(stage, bytes))
      case .voided(let bytes): emit(.bytes(stage, -bytes))
      case .note(let text): emit(.message(.info, text, stage: stage))
      case .finished(let result):
        let item = Self.subject(result)
        let outcome: ItemOutcome =
          switch result.outcome {
          case .pushed: .done
          case .present: .skipped
          case .failed: .failed(Problem(result.failure ?? CancellationError(), about: item))
          }
        emit(.itemFinished(stage, item: item, outcome, bytes: 0))
        if let remark = result.remark { emit(.message(.warning, "\(item): \(remark)", stage: stage)) }
      }
    }
  }

  /// What a result is about. Errors of archives name the file themselves.
  private static func subject(_ result: PushResult) -> String {
    result.reference?.description ?? result.archive.lastComponent?.string ?? result.archive.string
  }

  private func show(_ results: [PushResult], _ context: SetupContext) {
    context.showTable(
      ["IMAGE", "IN THE REGISTRY AS", "DIGEST", "SENT", "RESULT"],
      results.map { result in
        let outcome =
          switch result.outcome {
          case .pushed(let replaced): replaced == nil ? "pushed" : "replaced"
          case .present: "was there"
          case .failed: "failed"
          }
        return [
          result.reference?.description ?? result.archive.lastComponent?.string ?? "",
          result.destination ?? "-",
          result.digest.map { String("\($0)".prefix(19)) } ?? "-", ByteCount.format(result.bytesSent),
          outcome,
        ]
      })
  }
}

/// What several pushes in a row have planned together.
private final class PlannedTotals: Sendable {
  private let sum = Mutex((images: 0, bytes: Int64(0)))

  func add(_ images: Int, _ bytes: Int64) -> (images: Int, bytes: Int64) {
    sum.withLock { sum in
      sum = (sum.images + images, sum.bytes + bytes)
      return sum
    }
  }
}
