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
  /// A release whose files are served.
  public struct Release: Sendable, Encodable {
    /// The kubespray version.
    public let kubespray: String
    /// The folder that must stay where it is.
    public let folder: String
    /// Whether it is there.
    public let isThere: Bool
  }

  /// The releases whose files are served, the one that was set up last first.
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
    releases = try ServedReleases.read(context.host).map {
      Release(kubespray: $0.kubespray, folder: $0.folder.string, isThere: context.host.exists($0.folder))
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
