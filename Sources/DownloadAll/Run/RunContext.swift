import Bundle
import Concurrency
import Console
import Host
import Kubespray
import Registry
import Settings
import Synchronization
import SystemPackage
import Transfer

/// What the stages of one run share.
public struct RunContext: Sendable {
  /// The settings.
  public let configuration: Configuration
  /// The architectures of the target machines, the main one first; never empty.
  public let architectures: [Architecture]
  /// The main one, which the bundle is called after.
  public let architecture: Architecture
  /// The folder that holds `target-scripts/`, the local patches among them.
  public let projectRoot: FilePath
  /// Where every event goes.
  public let emit: @Sendable (ConsoleEvent) -> Void

  let engine: TransferEngine
  let verified: VerifiedFiles
  let previous: PreviousBundle
  let remote: RemoteFiles
  let space: SpaceReservations
  let kubespray: KubesprayProvider
  let charts: ChartSource
  let images: ImageSource
  let resolutions: ResolutionMemory
  let rate: TransferRate
  /// Whether nothing but the cache may change: a plan is asked for, not a run.
  var isPlanning = false
  /// The stages of this run.
  let selected: Set<StageName>
  let plans: StagePlans
  /// How stages ended, for those that wait for others.
  let ends = StageEnds()
  /// What makes the run impossible on this machine, found out once for all who ask: it writes into folders.
  let machineProblems: Memo<[Problem]>
  private let claims = ClaimedPlaces()

  /// Prepares a run: nothing is written below `outputs`.
  ///
  /// - Parameter selection: The stages that shall run, what they need included.
  /// - Throws: ``ConfigurationError``, ``TransferError``, ``ManifestError`` or ``UnusableFolder`` when the run cannot
  ///   start.
  public init(
    configuration: Configuration, selection: [StageName], projectRoot: FilePath,
    environment: [String: String],
    emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) throws {
    try self.init(
      configuration: configuration, selection: selection, projectRoot: projectRoot, environment: environment,
      stage: { StageTable.stage($0, configuration) }, emit: emit)
    // What no run can do is told before the first download.
    do {
      _ = try AnsibleImage(configuration, kubespray.version)
    } catch {
      throw ConfigurationError(problems: ["\(error)"])
    }
  }

  /// Prepares a run over other stages than the real ones.
  init(
    configuration: Configuration, selection: [StageName], projectRoot: FilePath,
    environment: [String: String], stage: @escaping @Sendable (StageName) -> any Stage,
    emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) throws {
    self.configuration = configuration
    self.projectRoot = projectRoot
    self.emit = emit
    let machine = Architecture.current
    let architectures = configuration.architectureNames(of: machine.rawValue).compactMap(
      Architecture.init(rawValue:))
    self.architectures = architectures.isEmpty ? [machine] : architectures
    architecture = architectures.first ?? machine
    engine = try TransferEngine(TransferConfiguration(configuration, environment: environment))
    do {
      try CacheFolder.make(configuration.cache)
    } catch {
      throw UnusableFolder(folder: configuration.cache, option: "--cache", reason: "\(error)")
    }
    verified = VerifiedFiles(configuration.cache.appending(VerifiedFiles.fileName))
    previous = try PreviousBundle(outputs: configuration.outputs)
    remote = RemoteFiles(engine: engine, mirrors: configuration.mirrors)
    charts = ChartSource(engine: engine, remote: remote, cache: configuration.cache)
    space = SpaceReservations(folder: configuration.outputs)
    let selected = Set(selection)
    self.selected = selected
    machineProblems = Memo { PrecheckStage.machineProblems(configuration, selected) }
    let download = KubesprayDownload(
      engine: engine, remote: remote, verified: verified, folder: configuration.cache.appending("downloads"),
      emit: emit)
    kubespray = try KubesprayProvider(
      configuration: configuration, architectures: self.architectures, projectRoot: projectRoot,
      download: download,
      emit: emit)
    images = ImageSource(
      client: try RegistryClient(configuration, engine: engine, environment: environment, emit: emit),
      platforms: try Self.platforms(configuration, machine),
      // Some are published for one architecture only; named for images themselves, platforms are meant strictly.
      oneIsEnough: configuration.images.platforms.isEmpty)
    rate = TransferRate(cache: configuration.cache)
    resolutions = ResolutionMemory(
      folder: configuration.cache.appending("resolutions"), maximumAge: configuration.refreshAfter)
    plans = StagePlans(stage)
  }

  private static func platforms(
    _ configuration: Configuration, _ machine: Architecture
  ) throws(PlatformError) -> [Platform] {
    var platforms: [Platform] = []
    for text in configuration.imagePlatforms(of: machine.rawValue) {
      platforms.append(try Platform(parsing: text))
    }
    return platforms
  }

  /// The platforms of the target machines, `linux/amd64`, the main one first.
  var platforms: [String] { architectures.map { "linux/\($0.rawValue)" } }

  /// The architectures for people: `amd64 and arm64`.
  var architectureNames: String { architectures.map(\.rawValue).joined(separator: " and ") }

  /// Where a file of the bundle lies.
  func place(_ path: BundlePath) -> FilePath {
    configuration.outputs.appending(path.description)
  }

  /// Keeps the places of a stage's artifacts from every other stage of the run.
  ///
  /// - Returns: The artifacts, each once.
  /// - Throws: ``ArtifactCollision``.
  func claim(_ artifacts: [Artifact]) throws(ArtifactCollision) -> [Artifact] {
    var own = ArtifactPlan()
    try own.add(artifacts)
    try claims.add(own.artifacts)
    return own.artifacts
  }

  /// Tells something about a stage.
  func say(_ level: MessageLevel, _ text: String, stage: StageName? = nil) {
    emit(.message(level, text, stage: stage?.rawValue))
  }
}

extension TransferConfiguration {
  /// The settings that are about the network, and the CA bundle of the environment.
  init(_ configuration: Configuration, environment: [String: String]) {
    self.init()
    parallel = configuration.transfer.parallel
    perHost = configuration.transfer.perHost
    retries = configuration.transfer.retries
    connectTimeout = configuration.transfer.connectTimeout
    stallTimeout = configuration.transfer.stallTimeout
    rateLimit = configuration.transfer.limitRate > 0 ? configuration.transfer.limitRate : nil
    httpProxy = configuration.proxy.http
    httpsProxy = configuration.proxy.https
    noProxy = configuration.proxy.no
    userAgent = programUserAgent
    applyEnvironment(environment)
  }
}

/// The places that the stages of a run have claimed so far.
private final class ClaimedPlaces: Sendable {
  private let plan = Mutex(ArtifactPlan())

  func add(_ artifacts: [Artifact]) throws(ArtifactCollision) {
    try plan.withLock { plan throws(ArtifactCollision) in try plan.add(artifacts) }
  }
}
