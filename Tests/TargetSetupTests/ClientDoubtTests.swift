import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// What keeps a client from pulling is named with its file, and nobody is then said to be able to.
@Suite struct ClientDoubtTests {
  private func run(_ files: [String: String]) async throws -> (detail: String, messages: [String]) {
    let messages = Mutex<[String]>([])
    let detail = Mutex("")
    try await withFolder { folder in
      let host = try ClientHost(folder)
      for (path, text) in files { try put(text, at: host.file(path)) }
      let report = try await host.run(host.context { text in messages.withLock { $0.append(text) } })
      #expect(report.outcome == .done || report.outcome == .already)
      detail.withLock { $0 = report.detail }
    }
    return (detail.withLock { $0 }, messages.withLock { $0 })
  }

  @Test(
    "what the policy of images refuses",
    arguments: [
      (#"{"default":[{"type":"reject"}]}"#, "refuses images of 10.0.0.5:35000"),
      (
        #"{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"10.0.0.5:35000":[{"type":"reject"}]}}}"#,
        "refuses images"
      ),
      (
        #"{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"":[{"type":"signedBy","keyType":"GPGKeys"}]}}}"#,
        "takes only signed images of 10.0.0.5:35000 (signedBy)"
      ), ("{", "cannot be read"),
    ])
  func policy(_ text: String, _ said: String) async throws {
    let (detail, messages) = try await run(["etc/containers/policy.json": text])
    #expect(!detail.contains("podman"), "\(detail)")
    #expect(messages.contains { $0.contains("/etc/containers/policy.json \(said)") }, "\(messages)")
  }

  @Test(
    "what the policy of images takes",
    arguments: [
      #"{"default":[{"type":"insecureAcceptAnything"}]}"#,
      #"{"default":[{"type":"reject"}],"transports":{"docker":{"10.0.0.5:35000":[{"type":"insecureAcceptAnything"}]}}}"#,
      #"{"default":[{"type":"reject"}],"transports":{"docker":{"*.0.5:35000":[{"type":"insecureAcceptAnything"}]}}}"#,
      #"{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"quay.io":[{"type":"reject"}]}}}"#,
    ])
  func policyThatTakes(_ text: String) async throws {
    let (detail, messages) = try await run(["etc/containers/policy.json": text])
    #expect(detail.contains("podman and skopeo can pull"), "\(detail) \(messages)")
  }

  @Test("a user's own registries.conf is read instead of that of all users")
  func userFile() async throws {
    let own = "root/.config/containers/registries.conf"
    let (detail, messages) = try await run([own: "unqualified-search-registries = []\n"])
    #expect(!detail.contains("podman"), "\(detail)")
    #expect(
      messages.contains { $0.hasPrefix("/\(own) is read instead of") && $0.contains("insecure = true") },
      "\(messages)")
    let known = ["10.0.0.5", "localhost", "127.0.0.1"]
      .map { "[[registry]]\nlocation = \"\($0):35000\"\ninsecure = true\n" }.joined()
    #expect(try await run([own: known]).detail.contains("podman and skopeo can pull"))
  }

  @Test("nobody reads daemon.json where there is no dockerd")
  func noDocker() async throws {
    let (detail, messages) = try await run(["etc/docker/daemon.json": "{}"])
    #expect(!detail.contains("docker,") && !detail.hasPrefix("docker"), "\(detail)")
    #expect(messages.contains { $0.contains("there is no dockerd on this machine") }, "\(messages)")
  }

  @Test(
    "what containerd's file lacks is said with what to write into it",
    arguments: [
      (nil, "there is no /etc/containerd/config.toml"),
      (
        "version = 2\n",
        "[plugins.\"io.containerd.grpc.v1.cri\".registry] config_path = \"/etc/containerd/certs.d\""
      ),
      ("version = 3\n", "[plugins.\"io.containerd.cri.v1.images\".registry] config_path"),
      ("[plugins.cri.registry.mirrors.a]\nendpoint = []\n", "containerd takes no file with both"),
      ("disabled_plugins = [\"cri\"]\n", "its disabled_plugins has the part of containerd that pulls"),
    ])
  func containerd(_ text: String?, _ said: String) async throws {
    var files = ["usr/bin/containerd": ""]
    if let text { files["etc/containerd/config.toml"] = text }
    let (detail, messages) = try await run(files)
    #expect(!detail.contains("containerd"), "\(detail)")
    #expect(messages.contains { $0.contains(said) }, "\(messages)")
  }
}
