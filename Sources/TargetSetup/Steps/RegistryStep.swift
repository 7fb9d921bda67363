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
    guard try files(context).areCurrent(context) else {
      return .needed("the certificate or the login of the registry is to be renewed")
    }
    return try await service(context).state(journal)
  }

  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String {
    _ = try await ContainerRuntime.running(context.host)
    let isWritable = context.configuration.registry.writable
    var settings = try RegistryConfiguration(try context.bundle.serviceText("registry-config.yml"))
    let isImageNew = try await service(context).bringImage(journal)
    try settings.setSecret(Self.secret(in: context.host.path(configurationFile(context.host))))
    try settings.setWritable(isWritable)
    try journal.makeFolder(context.configuration.registry.directory)
    let user = try prepareStorage(context, journal)
    try files(context).write(context, journal)
    // Only the registry reads its secret, and it cannot change the file.
    try journal.write(
      configurationFile(context.host), settings.text, mode: 0o640, group: user?.group ?? 0)
    try await service(context).setUp(journal, isImageNew: isImageNew)
    guard !isWritable else {
      return "the registry answers at \(context.addresses.registryHost), open for pushes"
    }
    try await proveReadOnly(context)
    return "the registry answers at \(context.addresses.registryHost)"
  }

  /// Makes sure that the registry that runs takes no uploads, whatever release and settings it has.
  private func proveReadOnly(_ context: SetupContext) async throws {
    let place = "\(context.addresses.localRegistry)/v2/kubespray-offline-probe/blobs/uploads/"
    let readiness = try Readiness(try context.access)
    guard let status = await readiness.status(place, method: "POST"), (200..<300).contains(status) else {
      return
    }
    throw StepError(
      "the registry takes uploads from the network although it is to be read-only (registry.writable)",
      .verify)
  }

  /// As whom the registry runs. A new folder of one that takes pushes is given to it; another folder stays as it is, and
  /// the registry runs as its owner if it must.
  private func prepareStorage(_ context: SetupContext, _ journal: Journal) throws -> ContainerLimits.User? {
    let path = context.configuration.registry.directory
    let folder = context.host.path(path)
    let isNew = journal.entries.contains { $0.kind == .folder && $0.path == path.string }
    if context.configuration.registry.writable, isNew, try listFolder(folder).isEmpty, effectiveUser == 0,
      Self.isUnprivileged(context)
    {
      let user = ContainerLimits.User.unprivileged
      try setOwner(user.id, group: user.group, of: folder)
    }
    return storageUser(context)
  }

  /// A port below 1024 is for root alone.
  private static func isUnprivileged(_ context: SetupContext) -> Bool {
    context.configuration.registry.port >= 1024
  }

  private func storageUser(_ context: SetupContext) -> ContainerLimits.User? {
    guard Self.isUnprivileged(context) else { return nil }
    let folder = context.host.path(context.configuration.registry.directory)
    let content = try? FileInfo(folder.appending("docker/registry/v2"), followsLinks: true)
    guard let info = content ?? (try? FileInfo(folder, followsLinks: true)) else { return .unprivileged }
    // Who only reads what all may read need not own it.
    let isReadable = info.mode & 0o005 == 0o005
    if !context.configuration.registry.writable, isReadable { return .unprivileged }
    return ContainerLimits.User(id: info.owner, group: info.group)
  }

  func beforeUndo(_ context: SetupContext, _ journal: Journal) async throws {
    try await service(context).remove(journal)
    await Firewall.close(context.host, journal)
  }

  func afterUndo(_ context: SetupContext, _ journal: Journal) async throws {
    await Service("kubespray-offline-registry", context.host).forget()
  }

  /// What the registry reads, a path of the host.
  func configurationFile(_ host: TargetHost) -> FilePath {
    host.stateFolder.appending("registry").appending("config.yml")
  }

  private func files(_ context: SetupContext) -> ServerFiles { .registry(context.host, storageUser(context)) }

  /// What the registry is told beside its file (distribution, `docs/configuration.md`: every key has a variable).
  private static func environment(_ address: String, _ access: Configuration.Access) -> [String: String] {
    var variables = [
      "REGISTRY_HTTP_ADDR": address,
      // Version 3 otherwise tells a collector on this host, which is not there, of every request.
      "OTEL_TRACES_EXPORTER": "none",
    ]
    guard access.isTLS else { return variables }
    variables["REGISTRY_HTTP_TLS_CERTIFICATE"] = "\(ServerFiles.place)/server.crt"
    variables["REGISTRY_HTTP_TLS_KEY"] = "\(ServerFiles.place)/server.key"
    variables["REGISTRY_HTTP_TLS_MINIMUMTLS"] = "tls1.2"
    guard access.wantsLogin else { return variables }
    variables["REGISTRY_AUTH"] = "htpasswd"
    variables["REGISTRY_AUTH_HTPASSWD_REALM"] = "kubespray-offline"
    variables["REGISTRY_AUTH_HTPASSWD_PATH"] = "\(ServerFiles.place)/htpasswd"
    return variables
  }

  private func service(_ context: SetupContext) throws -> ContainerService {
    let settings = context.configuration.registry
    let bind = settings.bind.map { $0.contains(":") ? "[\($0)]" : $0 } ?? ""
    return ContainerService(
      name: "registry", title: "the registry",
      image: try ImageReference("registry:\(context.configuration.versions.registry)"),
      mounts: [
        .init(source: configurationFile(context.host), place: "/etc/kubespray-offline/registry.yml"),
        .init(source: settings.directory, place: "/var/lib/registry", isWritable: settings.writable),
      ] + (try files(context).mounts(context)),
      environment: Self.environment("\(bind):\(settings.port)", context.configuration.access),
      command: ["registry", "serve", "/etc/kubespray-offline/registry.yml"],
      port: settings.port, bind: settings.bind, probe: "\(context.addresses.localRegistry)/v2/",
      access: try context.access,
      host: context.host, bundle: context.bundle,
      limits: ContainerLimits(
        user: storageUser(context),
        capabilities: Self.isUnprivileged(context) ? [] : ["NET_BIND_SERVICE"], memory: 1 << 30))
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

  /// The same with the scheme in front where it is known.
  var pushTarget: String {
    pushesToOwnRegistry && configuration.access.isTLS ? addresses.localRegistry : pushAddress
  }

  /// Whether images go to the registry that this program runs on this host.
  var pushesToOwnRegistry: Bool {
    guard let local = configuration.registry.local else { return true }
    let port = configuration.registry.port
    return ["localhost:\(port)", "127.0.0.1:\(port)", addresses.localRegistryHost, addresses.registryHost]
      .contains(local)
  }
}
