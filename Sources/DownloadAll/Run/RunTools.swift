import Bundle
import Cache
import Console
import Files
import Host
import Registry
import Settings
import SystemPackage
import Transfer

/// What a run works with, made once. Only those who put a run together take from it; each stage and each phase gets
/// what it needs of it, and nothing else.
struct RunTools: Sendable {
  let emit: @Sendable (ConsoleEvent) -> Void
  let cache: Cache
  let downloads: Downloads
  let record: BundleRecord
  let previous: PreviousBundle
  let space: SpaceReservations
  let kubespray: KubesprayWorkshop
  let charts: ChartSource
  let images: ImageSource
  let resolutions: ResolutionMemory
  let signatures = RepositorySignatures()
  /// What a locked run is held to, and what the next lock has.
  let lock: LockKeeper
  /// Who signs the bundle; `nil` for nobody.
  let signer: BundleSigner?

  /// Nothing is written below `outputs`.
  ///
  /// - Throws: ``ConfigurationError``, ``TransferError``, ``ManifestError``, ``SigningFailed``, ``LockUnusable``,
  ///   ``LockContradicted`` or ``UnusableFolder`` when the run cannot start.
  init(
    _ job: Job, environment: [String: String], emit: @escaping @Sendable (ConsoleEvent) -> Void
  ) throws {
    let configuration = job.configuration
    self.emit = emit
    lock = try LockKeeper(job)
    signer = try configuration.signing.key.map { try BundleSigner($0) }
    let engine = try TransferEngine(TransferConfiguration(configuration, environment: environment))
    do {
      cache = try Cache(configuration.cache)
    } catch {
      throw UnusableFolder(
        folder: configuration.cache, option: "--cache",
        reason: FileError.reason(error))
    }
    record = BundleRecord(
      outputs: configuration.outputs,
      verified: VerifiedFiles(cache.file(VerifiedFiles.fileName)))
    previous = try PreviousBundle(outputs: configuration.outputs)
    space = SpaceReservations(folder: configuration.outputs)
    downloads = Downloads(
      engine: engine, remote: RemoteFiles(engine: engine, mirrors: configuration.mirrors),
      progress: TransferProgress(emit: emit, rate: TransferRate(cache)))
    kubespray = try KubesprayWorkshop(
      job, cache: cache, lock: lock,
      download: KubesprayDownload(
        downloads: downloads, cache: cache, events: StageEvents(stage: .kubespray, emit: emit),
        isOffline: configuration.transfer.offline)
    ) { StageEvents(stage: $0, emit: emit) }
    charts = ChartSource(downloads, cache: cache, lock: lock)
    images = ImageSource(
      client: RegistryClient(configuration, engine: engine, environment: environment, emit: emit),
      platforms: try configuration.imagePlatforms(of: Architecture.current.rawValue).map {
        try Platform(parsing: $0)
      },
      // Some are published for one architecture only; named for images themselves, platforms are meant strictly.
      oneIsEnough: configuration.images.platforms.isEmpty,
      carriesAttached: configuration.images.signatures, pinned: { [lock] in lock.pin(of: $0) })
    resolutions = ResolutionMemory(
      cache: cache, maximumAge: configuration.refreshAfter, isOffline: configuration.transfer.offline,
      lock: lock)
  }

  var remote: RemoteFiles { downloads.remote }
  var rate: TransferRate { downloads.progress.rate }

  /// What a stage reports to people.
  func events(_ stage: StageName) -> StageEvents { StageEvents(stage: stage, emit: emit) }

  /// What brings the artifacts of a job.
  func fetcher(_ job: Job) -> ArtifactFetcher {
    let parallel = job.configuration.transfer.parallel
    let held = HeldBlobs(previous, outputs: record.outputs)
    return ArtifactFetcher(
      present: PresentFiles(record: record, previous: previous, images: images, held: held),
      bringers: [
        GeneratedBringer(record: record), CopyBringer(record: record, emit: emit),
        URLBringer(record: record, downloads: downloads, parallel: parallel),
        ImageBringer(
          record: record, images: images, held: held, archives: ImagesOnTheirWay(record),
          progress: downloads.progress, parallel: parallel,
          strippedRegistries: job.configuration.registry.stripped),
      ], previous: previous, space: space, asksHosts: job.includes(.precheck), emit: emit)
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
    minimumRate = configuration.transfer.minimumRate
    rateLimit = configuration.transfer.limitRate > 0 ? configuration.transfer.limitRate : nil
    isOffline = configuration.transfer.offline
    httpProxy = configuration.proxy.http
    httpsProxy = configuration.proxy.https
    noProxy = configuration.proxy.no
    userAgent = programUserAgent
    applyEnvironment(environment)
    applySystemAuthorities { fileExists(FilePath($0)) }
  }
}
