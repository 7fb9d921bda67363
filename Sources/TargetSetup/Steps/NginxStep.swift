import Bundle
import Glibc
import Host
import Settings
import SystemPackage

/// Runs the bundle's web server.
struct NginxStep: Step {
  let name = StepName.nginx
  let needs: [StepName] = [.containerd]

  func check(_ node: Node, _ journal: Journal) async throws -> StepState {
    guard try ServedTree(node).isPrepared(journal) else {
      return .needed(
        journal.isEmpty ? "the web server is not set up" : "what it serves is to be brought up to date")
    }
    return try await service(node).state(node, journal)
  }

  func apply(_ node: Node, _ journal: Journal) async throws -> String {
    _ = try await ContainerRuntime.running(node)
    let text = try Self.serverPart(
      try node.serviceText("nginx-default.conf"), port: node.configuration.nginx.port,
      bind: node.configuration.nginx.bind, hasIPv6: access("/proc/net/if_inet6", F_OK) == 0)
    try journal.write(configurationFolder(node).appending("nginx.conf"), try node.serviceText("nginx.conf"))
    try journal.write(configurationFolder(node).appending("default.conf"), text)
    try await ServedTree(node).prepare(journal)
    try await service(node).set(up: node, journal)
    return "the web server answers at \(node.webServer)"
  }

  func beforeUndo(_ node: Node, _ journal: Journal) async throws {
    try await service(node).remove(node, journal)
    await Firewall.close(node, journal)
  }

  func afterUndo(_ node: Node, _ journal: Journal) async throws {
    await Service("kubespray-offline-nginx", node).forget()
  }

  private func configurationFolder(_ node: Node) -> FilePath { node.stateFolder.appending("nginx") }

  private func service(_ node: Node) throws -> ContainerService {
    let folder = configurationFolder(node)
    return ContainerService(
      name: "nginx", title: "the web server",
      image: try ImageReference("nginx:\(node.configuration.versions.nginx)"),
      mounts: [
        .init(source: folder.appending("nginx.conf"), place: "/etc/nginx/nginx.conf"),
        .init(source: folder.appending("default.conf"), place: "/etc/nginx/conf.d/default.conf"),
      ] + (try ServedTree(node).mounts()),
      command: ["nginx", "-c", "/etc/nginx/nginx.conf", "-g", "daemon off;"],
      port: node.configuration.nginx.port, bind: node.configuration.nginx.bind,
      probe: "\(node.localWebServer)/")
  }

  /// The server's configuration with our `listen` lines in place of its own.
  ///
  /// - Throws: ``StepError`` when there are none to replace.
  static func serverPart(_ text: String, port: Int, bind: String?, hasIPv6: Bool) throws(StepError) -> String
  {
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
      if !isReplaced { lines += wanted.map { "    listen \($0) default_server;" } }
      isReplaced = true
    }
    guard isReplaced else {
      throw StepError(
        "nginx-default.conf of the bundle has no \"listen\" line. Restore it: target-setup verify")
    }
    return lines.joined(separator: "\n")
  }
}
