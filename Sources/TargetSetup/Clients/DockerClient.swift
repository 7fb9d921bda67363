import Files
import Host
import SystemPackage

/// Docker: `insecure-registries` in daemon.json, or the CA in certs.d (docs.docker.com: "dockerd", "Verify repository
/// client with certificates").
struct DockerClient: ContainerClient {
  private static let usual: FilePath = "/etc/docker/daemon.json"
  /// The folder of Docker's snap package, which reads nothing in /etc.
  private static let snap: FilePath = "/var/snap/docker/current"
  static let key = "insecure-registries"
  private static let flag = "--insecure-registry"

  let title = "docker"

  func settings(
    _ registry: ClientRegistry, _ host: TargetHost, _ journal: Journal
  ) async throws -> ClientSettings? {
    guard host.hasProgram("dockerd") || host.exists("/etc/docker") || Self.isSnap(host) else { return nil }
    var settings = ClientSettings()
    if !host.hasProgram("dockerd"), !Self.isSnap(host), DockerDaemon(host).process == nil {
      settings.remarks.append(
        "there is no dockerd on this machine; it reads \(Self.daemonFile(host).removingLastComponent()) once Docker is installed"
      )
    }
    switch registry.trust {
    case .system: break
    case .authority(let bytes):
      let top = Self.isSnap(host) ? Self.snap.appending("etc/docker/certs.d") : "/etc/docker/certs.d"
      let folder = top.appending(registry.name)
      settings.files.append(try ClientSettings.authority(bytes, in: folder, host, journal))
      if registry.login != nil {
        settings.remarks.append(ClientSettings.loginRemark("docker", registry.name))
      }
    case .plain, .unchecked:
      // 127.0.0.0/8 is among them by itself.
      guard !ClientRegistry.isLoopback(registry.name) else { break }
      let daemonFile = Self.daemonFile(host)
      let present = try host.file(daemonFile)
      let document: JSONObjectText
      do {
        document = try JSONObjectText(present ?? [])
        let merged = try document.adding(registry.name, to: Self.key)
        if merged == present { break }
        if let line = try flagLine(host) {
          guard !line.text.contains(registry.name) else { break }
          throw StepError(
            "dockerd is started with \(Self.flag) (\(line.place)), and refuses to start when daemon.json has "
              + "\(Self.key) too", .dockerFlag("\(Self.flag)=\(registry.name)"))
        }
        settings.files.append(.init(path: daemonFile, bytes: merged))
      } catch let error as JSONTextError {
        throw StepError(
          "\(daemonFile): \(error.reason)", .correctFile)
      }
    }
    return settings
  }

  private static func isSnap(_ host: TargetHost) -> Bool {
    !host.hasProgram("dockerd") && host.exists(snap)
  }

  /// The file that dockerd reads: the one that it is started with, by itself the usual one.
  static func daemonFile(_ host: TargetHost) -> FilePath {
    let flag = ["--config-file"]
    var found: String?
    if let process = DockerDaemon(host).process,
      let bytes = try? host.file(FilePath("/proc/\(process)/cmdline"))
    {
      found = UnitLines.value(
        of: flag, in: bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }
    if found == nil {
      let unit = UnitLines(of: "docker.service", on: host)
      found =
        unit.value(of: flag, program: "dockerd")
        ?? unit.lines.last { $0.text.contains(flag[0]) && !$0.text.hasPrefix("ExecStart") }.flatMap { line in
          UnitLines.value(of: flag, in: line.text.split { " \t\"'=".contains($0) }.map(String.init))
        }
    }
    if let found, found.hasPrefix("/") { return FilePath(found) }
    return isSnap(host) ? snap.appending("config/daemon.json") : usual
  }

  /// Where dockerd is told of insecure registries by its flag.
  private func flagLine(_ host: TargetHost) throws(StepError) -> (text: String, place: String)? {
    var files: [FilePath] = [
      "/etc/default/docker", "/etc/sysconfig/docker", "/etc/systemd/system/docker.service",
      "/lib/systemd/system/docker.service", "/usr/lib/systemd/system/docker.service",
    ]
    let drops: FilePath = "/etc/systemd/system/docker.service.d"
    files += ((try? listFolder(host.path(drops))) ?? []).map { drops.appending($0) }
    for file in files {
      let text = String(decoding: try host.file(file) ?? [], as: UTF8.self)
      let line = text.split(whereSeparator: \.isNewline).first { line in
        line.contains(Self.flag) && !line.drop(while: \.isWhitespace).hasPrefix("#")
      }
      if let line { return (String(line), file.string) }
    }
    if let process = DockerDaemon(host).process,
      let bytes = try host.file(FilePath("/proc/\(process)/cmdline"))
    {
      let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      if words.contains(where: { $0.hasPrefix(Self.flag) }) {
        return (words.joined(separator: " "), "process \(process)")
      }
    }
    return nil
  }
}

/// A running dockerd.
struct DockerDaemon {
  private let host: TargetHost

  init(_ host: TargetHost) { self.host = host }

  /// Its number; `nil` when none runs.
  var process: Int? {
    for path: FilePath in [
      "/run/docker.pid", "/var/run/docker.pid", "/run/snap.docker/docker.pid",
      "/var/snap/docker/current/run/docker.pid",
    ] {
      guard let bytes = try? host.file(path),
        let number = Int(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }),
        let name = try? host.file(FilePath("/proc/\(number)/comm")),
        String(decoding: name, as: UTF8.self).hasPrefix("dockerd")
      else { continue }
      return number
    }
    return nil
  }

  /// Makes it read daemon.json again; containers go on (dockerd(8): insecure-registries is reloadable).
  ///
  /// - Returns: Whether one runs.
  /// - Throws: `CommandError`.
  func reload() async throws -> Bool {
    if host.initSystem == .systemd,
      await host.succeeds(Command("systemctl", ["is-active", "--quiet", "docker"]))
    {
      try await host.output(Command("systemctl", ["reload", "docker"]))
      return true
    }
    guard let process else { return false }
    try await host.output(Command("sh", ["-c", "kill -HUP \"$0\"", "\(process)"]))
    return true
  }

  /// Waits until it knows a registry as one that may be asked without TLS, or no longer; false when that does not come
  /// within seconds, or it does not tell.
  func knows(_ registry: String, _ isKnown: Bool = true) async throws -> Bool {
    let question = Command("docker", ["info", "--format", "{{json .RegistryConfig.IndexConfigs}}"])
    for attempt in 0..<25 {
      if attempt > 0 { try await Task.sleep(for: .milliseconds(200)) }
      guard let answer = try? await host.run(question), answer.status == 0 else { return false }
      if answer.standardOutput.contains("\"\(registry)\"") == isKnown { return true }
    }
    return false
  }
}
