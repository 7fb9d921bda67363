import Bundle
import Files
import Foundation
import Host
import Settings
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// A host with clients, whose dockerd is played by the test.
private final class ClientHost: Sendable {
  let root: FilePath
  private let commands = Mutex<[String]>([])

  init(_ folder: FilePath) throws {
    root = folder.appending("root")
    try put("", at: root.appending(FilePath("usr/bin/podman").components))
  }

  func file(_ path: String) -> FilePath { root.appending(FilePath(path).components) }

  /// Starts what looks like a dockerd with these arguments.
  func startDocker(_ arguments: [String] = []) throws {
    try put("", at: file("usr/bin/dockerd"))
    try put("4711", at: file("run/docker.pid"))
    try put("dockerd\n", at: file("proc/4711/comm"))
    try put((["dockerd"] + arguments).joined(separator: "\0"), at: file("proc/4711/cmdline"))
  }

  var ran: [String] { commands.withLock { $0 } }

  /// The registry named in the list of the daemon's file is known to it as soon as it has been told to look.
  func context(_ registry: String? = nil, ca: FilePath? = nil, isInsecure: Bool = false) -> SetupContext {
    var context = TargetSetupTests.context(root: root, bundle: root) { [self] command, _ in
      commands.withLock { $0.append(([command.executable] + command.arguments).joined(separator: " ")) }
      return CommandResult(status: 0, standardOutput: text(file("etc/docker/daemon.json")) ?? "{}")
    }
    context.configuration.registry.local = registry
    context.push = PushOptions(certificateAuthority: ca, isInsecure: isInsecure)
    return context
  }

  func run(_ context: SetupContext) async throws -> StepReport {
    try #require(try await SetupRun(context).execute([.registryClient]).first)
  }
}

