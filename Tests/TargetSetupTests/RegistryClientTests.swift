import Bundle
import Console
import Files
import Foundation
import Host
import Settings
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// containerd's file with this value.
private func containerd(_ path: String) -> String {
  "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = \"\(path)\"\n"
}

@Suite("The step registry-client")
struct RegistryClientTests {
  @Test(
    "podman itself has the last word on whether it can pull",
    arguments: [
      (
        0, #"{"10.0.0.5:35000":{"Insecure":false,"Blocked":false}}"#, "",
        "podman does not take 10.0.0.5:35000"
      ),
      (0, #"{"10.0.0.5:35000":{"Insecure":true,"Blocked":true}}"#, "", "podman does not take 10.0.0.5:35000"),
      (0, #"{"search":["docker.io"]}"#, "", "podman does not take 10.0.0.5:35000"),
      (
        125, "", "Error: loading registries configuration \"x\": bad\n",
        "podman cannot read its settings: Error: loading"
      ),
    ])
  func objection(_ status: Int32, _ output: String, _ error: String, _ expected: String) async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      let said = Mutex<[String]>([])
      host.podman(CommandResult(status: status, standardOutput: output, standardError: error))
      let report = try await host.run(host.context { text in said.withLock { $0.append(text) } })
      #expect(report.outcome == .done)
      #expect(said.withLock { $0.contains { $0.contains(expected) } }, "\(said.withLock { $0 })")
      #expect(!report.detail.contains("can pull"), "\(report.detail)")
    }
  }

