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

  /// The folder of the bundle.
  public let bundle: String
  /// The kubespray version that the bundle is for, if it tells.
  public let kubespray: String?
  /// How other machines reach this host.
  public let address: String
  /// The steps, in their order.
  public let steps: [StepStatus]
  /// What is served.
  public let services: [Service]

  /// Looks; changes nothing.
  ///
  /// - Throws: `CancellationError`, or `TransferError` when libcurl cannot be started.
  public init(_ node: Node) async throws {
    bundle = node.bundle.string
    kubespray = node.manifest?.kubespray ?? (node.shell == nil ? nil : node.configuration.kubespray.version)
    address = node.address
    steps = try await SetupRun(node).status()
    let readiness = try Readiness()
    func answers(_ url: String) async -> Bool {
      await readiness.status(url).map { (200..<400).contains($0) } ?? false
    }
    var services = [
      Service(name: "web server", address: node.webServer, answers: await answers("\(node.localWebServer)/"))
    ]
    for part in (try? ServedTree(node).parts()) ?? [] {
      services.append(
        Service(
          name: part, address: "\(node.webServer)/\(part)/",
          answers: await answers("\(node.localWebServer)/\(part)/")))
    }
    services.append(
      Service(
        name: "registry", address: node.registryHost,
        answers: await answers("http://\(node.localRegistryHost)/v2/")))
    self.services = services
  }
}
