import Bundle
import Files
import Host
import Settings
import SystemPackage

/// Runs the bundle's registry.
struct RegistryStep: Step {
  let name = StepName.registry
  let needs: [StepName] = [.containerd]

  func check(_ node: Node, _ journal: Journal) async throws -> StepState {
    if journal.isEmpty, !node.pushesToOwnRegistry {
      return .notApplicable("images go to \(node.configuration.registry.address), so none is run here")
    }
    guard node.exists(node.configuration.registry.directory) else {
      return .needed("the registry is not set up")
    }
    return try await service(node).state(node, journal)
  }

  func apply(_ node: Node, _ journal: Journal) async throws -> String {
    _ = try await ContainerRuntime.running(node)
    let text = try Self.configuration(
      try node.serviceText("registry-config.yml"), secret: Self.secret(in: node.path(configurationFile(node)))
    )
    // Only the registry reads its secret.
    try journal.write(configurationFile(node), text, mode: 0o600)
    try journal.makeFolder(node.configuration.registry.directory)
    try await service(node).set(up: node, journal)
    return "the registry answers at \(node.registryHost)"
  }

  func beforeUndo(_ node: Node, _ journal: Journal) async throws {
    try await service(node).remove(node, journal)
    await Firewall.close(node, journal)
  }

  func afterUndo(_ node: Node, _ journal: Journal) async throws {
    await Service("kubespray-offline-registry", node).forget()
  }

  private func configurationFile(_ node: Node) -> FilePath {
    node.stateFolder.appending("registry").appending("config.yml")
  }

  private func service(_ node: Node) throws -> ContainerService {
    let settings = node.configuration.registry
    let bind = settings.bind.map { $0.contains(":") ? "[\($0)]" : $0 } ?? ""
    return ContainerService(
      name: "registry", title: "the registry",
      image: try ImageReference("registry:\(node.configuration.versions.registry)"),
      mounts: [
        .init(source: configurationFile(node), place: "/etc/kubespray-offline/registry.yml"),
        .init(source: settings.directory, place: "/var/lib/registry", isWritable: true),
      ],
      environment: [
        "REGISTRY_HTTP_ADDR": "\(bind):\(settings.port)",
        // Version 3 otherwise tells a collector on this host, which is not there, of every request.
        "OTEL_TRACES_EXPORTER": "none",
      ],
      command: ["registry", "serve", "/etc/kubespray-offline/registry.yml"],
      port: settings.port, bind: settings.bind, probe: "http://\(node.localRegistryHost)/v2/")
  }

  /// The configuration with the secret by which an upload can go on after a restart.
  ///
  /// - Throws: ``StepError`` when the text is not the one that is expected.
  static func configuration(_ text: String, secret: String) throws(StepError) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let index = lines.firstIndex(of: "http:") else {
      throw StepError(
        "registry-config.yml of the bundle has no line \"http:\". Restore it: target-setup verify")
    }
    return (lines[...index] + ["  secret: \(secret)"] + lines[(index + 1)...]).joined(separator: "\n")
  }

  /// The secret that a file has, or a new one.
  private static func secret(in file: FilePath) -> String {
    var bytes: [UInt8] = []
    _ = try? readFile(file) { bytes.append(contentsOf: $0) }
    let mark = "  secret: "
    let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(mark) }
    if let line { return String(line.dropFirst(mark.count)) }
    var generator = SystemRandomNumberGenerator()
    return (0..<4).map { _ in
      let text = String(generator.next(), radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }.joined()
  }
}

extension Node {
  /// Where images are pushed to: `HOST[:PORT][/PATH]`.
  var pushAddress: String { pushesToOwnRegistry ? localRegistryHost : configuration.registry.address }

  /// Whether images go to the registry that this program runs on this host.
  var pushesToOwnRegistry: Bool {
    guard let local = configuration.registry.local else { return true }
    let port = configuration.registry.port
    return ["localhost:\(port)", "127.0.0.1:\(port)", localRegistryHost, registryHost].contains(local)
  }
}
