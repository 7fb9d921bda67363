import Console
import Files
import SystemPackage

/// Makes the container clients of this host know the registry that the images went to.
struct RegistryClientStep: Step {
  let name = StepName.registryClient

  static let clients: [any ContainerClient] = [
    DockerClient(), ContainersClient(), ContainerdClient(),
  ]

  private struct Found {
    let client: any ContainerClient
    let settings: ClientSettings

    func isWritten(_ host: TargetHost) -> Bool {
      settings.files.allSatisfy { (try? host.file($0.path)) == $0.bytes }
    }
  }

  func check(_ context: SetupContext, _ journal: Journal) async throws -> StepState {
    let registry = try ClientRegistry(context)
    if registry.trust == .system {
      return .notApplicable(
        "clients reach \(registry.name) over TLS with this host's certificates, which needs no settings; if it uses a private CA "
          + "or no TLS, pass --ca-file or --insecure"
      )
    }
    let found = try await find(registry, context.host, journal)
    guard !found.isEmpty else {
      return .notApplicable("neither Docker, podman, skopeo, buildah, CRI-O nor containerd is here")
    }
    let missing = found.filter { !$0.isWritten(context.host) }
    guard missing.isEmpty else {
      return .needed("\(Self.titles(missing)) are to know \(registry.name)")
    }
    guard journal.lastNote(.dockerReload) != "to reload" else {
      return .needed("the running dockerd is to read its settings again")
    }
    return .done(Self.summary(found, registry))
  }

  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String {
    let registry = try ClientRegistry(context)
    // Everything is read and understood before anything is touched.
    let found = try await find(registry, context.host, journal)
    let daemonFile = DockerClient.daemonFile(context.host)
    for client in found {
      for remark in client.settings.remarks { context.say(.warning, remark, step: name) }
      for file in client.settings.files {
        let isDaemonFile = file.path == daemonFile
        if isDaemonFile {
          try journal.replaceNote(.dockerReload, "to reload")
          try journal.note(.dockerRegistry, registry.name)
        }
        let mode = (try? FileInfo(context.host.path(file.path))).flatMap { $0.kind == .file ? $0.mode : nil }
        if try journal.write(file.path, file.bytes, mode: mode ?? file.mode) {
          context.say(.info, "\(client.client.title): \(file.path)", step: name)
        }
      }
    }
    await SecurityLabels.restore(journal, context.host)
    var objecting: Set<String> = []
    if journal.lastNote(.dockerReload) == "to reload" {
      if try await DockerDaemon(context.host).reload(),
        try await !DockerDaemon(context.host).knows(registry.name)
      {
        context.say(
          .warning,
          "dockerd has not read \(daemonFile) again; see its log. It reads the file at its next start",
          step: name)
        objecting.insert(DockerClient().title)
      }
      try journal.replaceNote(.dockerReload, "reloaded")
    }
    for client in found.map(\.client) {
      guard let objection = try await client.objection(to: registry, context.host) else { continue }
      context.say(.warning, objection, step: name)
      objecting.insert(client.title)
    }
    return Self.summary(found.filter { !objecting.contains($0.client.title) }, registry)
  }

  /// A running dockerd keeps what a file said that no longer says anything about it, so it first reads one without the
  /// names that this step has added.
  func beforeUndo(_ context: SetupContext, _ journal: Journal) async throws {
    let added = journal.notes(.dockerRegistry)
    let daemonFile = DockerClient.daemonFile(context.host)
    guard !added.isEmpty, let bytes = try context.host.file(daemonFile),
      let document = try? JSONObjectText(bytes), let names = document.names(of: DockerClient.key)
    else { return }
    let others = names.filter { !added.contains($0) }
    let mode = (try? FileInfo(context.host.path(daemonFile)))?.mode
    try journal.write(
      daemonFile, document.replacing(others, of: DockerClient.key), mode: mode ?? 0o644)
    guard try await DockerDaemon(context.host).reload() else { return }
    for name in added where try await !DockerDaemon(context.host).knows(name, false) {
      context.say(.warning, "dockerd still knows \(name) until its next start", step: self.name)
    }
  }

  func afterUndo(_ context: SetupContext, _ journal: Journal) async throws {
    if journal.lastNote(.dockerReload) != nil { _ = try await DockerDaemon(context.host).reload() }
  }

  private func find(_ registry: ClientRegistry, _ host: TargetHost, _ journal: Journal) async throws
    -> [Found]
  {
    var found: [Found] = []
    for client in Self.clients {
      guard let settings = try await client.settings(registry, host, journal) else { continue }
      found.append(Found(client: client, settings: settings))
    }
    return found
  }

  private static func summary(_ found: [Found], _ registry: ClientRegistry) -> String {
    let known = found.filter { $0.settings.remarks.isEmpty }
    return known.isEmpty
      ? "what is here is left as it is, see above" : "\(titles(known)) can pull from \(registry.name)"
  }

  private static func titles(_ found: [Found]) -> String {
    found.map(\.client.title).joined(separator: ", ")
  }
}
