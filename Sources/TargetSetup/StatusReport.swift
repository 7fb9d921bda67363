import Bundle
import Settings
import SystemPackage

/// The state of a host: its steps, and what it serves.
public struct StatusReport: Sendable, Encodable {
  /// A server of this host.
  public struct Service: Sendable, Encodable {
    /// What it is.
    public let name: String
    /// The address for other machines.
    public let address: String
    /// Whether it answers on this host.
    public let answers: Bool
  }

  /// How far the bundle is trusted, and what was allowed.
  public let trust: BundleTrust
  /// The folder of the bundle.
  let bundle: String
  /// The kubespray version that the bundle is for, if it tells.
  let kubespray: String?
  /// How other machines reach this host.
  let address: String
  /// The steps, in their order.
  public let steps: [StepStatus]
  /// What is served.
  public let services: [Service]
  /// The certificates of the servers.
  public let access: AccessReport
  /// A release that is served.
  public struct Release: Sendable, Encodable {
    /// The kubespray version.
    public let kubespray: String
    /// Its own address for other machines; `nil` when only its files are served, and only where no newer bundle has others.
    public let address: String?
    /// What is served of it: `files`, `debs`, `rpms`, `pypi`.
    public let parts: [String]
    /// The folder that must stay where it is.
    public let folder: String
    /// Whether all of it is there.
    public let isThere: Bool

    init(_ release: ServedRelease, hasAddress: Bool, _ context: SetupContext) {
      kubespray = release.kubespray
      address =
        hasAddress ? "\(context.addresses.webServer)\(ReleaseAddress.path(of: release.kubespray))/" : nil
      parts = (hasAddress ? release.parts : release.parts.filter { $0 == .files }).map(\.rawValue)
      folder = release.folder.string
      isThere = release.parts.allSatisfy(release.partsThere(on: context.host).contains)
    }
  }

  /// The releases that are served, the one that was set up last first.
  public let releases: [Release]
  /// What was pruned, oldest first.
  public let pruned: [PrunedNote]
  /// Whether a pruning was begun and stopped.
  public let isPruningUnfinished: Bool
  /// What is typed next; nothing before kubespray was extracted.
  public let next: [String]

  /// Looks; changes nothing.
  ///
  /// - Throws: `CancellationError`, or `TransferError` when libcurl cannot be started.
  public init(_ context: SetupContext) async throws {
    let (arrived, addresses) = (context.bundle, context.addresses)
    trust = context.trust
    bundle = arrived.folder.string
    kubespray =
      arrived.manifest?.kubespray ?? (arrived.shell == nil ? nil : context.configuration.kubespray.version)
    address = addresses.host
    steps = try await SetupRun(context).status()
    access = try AccessReport(context)
    let served = try ServedReleases.read(context.host)
    let addressed = Set(ServedReleases.addressed(served))
    releases = served.enumerated().map { number, release in
      Release(release, hasAddress: addressed.contains(number), context)
    }
    pruned = try PrunedNote.all(context)
    isPruningUnfinished = context.host.exists(PruneOrder.file(context.host))
    next = NextCommands(context)?.lines ?? []
    let readiness = try Readiness(try context.access)
    func answers(_ url: String) async -> Bool {
      await readiness.status(url).map { (200..<400).contains($0) } ?? false
    }
    var services = [
      Service(
        name: "web server", address: addresses.webServer,
        answers: await answers("\(addresses.localWebServer)/"))
    ]
    for part in (try? ServedTree(context).parts()) ?? [] {
      services.append(
        Service(
          name: part.rawValue, address: "\(addresses.webServer)/\(part.rawValue)/",
          answers: await answers("\(addresses.localWebServer)/\(part.rawValue)/")))
    }
    services.append(
      Service(
        name: "registry", address: addresses.registryHost,
        answers: await answers("\(addresses.localRegistry)/v2/")))
    self.services = services
  }
}