  @Test(
    "the bundle's own registry over TLS: every client gets the authority, and the login is nowhere for others to read"
  )
  func ownRegistryOverTLS() async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      try host.startDocker()
      try put(containerd("/etc/containerd/certs.d"), at: host.file("etc/containerd/config.toml"))
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
        containerd("/etc/containerd/hosts.d:/etc/other"),
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
      try put(containerd("/etc/containerd/certs.d"), at: host.file("etc/containerd/config.toml"))
      _ = try await host.run(host.context())
      #expect(text(host.file("etc/containerd/certs.d/10.0.0.5:35000/hosts.toml")) == hosts)
      let drop =
        text(host.file("etc/containers/registries.conf.d/kubespray-offline-10.0.0.5-35000.conf")) ?? ""
      #expect(!drop.contains("10.0.0.5:35000"))
      #expect(drop.contains("localhost:35000"))
    }
  }

  @Test(
    "containerd's folder is found however its file says it",
    arguments: [
      [
        "config.toml": "imports = [\"/etc/containerd/conf.d/*.toml\"]\nversion = 2\n",
        "conf.d/reg.toml": containerd("/etc/containerd/a"),
      ],
      ["config.toml": "imports = [\"more.toml\"]\n", "more.toml": containerd("/etc/containerd/a")],
      [
        "config.toml":
          "version = 2\nplugins.\"io.containerd.grpc.v1.cri\".registry.config_path = \"/etc/containerd/a\" # x\n"
      ],
      [
        "config.toml":
          "[plugins.'io.containerd.grpc.v1.cri']\n registry = { config_path = '/etc/containerd/a' }\n"
      ],
      [
        "config.toml":
          "version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = \"/etc/containerd/a:/b\"\n"
      ],
      ["config.toml": "[plugins.cri.registry]\r\nconfig_path = \"/etc/containerd/a\"\r\n"],
    ])
  func containerdFile(_ files: [String: String]) async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      for (name, text) in files { try put(text, at: host.file("etc/containerd/\(name)")) }
      #expect(try await host.run(host.context()).outcome == .done)
      #expect(text(host.file("etc/containerd/a/10.0.0.5:35000/hosts.toml")) != nil)
    }
  }

  @Test(
    "what keeps containerd from reading is said, and nothing is said to be able to pull that is not",
    arguments: [
      ("config_path = \"/etc/containerd/a\"\n", "has no config_path"), (containerd(""), "has no config_path"),
      ("# config_path = \"/etc/containerd/a\"\n", "has no config_path"), ("version = \n", "line 1"),
      (
        "[plugins.cri.registry.mirrors.\"a\"]\nendpoint = [\"http://a\"]\n", "registry.mirrors"
      ),
    ])
  func containerdWithout(_ config: String, _ said: String) async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      try put(config, at: host.file("etc/containerd/config.toml"))
      let messages = Mutex<[String]>([])
      let report = try await host.run(
        host.context { text in messages.withLock { $0.append(text) } })
      #expect(report.outcome == .done && !report.detail.contains("containerd"), "\(report.detail)")
      #expect(messages.withLock { $0 }.contains { $0.contains(said) }, "\(messages.withLock { $0 })")
    }
  }

  @Test("a folder HOST_PORT_ is the one that containerd reads: it is written to, or what is in it is named")
  func portFolder() async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      try put(containerd("/etc/containerd/certs.d"), at: host.file("etc/containerd/config.toml"))
      let own = host.file("etc/containerd/certs.d/10.0.0.5_35000_/hosts.toml")
      try createDirectories(own.removingLastComponent())
      #expect(try await host.run(host.context()).detail.contains("containerd"))
      #expect(text(own)?.contains("http://10.0.0.5:35000") == true)
      #expect(try await SetupRun(host.context()).undo([.registryClient]).map(\.outcome) == [.done])
      try put("server = \"https://theirs\"\n", at: own)
      let report = try await host.run(host.context())
      #expect(!report.detail.contains("containerd"), "\(report.detail)")
      #expect(text(own) == "server = \"https://theirs\"\n")
    }
  }

  @Test(
    "dockerd's file is the one that it is started with", arguments: ["process", "unit", "drop-in", "snap"])
  func daemonFile(_ kind: String) async throws {
    try await withFolder { folder in
      let host = try ClientHost(folder)
      var place = "srv/docker.json"
      switch kind {
      case "process": try host.startDocker(["--config-file=/srv/docker.json"])
      case "snap":
        try put("", at: host.file("var/snap/docker/current/config/x"))
        place = "var/snap/docker/current/config/daemon.json"
      default:
        try put("", at: host.file("usr/bin/dockerd"))
        let file = kind == "unit" ? "docker.service" : "docker.service.d/local.conf"
        try put(
          "[Service]\nExecStart=/usr/bin/dockerd -H fd:// \\\n  --config-file /srv/docker.json\n",
          at: host.file("etc/systemd/system/\(file)"))
      }
      #expect(try await host.run(host.context()).outcome == .done)
      #expect(text(host.file(place))?.contains("10.0.0.5:35000") == true)
      #expect(!FileManager.default.fileExists(atPath: host.file("etc/docker/daemon.json").string))
    }
  }

  @Test("of a CA file only certificates are taken; what is none is said to be what it is")
  func authorityFiles() throws {
    let folder = try TemporaryFolder()
    let file = folder.path.appending("ca")
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    let key = "-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n"
    for text in [
      key + certificate, certificate + key, "\u{feff}" + certificate,
      "Issuer: x\n" + certificate.replacing("\n", with: "\r\n"),
    ] {
      try put(text, at: file)
      #expect(String(decoding: try AuthorityFile.certificates(file), as: UTF8.self) == certificate, "\(text)")
    }
    for (text, said) in [
      (key, "private key"), ("", "empty"), ("0\u{82}", "no certificate"), ("x", "no certificate"),
    ] {
      try put(text, at: file)
      let error = #expect(throws: StepError.self) { try AuthorityFile.certificates(file) }
      #expect(error?.detail.contains(said) == true, "\(error?.detail ?? "")")
    }
    try writeAtomically([0x30, 0x82, 1, 2], to: file)
    #expect(
      #expect(throws: StepError.self) { try AuthorityFile.certificates(file) }?.detail.contains("DER") == true
    )
    #expect(
      #expect(throws: StepError.self) { try AuthorityFile.certificates(folder.path) }?.detail.contains(
        "folder") == true)
    #expect(
      #expect(throws: StepError.self) { try AuthorityFile.certificates("/nowhere") }?.detail.contains(
        "cannot be read") == true)
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
