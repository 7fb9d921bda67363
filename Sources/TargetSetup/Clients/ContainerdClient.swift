import SystemPackage

/// containerd and nerdctl: a folder for each registry with a hosts.toml (containerd's docs/hosts.md).
struct ContainerdClient: ContainerClient {
  private static let configuration: FilePath = "/etc/containerd/config.toml"
  private static let usual: FilePath = "/etc/containerd/certs.d"

  let title = "containerd and nerdctl"

  func settings(
    _ registry: ClientRegistry, _ host: TargetHost, _ journal: Journal
  ) async throws -> ClientSettings? {
    let text = try host.file(Self.configuration).map { String(decoding: $0, as: UTF8.self) }
    guard text != nil || host.hasProgram("containerd", "nerdctl") else { return nil }
    var settings = ClientSettings()
    let top: FilePath
    if let folder = text.flatMap(Self.hostsFolder) {
      top = folder
    } else if host.hasProgram("nerdctl") {
      // It looks there by itself.
      top = Self.usual
    } else {
      settings.remarks.append(
        "\(Self.configuration) has no config_path, so containerd reads no settings of registries; it is left as it is"
      )
      return settings
    }
    let folder = top.appending(registry.name)
    var lines: [String]
    // A login stands in the file itself: containerd and nerdctl read no other place that both of them know.
    let header = registry.login.map {
      ["  [host.\"https://\(registry.name)\".header]", "    Authorization = [\"\($0.authorization)\"]"]
    }
    switch registry.trust {
    case .system: return settings
    case .authority(let bytes):
      let file = try ClientSettings.authority(bytes, in: folder, host, journal)
      settings.files.append(file)
      lines = Self.host("https://\(registry.name)", "ca = \"\(file.path)\"")
    case .plain, .unchecked:
      // Without TLS by itself.
      guard !ClientRegistry.isLoopback(registry.name) else { return settings }
      let isPlain: Bool
      if registry.trust == .plain {
        isPlain = true
      } else {
        isPlain = try await !registry.speaksTLS()
      }
      lines =
        isPlain
        ? Self.host("http://\(registry.name)") : Self.host("https://\(registry.name)", "skip_verify = true")
    }
    let path = folder.appending("hosts.toml")
    // What is shown when the file is somebody else's.
    let shown = lines
    lines += header ?? []
    lines.insert(
      "# Written by kubespray-offline; \"target-setup undo registry-client\" takes it back.", at: 0)
    let file = ClientSettings.File(
      path: path, bytes: Array((lines.joined(separator: "\n") + "\n").utf8),
      mode: header == nil ? 0o644 : 0o600)
    if let present = try host.file(path), present != file.bytes, !journal.writtenPaths.contains(path) {
      settings.files = []
      settings.remarks.append(
        "\(path) was not made by this program and is left untouched; for this registry it would have\n"
          + shown.map { "  \($0)" }.joined(separator: "\n"))
    } else {
      settings.files.append(file)
    }
    return settings
  }

  /// The setting stands twice: containerd asks the server by its own when the host has not what is wanted.
  private static func host(_ url: String, _ setting: String? = nil) -> [String] {
    ["server = \"\(url)\""] + (setting.map { [$0] } ?? [])
      + ["", "[host.\"\(url)\"]", "  capabilities = [\"pull\", \"resolve\", \"push\"]"]
      + (setting.map { ["  \($0)"] } ?? [])
  }

  /// The first folder of `config_path`, which may be a list with colons.
  private static func hostsFolder(_ text: String) -> FilePath? {
    for line in text.split(whereSeparator: \.isNewline) {
      guard let match = line.wholeMatch(of: /\s*config_path\s*=\s*["']([^"']+)["'].*/) else { continue }
      guard let first = match.1.split(separator: ":").first, first.hasPrefix("/") else { continue }
      return FilePath(String(first))
    }
    return nil
  }
}