@Suite("The step registry-client")
struct RegistryClientTests {
  @Test(
    "the bundle's own registry over TLS: every client gets the authority, and the login is nowhere for others to read"
  )
  func ownRegistryOverTLS() async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      try host.startDocker()
      try put("  config_path = \"/etc/containerd/certs.d\"\n", at: host.file("etc/containerd/config.toml"))
      var context = host.context()
      context.configuration.access.tls = true
      context.configuration.access.login = true
      #expect(try await host.run(context).detail.contains("target-setup registry"))
      try context.accessStore.prepare()
      let report = try await host.run(context)
      #expect(report.outcome == .done, "\(report.detail)")
      let authority = try #require(text(host.file("etc/kubespray-offline/access/ca.crt")))
      for client in ["docker", "containers", "containerd"] {
        #expect(text(host.file("etc/\(client)/certs.d/10.0.0.5:35000/ca.crt")) == authority, "\(client)")
      }
      let hosts = host.file("etc/containerd/certs.d/10.0.0.5:35000/hosts.toml")
      let login = try #require(try context.access.login)
      #expect(text(hosts)?.contains("    Authorization = [\"\(login.authorization)\"]\n") == true)
      #expect(try FileInfo(hosts).mode == 0o600)
      #expect(!report.detail.contains(login.password))
      #expect(try await host.run(context).outcome == .already)
      #expect(try await SetupRun(context).undo([.registryClient]).map(\.outcome) == [.done])
      #expect(text(host.file("etc/kubespray-offline/access/ca.crt")) == authority)
    }
  }

  @Test("the bundle's own registry: what is there is merged with, a second run does nothing, undo is exact")
  func ownRegistry() async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      try host.startDocker()
      try put("{\n  \"log-level\": \"warn\"\n}", at: host.file("etc/docker/daemon.json"))
      try put(
        "version = 2\n  config_path = \"/etc/containerd/hosts.d:/etc/other\"\n",
        at: host.file("etc/containerd/config.toml"))
      let before = try content(of: host.root.appending("etc"))
      #expect(try await host.run(host.context()).outcome == .done)
      #expect(
        text(host.file("etc/docker/daemon.json"))
          == "{\n  \"log-level\": \"warn\",\n  \"insecure-registries\": [\"10.0.0.5:35000\"]\n}")
      let drop =
        text(host.file("etc/containers/registries.conf.d/kubespray-offline-10.0.0.5-35000.conf")) ?? ""
      for name in ["10.0.0.5", "localhost", "127.0.0.1"] {
        #expect(drop.contains("[[registry]]\nlocation = \"\(name):35000\"\ninsecure = true\n"))
      }
      #expect(
        text(host.file("etc/containerd/hosts.d/10.0.0.5:35000/hosts.toml"))?
          .contains("[host.\"http://10.0.0.5:35000\"]") == true)
      #expect(host.ran.contains("sh -c kill -HUP \"$0\" 4711"))
      let count = host.ran.count
      #expect(try await host.run(host.context()).outcome == .already)
      #expect(host.ran.count == count)
      let undone = try await SetupRun(host.context()).undo([.registryClient])
      #expect(undone.map(\.outcome) == [.done])
      #expect(try content(of: host.root.appending("etc")) == before)
      // Once for the file without the name, which the daemon otherwise keeps, and once for the file as it was.
      #expect(host.ran.count { $0.contains("kill -HUP") } == 3)
    }
  }

  @Test("a registry with a CA of its own gets it into the folders of the clients that are there")
  func authority() async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
      try put(pem, at: folder.appending("ca.pem"))
      try put("", at: host.file("usr/local/bin/nerdctl"))
      // Somebody else's certificate for the same registry stays.
      try put("other", at: host.file("etc/containers/certs.d/hub.example.com:8443/ca.crt"))
      let context = host.context("hub.example.com:8443/k8s", ca: folder.appending("ca.pem"))
      let report = try await host.run(context)
      #expect(report.outcome == .done)
      #expect(report.detail.contains("podman") && report.detail.contains("nerdctl"))
      let names = "hub.example.com:8443"
      #expect(text(host.file("etc/containers/certs.d/\(names)/kubespray-offline.crt")) == pem)
      #expect(text(host.file("etc/containers/certs.d/\(names)/ca.crt")) == "other")
      #expect(text(host.file("etc/containerd/certs.d/\(names)/ca.crt")) == pem)
      #expect(
        text(host.file("etc/containerd/certs.d/\(names)/hosts.toml"))?
          .contains("ca = \"/etc/containerd/certs.d/\(names)/ca.crt\"") == true)
      // Docker is not here.
      #expect(!FileManager.default.fileExists(atPath: host.file("etc/docker").string))
      #expect(try await host.run(context).outcome == .already)
    }
  }

  @Test("a daemon.json that is not JSON is left alone, and so is everything else")
  func damaged() async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      try put("{ \"debug\": true, }", at: host.file("etc/docker/daemon.json"))
      let before = try content(of: host.root.appending("etc"))
      let report = try await host.run(host.context())
      #expect(report.outcome == .failed)
      #expect(report.detail.contains("/etc/docker/daemon.json"))
      #expect(try content(of: host.root.appending("etc")) == before)
    }
  }

  @Test("a dockerd that is told by its flag would not start with a list in its file too")
  func flag() async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      try host.startDocker(["--insecure-registry=10.1.1.1:5000"])
      let report = try await host.run(host.context())
      #expect(report.outcome == .failed)
      #expect(report.detail.contains("--insecure-registry=10.0.0.5:35000"))
      #expect(text(host.file("etc/docker/daemon.json")) == nil)
      try host.startDocker(["--insecure-registry=10.0.0.5:35000"])
      #expect(try await host.run(host.context()).outcome == .done)
      #expect(text(host.file("etc/docker/daemon.json")) == nil)
    }
  }

  @Test("what somebody has said of this registry is not overruled")
  func others() async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      try put(
        "[[registry]]\nlocation = \"10.0.0.5:35000\"\nblocked = true\n",
        at: host.file("etc/containers/registries.conf"))
      let hosts = "server = \"https://elsewhere\"\n"
      try put(hosts, at: host.file("etc/containerd/certs.d/10.0.0.5:35000/hosts.toml"))
      try put("config_path = \"/etc/containerd/certs.d\"\n", at: host.file("etc/containerd/config.toml"))
      _ = try await host.run(host.context())
      #expect(text(host.file("etc/containerd/certs.d/10.0.0.5:35000/hosts.toml")) == hosts)
      let drop =
        text(host.file("etc/containers/registries.conf.d/kubespray-offline-10.0.0.5-35000.conf")) ?? ""
      #expect(!drop.contains("10.0.0.5:35000"))
      #expect(drop.contains("localhost:35000"))
    }
  }

  @Test("a host without clients, and a registry with a usual certificate, need nothing")
  func nothing() async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      #expect(try await host.run(host.context("harbor.example.com/k8s")).outcome == .notNeeded)
      try FileManager.default.removeItem(atPath: host.file("usr/bin/podman").string)
      #expect(try await host.run(host.context()).outcome == .notNeeded)
    }
  }
}
