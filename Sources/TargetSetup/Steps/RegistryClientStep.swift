import Console
import SystemPackage

/// Makes the container clients of this host know the registry that the images went to.
struct RegistryClientStep: Step {
  let name = StepName.registryClient

  private static let clients: [any ContainerClient] = [
    DockerClient(), ContainersClient(), ContainerdClient(),
  ]
  /// Whether a running dockerd has read its file since it was written.
  private static let reloadNote = "docker"
  /// The names that were added for Docker.
  private static let nameNote = "docker-registry"

  private struct Found {
    let client: any ContainerClient
    let settings: ClientSettings

    func isWritten(_ node: Node) -> Bool {
      settings.files.allSatisfy { (try? node.hostFile($0.path)) == $0.bytes }
    }
  }

  func check(_ node: Node, _ journal: Journal) async throws -> StepState {
    let registry = try node.clientRegistry()
    if registry.trust == .system {
      return .notApplicable(
        "clients ask \(registry.name) over TLS with this host's certificates, which needs no settings; if it has a CA of "
          + "its own, or no TLS: --ca-file, --insecure"
      )
    }
    let found = try await find(registry, node, journal)
    guard !found.isEmpty else {
      return .notApplicable("neither Docker, podman, skopeo, buildah, CRI-O nor containerd is here")
    }
    let missing = found.filter { !$0.isWritten(node) }
    guard missing.isEmpty else {
      return .needed("\(Self.titles(missing)) are to know \(registry.name)")
    }
    guard journal.lastNote(Self.reloadNote) != "to reload" else {
      return .needed("the running dockerd is to read its settings again")
    }
    return .done(Self.summary(found, registry))
  }

  func apply(_ node: Node, _ journal: Journal) async throws -> String {
    let registry = try node.clientRegistry()
    // Everything is read and understood before anything is touched.
    let found = try await find(registry, node, journal)
    for client in found {
      for remark in client.settings.remarks { node.say(.warning, remark, step: name) }
      for file in client.settings.files {
        let isDaemonFile = file.path == DockerClient.daemonFile
        if isDaemonFile {
          try journal.replaceNote(Self.reloadNote, "to reload")
          try journal.note(Self.nameNote, registry.name)
        }
        let mode = FileAttributes(node.path(file.path)).flatMap { $0.kind == .file ? $0.mode : nil }
        if try journal.write(file.path, file.bytes, mode: mode ?? 0o644) {
          node.say(.info, "\(client.client.title): \(file.path)", step: name)
        }
      }
    }
    await SecurityLabels.restore(journal, node)
    if journal.lastNote(Self.reloadNote) == "to reload" {
      if try await DockerDaemon(node).reload(), try await !DockerDaemon(node).knows(registry.name) {
        node.say(
          .warning,
          "dockerd has not taken \(DockerClient.daemonFile) over; see its log. It reads the file at its next start",
          step: name)
      }
      try journal.replaceNote(Self.reloadNote, "reloaded")
    }
    return Self.summary(found, registry)
  }

  /// A running dockerd keeps what a file said that no longer says anything about it, so it first reads one without the
  /// names that this step has added.
  func beforeUndo(_ node: Node, _ journal: Journal) async throws {
    let added = journal.notes(Self.nameNote)
    guard !added.isEmpty, let bytes = try node.hostFile(DockerClient.daemonFile),
      let document = try? JSONObjectText(bytes), let names = document.names(of: DockerClient.key)
    else { return }
    let others = names.filter { !added.contains($0) }
    let mode = FileAttributes(node.path(DockerClient.daemonFile))?.mode
    try journal.write(
      DockerClient.daemonFile, document.replacing(others, of: DockerClient.key), mode: mode ?? 0o644)
    guard try await DockerDaemon(node).reload() else { return }
    for name in added where try await !DockerDaemon(node).knows(name, false) {
      node.say(.warning, "dockerd still knows \(name); it forgets it at its next start", step: self.name)
    }
  }

  func afterUndo(_ node: Node, _ journal: Journal) async throws {
    if journal.lastNote(Self.reloadNote) != nil { _ = try await DockerDaemon(node).reload() }
  }

  private func find(_ registry: ClientRegistry, _ node: Node, _ journal: Journal) async throws -> [Found] {
    var found: [Found] = []
    for client in Self.clients {
      guard let settings = try await client.settings(registry, node, journal) else { continue }
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
