import Bundle
import Files
import Host
import Settings
import SystemPackage

/// Runs the bundle's registry.
struct RegistryStep: Step {
  let name = StepName.registry
  let needs: [StepName] = [.containerd]
  let usedFolders = ["images"]

  func check(_ context: SetupContext, _ journal: Journal) async throws -> StepState {
    if journal.isEmpty, !context.pushesToOwnRegistry {
      return .notApplicable(
        "images go to \(context.configuration.registry.address), so no registry is run here")
    }
    guard context.host.exists(context.configuration.registry.directory) else {
      return .needed("the registry is not set up")
    }
    return try await service(context).state(journal)
  }

  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String {
    _ = try await ContainerRuntime.running(context.host)
    let text = try Self.configuration(
      try context.bundle.serviceText("registry-config.yml"),
      secret: Self.secret(in: context.host.path(configurationFile(context.host)))
    )
    // Only the registry reads its secret.
    try journal.write(configurationFile(context.host), text, mode: 0o600)
    try journal.makeFolder(context.configuration.registry.directory)
    try await service(context).setUp(journal)
    return "the registry answers at \(context.addresses.registryHost)"
  }

  func beforeUndo(_ context: SetupContext, _ journal: Journal) async throws {
    try await service(context).remove(journal)
    await Firewall.close(context.host, journal)
  }

  func afterUndo(_ context: SetupContext, _ journal: Journal) async throws {
    await Service("kubespray-offline-registry", context.host).forget()
  }

  private func configurationFile(_ host: TargetHost) -> FilePath {
    host.stateFolder.appending("registry").appending("config.yml")
  }

  private func service(_ context: SetupContext) throws -> ContainerService {
    let settings = context.configuration.registry
    let bind = settings.bind.map { $0.contains(":") ? "[\($0)]" : $0 } ?? ""
    return ContainerService(
      name: "registry", title: "the registry",
      image: try ImageReference("registry:\(context.configuration.versions.registry)"),
      mounts: [
        .init(source: configurationFile(context.host), place: "/etc/kubespray-offline/registry.yml"),
        .init(source: settings.directory, place: "/var/lib/registry", isWritable: true),
      ],
      environment: [
        "REGISTRY_HTTP_ADDR": "\(bind):\(settings.port)",
        // Version 3 otherwise tells a collector on this host, which is not there, of every request.
        "OTEL_TRACES_EXPORTER": "none",
      ],
      command: ["registry", "serve", "/etc/kubespray-offline/registry.yml"],
      port: settings.port, bind: settings.bind, probe: "http://\(context.addresses.localRegistryHost)/v2/",
      host: context.host, bundle: context.bundle)
  }

  /// The configuration with the secret by which an upload can go on after a restart.
  ///
  /// - Throws: ``StepError`` when the text is not the one that is expected.
  static func configuration(_ text: String, secret: String) throws(StepError) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let index = lines.firstIndex(of: "http:") else {
      throw StepError(
        "registry-config.yml of the bundle has no line \"http:\"", .verify)
    }
    return (lines[...index] + ["  secret: \(secret)"] + lines[(index + 1)...]).joined(separator: "\n")
  }

  /// The secret that a file has, or a new one.
  private static func secret(in file: FilePath) -> String {
    let mark = "  secret: "
    let line = ((try? readText(file)) ?? "").split(separator: "\n").first { $0.hasPrefix(mark) }
    if let line { return String(line.dropFirst(mark.count)) }
    var generator = SystemRandomNumberGenerator()
    return (0..<4).map { _ in
      let text = String(generator.next(), radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }.joined()
  }
}

extension SetupContext {
  /// Where images are pushed to: `HOST[:PORT][/PATH]`.
  var pushAddress: String {
    pushesToOwnRegistry ? addresses.localRegistryHost : configuration.registry.address
  }

  /// Whether images go to the registry that this program runs on this host.
  var pushesToOwnRegistry: Bool {
    guard let local = configuration.registry.local else { return true }
    let port = configuration.registry.port
    return ["localhost:\(port)", "127.0.0.1:\(port)", addresses.localRegistryHost, addresses.registryHost]
      .contains(local)
  }
}
