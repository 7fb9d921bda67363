import Archive
import Bundle
import Files
import Foundation
import Host
import Integrity
import Settings
import Synchronization
import SystemPackage
import TestServer
import TestSupport
import Testing

@testable import TargetSetup

/// A host in a temporary folder whose systemd and containerd are played by the test, with a bundle of small files.
final class ServiceHost: Sendable {
  private struct State {
    var commands: [String] = []
    var running: Set<String> = []
    var images: [String: String] = [:]
    var hasDaemon = false
  }

  /// The options of `ctr run` that count here.
  private static let help = """
       --read-only       set the containers filesystem as readonly
       --cap-drop value  drop Linux capabilities
       --seccomp         enable the default seccomp profile
       --memory-limit    memory limit (in bytes) for the container
       --user, -u value  username or user id
    """

  let root: FilePath
  let bundle: FilePath
  private let state = Mutex(State())

  init(_ folder: FilePath) throws {
    root = folder.appending("root")
    bundle = folder.appending("bundle")
    try createDirectories(root)
    try put("containerd's unit\n", at: bundle.appending("containerd.service"))
    try put("version = 2\n", at: bundle.appending("config.toml"))
    try put("events {}\n", at: bundle.appending("nginx.conf"))
    try put(
      "server {\n    listen 80 default_server;\n    listen [::]:80;\n    root /x;\n}\n",
      at: bundle.appending("nginx-default.conf"))
    try put(
      "version: 0.1\nstorage:\n  inmemory:\nhttp:\n  addr: :35000\n",
      at: bundle.appending("registry-config.yml"))
    let files = bundle.appending("files")
    try put("runc 1.3.4\n", at: files.appending(FilePath("runc/v1.3.4/runc.amd64").components))
    try put("a node's file\n", at: files.appending("kubelet"))
    try archive(
      "files/containerd-2.2.1-linux-amd64.tar.gz",
      ["bin/containerd", "bin/ctr", "bin/containerd-shim-runc-v2"])
    try archive("files/nerdctl-2.2.0-linux-amd64.tar.gz", ["nerdctl"])
    try archive("files/cni-plugins-linux-amd64-v1.8.0.tgz", ["bridge", "loopback"], notes: ["LICENSE"])
    for image in ["nginx:1.29.4", "registry:3.0.0"] {
      try createDirectories(bundle.appending("images"))
      try archive(try ImageReference(image).archivePath().description, ["oci-layout"])
    }
  }

  private func archive(_ path: String, _ programs: [String], notes: [String] = []) throws {
    let place = bundle.appending(FilePath(path).components)
    try createDirectories(place.removingLastComponent())
    let writer = try ArchiveWriter(place, compression: .gzip(level: 1))
    for name in programs {
      try writer.add(bytes: Array("\(path) \(name)".utf8), as: name, permissions: 0o755)
    }
    for name in notes { try writer.add(bytes: Array(name.utf8), as: name) }
    _ = try writer.finish()
  }

  /// The host and its bundle, which is intact as it is now.
  func context(_ change: (inout Configuration) -> Void = { _ in }) -> SetupContext {
    var configuration = Configuration()
    configuration.versions.containerd = "2.2.1"
    configuration.versions.runc = "1.3.4"
    configuration.versions.nerdctl = "2.2.0"
    configuration.versions.cni = "1.8.0"
    configuration.target.address = "10.0.0.5"
    change(&configuration)
    let host = TargetHost(
      root: root, stateFolder: configuration.target.directory, system: OSRelease.parse("ID=debian"),
      architecture: .amd64, initSystem: .systemd, interfaces: NetworkInterfaces(routed: nil, addresses: []),
      runner: { [self] command, _ in answer(command) })
    return SetupContext(
      host: host, bundle: .intact(bundle), configuration: configuration)
  }

  /// The commands that changed something, as one would type them.
  var commands: [String] { state.withLock { $0.commands } }
  var running: Set<String> { state.withLock { $0.running } }
  func forgetCommands() { state.withLock { $0.commands = [] } }
  func run(_ unit: String) { state.withLock { _ = $0.running.insert(unit) } }

  private func answer(_ command: Command) -> CommandResult {
    state.withLock { state in
      let words = [command.executable] + command.arguments
      let isAbout = { (word: String) in words.contains(word) }
      if words[0] == "systemctl" {
        let unit = words.last ?? ""
        switch words[1] {
        case "is-active": return CommandResult(status: state.running.contains(unit) ? 0 : 3)
        case "is-failed": return CommandResult(status: 1)
        case "start", "restart": state.running.insert(unit)
        case "stop": state.running.remove(unit)
        default: break
        }
      } else if isAbout("--help") {
        return CommandResult(status: 0, standardOutput: Self.help)
      } else if isAbout("version") {
        let isUp = state.running.contains("containerd.service")
        let text = "Client:\n  Version:  v2.2.1\nServer:\n  Version:  v2.2.1\n"
        return isUp ? CommandResult(status: 0, standardOutput: text) : CommandResult(status: 1)
      } else if isAbout("--quiet") {
        return CommandResult(status: 0)
      } else if isAbout("list") {
        let name = words.last?.dropFirst("name==".count) ?? ""
        let line = state.images[String(name)].map { "\(name) type \($0) 1 MiB linux/amd64 -\n" }
        return CommandResult(
          status: 0, standardOutput: "REF TYPE DIGEST SIZE PLATFORMS LABELS\n" + (line ?? ""))
      } else if isAbout("import") {
        let name = words.last?.contains("nginx") == true ? "nginx:1.29.4" : "registry:3.0.0"
        state.images["docker.io/library/\(name)"] = "sha256:" + String(repeating: "a", count: 64)
      }
      state.commands.append(words.joined(separator: " "))
      return CommandResult(status: 0)
    }
  }
}
