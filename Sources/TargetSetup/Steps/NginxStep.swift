import Bundle
import Console
import Files
import Host
import Settings
import SystemPackage

/// Runs the bundle's web server.
struct NginxStep: Step {
  let name = StepName.nginx
  let needs: [StepName] = [.containerd]
  let usedFolders = ["images"] + ServedTree.Part.allCases.map(\.rawValue)

  func check(_ context: SetupContext, _ journal: Journal) async throws -> StepState {
    guard try ServedTree(context).isPrepared(journal) else {
      return .needed(
        journal.isEmpty ? "the web server is not set up" : "what it serves is to be brought up to date")
    }
    guard try host(context, has: try configurationFiles(context)) else {
      return .needed("what it serves is to be brought up to date")
    }
    guard try files(context).areCurrent(context) else {
      return .needed("the certificate or the login of the web server is to be renewed")
    }
    return try await service(context).state(journal)
  }

  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String {
    _ = try await ContainerRuntime.running(context.host)
    let configuration = try configurationFiles(context)
    let staging = try StagingFolder(for: name, on: context.host)
    defer { staging.remove() }
    // All that comes from the bundle is there, and found right, before anything is made.
    let served = try await ServedTree(context).prove(journal, staging)
    let isImageNew = try await service(context).bringImage(journal)
    try files(context).write(context, journal)
    for (path, text) in configuration { try journal.write(path, text) }
    try await served.place(journal)
    if let releases = try releases(context) {
      for (level, text) in releases.remarks { context.say(level, text, step: name) }
      try journal.write(ServedReleases.file(context.host), try releases.bytes())
      try PruneOrder.withdraw(context.releaseID, on: context.host)
    }
    try await service(context).setUp(journal, isImageNew: isImageNew)
    try await offloaded { try ServedTree(context).removeCopiesBelowMounts(journal) }
    let kept = ServedTree(context).keptFolder.map { "; it serves what is in \($0): keep that folder" } ?? ""
    return "the web server answers at \(context.addresses.webServer)\(kept)"
  }

  private func releases(_ context: SetupContext) throws(StepError) -> ServedReleases? {
    guard let present = try ServedTree(context).release() else { return nil }
    return try ServedReleases(present: present, on: context.host)
  }

  /// What the server reads, by path of the host.
  private func configurationFiles(_ context: SetupContext) throws -> [(path: FilePath, text: String)] {
    let access = context.configuration.access
    let text = try Self.serverPart(
      try context.bundle.serviceText("nginx-default.conf"), port: context.configuration.webServerPort,
      bind: context.configuration.nginx.bind, hasIPv6: fileExists("/proc/net/if_inet6"), isTLS: access.isTLS,
      wantsLogin: access.wantsLogin, releases: try releases(context)?.lines ?? [])
    let folder = configurationFolder(context.host)
    return [
      (folder.appending("nginx.conf"), try context.bundle.serviceText("nginx.conf")),
      (folder.appending("default.conf"), text),
    ]
  }

  private func host(_ context: SetupContext, has files: [(path: FilePath, text: String)]) throws -> Bool {
    try files.allSatisfy { try context.host.file($0.path) == Array($0.text.utf8) }
  }

  func beforeUndo(_ context: SetupContext, _ journal: Journal) async throws {
    try await service(context).remove(journal)
    try await offloaded { try ServedTree(context).removeUnfinished() }
    await Firewall.close(context.host, journal)
  }

  func afterUndo(_ context: SetupContext, _ journal: Journal) async throws {
    await Service("kubespray-offline-nginx", context.host).forget()
  }

  private func configurationFolder(_ host: TargetHost) -> FilePath { host.stateFolder.appending("nginx") }

  private func files(_ context: SetupContext) -> ServerFiles { .webServer(context.host) }

  private func service(_ context: SetupContext) throws -> ContainerService {
    let folder = configurationFolder(context.host)
    return ContainerService(
      name: "nginx", title: "the web server",
      image: try ImageReference("nginx:\(context.configuration.versions.nginx)"),
      mounts: [
        .init(source: folder.appending("nginx.conf"), place: "/etc/nginx/nginx.conf"),
        .init(source: folder.appending("default.conf"), place: "/etc/nginx/conf.d/default.conf"),
      ] + (try files(context).mounts(context)) + (try ServedTree(context).mounts())
        + (try releases(context)?.mounts ?? []),
      command: ["nginx", "-c", "/etc/nginx/nginx.conf", "-g", "daemon off;"],
      port: context.configuration.webServerPort, bind: context.configuration.nginx.bind,
      probe: "\(context.addresses.localWebServer)/", access: try context.access,
      host: context.host, bundle: context.bundle,
      // Its first process listens, gives the folders for temporary files to the account of the workers, and becomes that.
      limits: ContainerLimits(
        capabilities: ["NET_BIND_SERVICE", "SETUID", "SETGID", "CHOWN"],
        scratch: ["/tmp", "/var/cache/nginx", "/var/lib/nginx"], memory: 512 << 20))
  }

  /// The server's configuration with our `listen` lines in place of its own, below them what TLS and a login need, and
  /// which release's file is sent.
  ///
  /// - Throws: ``StepError`` when there are none to replace.
  static func serverPart(
    _ text: String, port: Int, bind: String?, hasIPv6: Bool, isTLS: Bool = false, wantsLogin: Bool = false,
    releases: [String] = []
  ) throws(StepError) -> String {
    let wanted: [String]
    if let bind {
      wanted = [bind.contains(":") ? "[\(bind)]:\(port)" : "\(bind):\(port)"]
    } else {
      wanted = ["\(port)"] + (hasIPv6 ? ["[::]:\(port)"] : [])
    }
    var lines: [Substring] = []
    var isReplaced = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      guard line.drop(while: \.isWhitespace).hasPrefix("listen ") else {
        lines.append(line)
        continue
      }
      if !isReplaced {
        lines += wanted.map { "    listen \($0)\(isTLS ? " ssl" : "") default_server;" }
        lines += Self.accessLines(isTLS: isTLS, wantsLogin: wantsLogin)
        lines += releases.map { Substring($0) }
      }
      isReplaced = true
    }
    guard isReplaced else {
      throw StepError(
        "nginx-default.conf of the bundle has no \"listen\" line", .verify)
    }
    return lines.joined(separator: "\n")
  }

  private static func accessLines(isTLS: Bool, wantsLogin: Bool) -> [Substring] {
    let place = ServerFiles.place
    let tls: [Substring] = [
      "    ssl_certificate \(place)/server.crt;", "    ssl_certificate_key \(place)/server.key;",
      "    ssl_protocols TLSv1.2 TLSv1.3;",
    ]
    let login: [Substring] = [
      "    auth_basic \"kubespray-offline\";", "    auth_basic_user_file \(place)/htpasswd;",
    ]
    return (isTLS ? tls : []) + (wantsLogin ? login : [])
  }
}
