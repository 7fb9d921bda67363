import SystemPackage

/// containerd and nerdctl: a folder for each registry with a hosts.toml (containerd's docs/hosts.md).
struct ContainerdClient: ContainerClient {
  /// Where nerdctl looks by itself (nerdctl's docs/config.md, `hosts_dir`).
  private static let usual: FilePath = "/etc/containerd/certs.d"

  let title = "containerd and nerdctl"

  func settings(
    _ registry: ClientRegistry, _ host: TargetHost, _ journal: Journal
  ) async throws -> ClientSettings? {
    let configuration = ContainerdConfiguration(host)
    guard configuration.isThere || host.hasProgram("containerd", "nerdctl") else { return nil }
    var settings = ClientSettings()
    settings.remarks = configuration.problems.map { "\($0): containerd may not start with it" }
    let folders = await folders(configuration, registry, host, &settings)
    guard !folders.isEmpty, let lines = try await lines(registry) else { return settings }
    for folder in folders { try add(folder, lines, registry, &settings, host, journal) }
    return settings
  }

  /// The folders of the registry that containerd and nerdctl read.
  private func folders(
    _ configuration: ContainerdConfiguration, _ registry: ClientRegistry, _ host: TargetHost,
    _ settings: inout ClientSettings
  ) async -> [FilePath] {
    var tops = configuration.folders
    let asked = await ContainerdConfiguration.folders(askedFrom: host, configuration.file)
    if let asked, !asked.isEmpty { tops = asked }
    if let asked, asked.isEmpty, !tops.isEmpty {
      settings.remarks.append(
        "containerd says that it has no config_path, though \(configuration.place ?? configuration.file) has one: "
          + "see \"containerd config dump\"")
    }
    var folders = tops.isEmpty ? [] : [Self.folder(registry.name, in: tops, host)]
    if host.hasProgram("nerdctl") {
      let own = Self.folder(registry.name, in: [Self.nerdctlFolder(host)], host)
      if !tops.contains(own.removingLastComponent()) { folders.append(own) }
    }
    // Of a file that cannot be understood nobody knows what it has.
    if folders.isEmpty, configuration.problems.isEmpty || asked != nil {
      settings.remarks.append(Self.unread(configuration))
    }
    return folders
  }

  /// Why containerd reads no settings of registries, and what would let it.
  private static func unread(_ configuration: ContainerdConfiguration) -> String {
    let file = configuration.file
    let wanted = "[plugins.\"\(configuration.plugin)\".registry] config_path = \"\(usual)\""
    guard configuration.isThere else {
      return
        "there is no \(file), so no config_path either, and containerd reads no settings of registries: make it with "
        + "\"containerd config default\", and write into it: \(wanted)"
    }
    if configuration.isDisabled {
      return
        "\(file) has no config_path, and its disabled_plugins has the part of containerd that pulls: only nerdctl and ctr "
        + "pull with it; it is left as it is"
    }
    let mirrors =
      configuration.hasMirrors
      ? "; what its registry.mirrors says must then move there too, as containerd takes no file with both"
      : ""
    return "\(file) has no config_path, so containerd reads no settings of registries"
      + (configuration.hasMirrors ? " but those of registry.mirrors in it" : "")
      + "; it is left as it is. Write into it: \(wanted)\(mirrors)"
  }

  private static func nerdctlFolder(_ host: TargetHost) -> FilePath {
    let document = (try? host.file("/etc/nerdctl/nerdctl.toml")).flatMap { bytes in
      bytes.flatMap { try? TOMLValue(parsing: $0) }
    }
    return document?["hosts_dir"]?.list.compactMap(\.text).first.map { FilePath($0) } ?? usual
  }

  /// The folder of a registry that is read first: containerd looks for `HOST_PORT_` before `HOST:PORT` (containerd,
  /// `remotes/docker/config`), and takes the first that is there.
  private static func folder(_ registry: String, in tops: [FilePath], _ host: TargetHost) -> FilePath {
    var names = [registry]
    if let colon = registry.lastIndex(of: ":"), !registry.hasSuffix("]") {
      names.insert("\(registry[..<colon])_\(registry[registry.index(after: colon)...])_", at: 0)
    }
    let all = tops.flatMap { top in names.map { top.appending($0) } }
    return all.first(where: host.exists) ?? tops[0].appending(registry)
  }

  /// What a hosts.toml says of a registry, with the authority's place to be put in; `nil` where none is needed.
  private func lines(_ registry: ClientRegistry) async throws -> ((FilePath) -> [String])? {
    switch registry.trust {
    case .system: return nil
    case .authority: return { Self.host("https://\(registry.name)", "ca = \"\($0)\"") }
    case .plain, .unchecked:
      // Without TLS by itself.
      guard !ClientRegistry.isLoopback(registry.name) else { return nil }
      let isPlain: Bool
      if registry.trust == .plain {
        isPlain = true
      } else {
        isPlain = try await !registry.speaksTLS()
      }
      let lines =
        isPlain
        ? Self.host("http://\(registry.name)") : Self.host("https://\(registry.name)", "skip_verify = true")
      return { _ in lines }
    }
  }

  private func add(
    _ folder: FilePath, _ text: (FilePath) -> [String], _ registry: ClientRegistry,
    _ settings: inout ClientSettings, _ host: TargetHost, _ journal: Journal
  ) throws {
    var files: [ClientSettings.File] = []
    if case .authority(let bytes) = registry.trust {
      files.append(try ClientSettings.authority(bytes, in: folder, host, journal))
    }
    // What is shown when the file is somebody else's.
    let shown = text(files.first?.path ?? folder)
    // A login stands in the file itself: containerd and nerdctl read no other place that both of them know.
    let header = registry.login.map {
      ["  [host.\"https://\(registry.name)\".header]", "    Authorization = [\"\($0.authorization)\"]"]
    }
    let head = "# Written by kubespray-offline; \"target-setup undo registry-client\" takes it back."
    let path = folder.appending("hosts.toml")
    let file = ClientSettings.File(
      path: path, bytes: Array((([head] + shown + (header ?? [])).joined(separator: "\n") + "\n").utf8),
      mode: header == nil ? 0o644 : 0o600)
    if let present = try host.file(path), present != file.bytes, !journal.writtenPaths.contains(path) {
      settings.remarks.append(
        "\(path) was not made by this program and is left untouched; for this registry it would have\n"
          + shown.map { "  \($0)" }.joined(separator: "\n"))
    } else {
      settings.files += files + [file]
    }
  }

  /// The setting stands twice: containerd asks the server by its own when the host has not what is wanted.
  private static func host(_ url: String, _ setting: String? = nil) -> [String] {
    ["server = \"\(url)\""] + (setting.map { [$0] } ?? [])
      + ["", "[host.\"\(url)\"]", "  capabilities = [\"pull\", \"resolve\", \"push\"]"]
      + (setting.map { ["  \($0)"] } ?? [])
  }
}
