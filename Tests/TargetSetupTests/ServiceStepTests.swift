import Bundle
import Files
import Foundation
import Settings
import SystemPackage
import TestServer
import TestSupport
import Testing

@testable import TargetSetup

@Suite("Steps containerd, nginx and registry")
struct ServiceStepTests {
  private func withHost(_ body: (ServiceHost) async throws -> Void) async throws {
    try await withFolder { try await body(try ServiceHost($0)) }
  }

  @Test("everything that is missing is named before anything is touched")
  func missingParts() async throws {
    try await withHost { host in
      try FileManager.default.removeItem(atPath: host.bundle.appending("files").appending("runc").string)
      try FileManager.default.removeItem(atPath: host.bundle.appending("config.toml").string)
      let report = try #require(try await SetupRun(host.context()).execute([.containerd]).first)
      #expect(report.outcome == .failed)
      #expect(report.detail.contains("no runc 1.3.4 for amd64"))
      #expect(report.detail.contains("config.toml"))
      #expect(host.commands == [])
      #expect(try listFolder(host.root) == ["run"])
    }
  }

  @Test("of a bundle for several architectures, whose files lie below their addresses, it takes its own")
  func severalArchitectures() async throws {
    try await withHost { host in
      let files = host.bundle.appending("files")
      let places = [
        "containerd-2.2.1-linux-amd64.tar.gz": "github.com/containerd/containerd/releases/download/v2.2.1",
        "nerdctl-2.2.0-linux-amd64.tar.gz": "github.com/containerd/nerdctl/releases/download/v2.2.0",
        "cni-plugins-linux-amd64-v1.8.0.tgz":
          "github.com/containernetworking/plugins/releases/download/v1.8.0",
        "runc/v1.3.4/runc.amd64": "github.com/opencontainers/runc/releases/download/v1.3.4",
      ]
      for (file, place) in places {
        let name = try #require(file.split(separator: "/").last)
        let folder = files.pushing(FilePath(place))
        try createDirectories(folder)
        let twin = name.replacing("amd64", with: "arm64")
        try put("the other architecture's\n", at: folder.appending(String(twin)))
        try FileManager.default.moveItem(
          atPath: files.pushing(FilePath(file)).string, toPath: folder.appending(String(name)).string)
      }
      let context = host.context()
      #expect(try await SetupRun(context).execute([.containerd]).map(\.outcome) == [.done])
      #expect(text(context.host.path("/usr/local/bin/runc")) == "runc 1.3.4\n")
      #expect(try listFolder(context.host.path("/opt/cni/bin")) == ["bridge", "loopback"])
    }
  }

  @Test(
    "containerd replaces what is there, says when nothing is to do, and undo brings back and starts the old one"
  )
  func containerd() async throws {
    try await withHost { host in
      host.run("containerd.service")
      try put(
        "their unit\n", at: host.root.appending(FilePath("etc/systemd/system/containerd.service").components))
      try put("their config\n", at: host.root.appending(FilePath("etc/containerd/config.toml").components))
      try put("their runc\n", at: host.root.appending(FilePath("usr/local/bin/runc").components))
      let before = try content(of: host.root)
      let context = host.context()
      let run = SetupRun(context)
      #expect(try await run.execute([.containerd]).map(\.outcome) == [.done])
      #expect(text(context.host.path("/usr/local/bin/runc")) == "runc 1.3.4\n")
      #expect((try? FileInfo(context.host.path("/usr/local/bin/containerd-shim-runc-v2")))?.mode == 0o755)
      #expect(try listFolder(context.host.path("/opt/cni/bin")) == ["bridge", "loopback"])
      #expect(text(context.host.path("/etc/containerd/config.toml")) == "version = 2\n")
      #expect(
        host.commands == [
          "systemctl daemon-reload", "systemctl reset-failed containerd.service",
          "systemctl restart containerd.service",
        ])
      #expect(try await run.execute([.containerd]).map(\.outcome) == [.already])
      // A changed program is mended.
      try put("broken\n", at: context.host.path("/usr/local/bin/ctr"))
      #expect(try await run.status([.containerd]).map(\.state) == ["to do"])
      #expect(try await run.execute([.containerd]).map(\.outcome) == [.done])
      host.forgetCommands()
      #expect(try await run.undo([.containerd]).map(\.outcome) == [.done])
      #expect(host.commands.first == "systemctl stop containerd.service")
      #expect(host.running == ["containerd.service"])
      let after = try content(of: host.root).filter {
        !$0.key.hasPrefix("run") && !$0.key.hasPrefix("var/lib/kubespray-offline")
      }
      var expected = before
      for folder in ["var", "var/lib"] where after[folder] != nil { expected[folder] = after[folder] }
      #expect(after == expected)
    }
  }

  @Test("a node of a cluster is left alone unless it is to be taken")
  func clusterNode() async throws {
    try await withHost { host in
      try put("", at: host.root.appending(FilePath("etc/kubernetes/kubelet.conf").components))
      let reports = try await SetupRun(host.context()).execute([.containerd])
      #expect(reports.map(\.outcome) == [.leftAlone])
      #expect(reports[0].detail.contains("/etc/kubernetes/kubelet.conf"))
      #expect(!host.context().host.exists("/usr/local/bin/containerd"))
      let taken = try await SetupRun(host.context { $0.target.existingNode = .take }).execute([.containerd])
      #expect(taken.map(\.outcome) == [.done])
    }
  }

  @Test("a config.toml for pods shows a node of a cluster, ours does not")
  func podsConfiguration() throws {
    try withFolder { folder in
      let host = context(root: folder, bundle: folder).host
      let path = folder.appending(FilePath("etc/containerd/config.toml").components)
      try put("version = 2\n  # sandbox_image = \"x\"\n", at: path)
      #expect(ClusterNode.sign(on: host) == nil)
      try put("version = 2\n  sandbox_image = \"registry.example.com/pause:3.10\"\n", at: path)
      #expect(ClusterNode.sign(on: host) == "/etc/containerd/config.toml runs pods")
    }
  }

  @Test(
    "packages of two releases are copied and served beside one another, and undo leaves nothing of either")
  func twoReleases() async throws {
    try await withHost { host in
      let server = try TestServer()
      defer { server.stop() }
      server.serve("/", Array("index".utf8))
      let port = try #require(server.baseURL.split(separator: ":").last.flatMap { Int($0) })
      host.run("kubespray-offline-nginx.service")
      host.run("containerd.service")
      try put("#!ctr\n", at: host.root.appending(FilePath("usr/local/bin/ctr").components))
      func context(_ version: String) -> SetupContext {
        host.context {
          $0.nginx.port = port
          $0.target.copy = .always
          $0.kubespray.version = version
        }
      }
      let key = "debs/local/kubespray-offline.asc"
      try putRepository("debs/local", in: host.bundle)
      let first = context("2.30.0")
      // As an earlier version of this program has left it.
      let (journal, state) = (try first.journal(.nginx), first.host.stateFolder)
      let old = state.appending("tmp/old")
      try put("old\n", at: first.host.path(old.appending("local/Packages")))
      try journal.makeFolder(state.appending("www"))
      try journal.placeTree(old, at: state.appending("www/debs"))
      #expect(try await SetupRun(first).execute([.nginx]).map(\.outcome) == [.done])
      #expect(try listFolder(first.host.path(state.appending("www/debs"))).isEmpty)

      try put("another key\n", at: host.bundle.pushing(FilePath(key)))
      let second = context("2.31.0")
      #expect(try await SetupRun(second).execute([.nginx]).map(\.outcome) == [.done])
      func served(_ version: String) -> String? {
        text(first.host.path(state.appending("releases/kubespray-\(version)")).pushing(FilePath(key)))
      }
      #expect(served("2.30.0") == "" && served("2.31.0") == "another key\n")
      let script = try #require(text(first.host.path(state.appending("services/nginx.sh"))))
      #expect(script.contains("src=\(state)/releases/kubespray-2.31.0/debs,dst=/usr/share/nginx/html/debs,"))
      #expect(
        script.contains("src=\(state)/releases/kubespray-2.30.0/debs,dst=/usr/share/nginx/releases/1/debs,"))
      let status = try await StatusReport(second)
      #expect(status.releases.map(\.kubespray) == ["2.31.0", "2.30.0"])
      #expect(status.releases.map(\.parts) == [["files", "debs"], ["files", "debs"]])
      #expect(status.releases.last?.address == "http://10.0.0.5:\(port)/releases/2.30.0/")
      #expect(status.releases.map(\.isThere) == [true, true])
      try removeTree(first.host.path(state.appending("releases/kubespray-2.30.0/debs")))
      #expect(try await StatusReport(second).releases.map(\.isThere) == [true, false])
      // What the server reads is not what it would be now.
      #expect(try await SetupRun(second).status([.nginx]).map(\.state) == ["to do"])

      #expect(try await SetupRun(second).undo([.nginx]).map(\.outcome) == [.done])
      #expect(!first.host.exists(state))
    }
  }

  @Test("the web server serves a copy, is started anew only when something changed, and undo leaves nothing")
  func nginx() async throws {
    try await withHost { host in
      let server = try TestServer()
      defer { server.stop() }
      server.serve("/", Array("index".utf8))
      let port = try #require(server.baseURL.split(separator: ":").last.flatMap { Int($0) })
      // The test's own server plays the container, so it must not count as somebody else's.
      host.run("kubespray-offline-nginx.service")
      host.run("containerd.service")
      try put("#!ctr\n", at: host.root.appending(FilePath("usr/local/bin/ctr").components))
      let context = host.context {
        $0.nginx.port = port
        $0.target.copy = .always
      }
      let run = SetupRun(context)
      let report = try #require(try await run.execute([.nginx]).first)
      #expect(report.outcome == .done, "\(report.detail)")
      #expect(
        text(context.host.path("/var/lib/kubespray-offline/releases/kubespray-2.30.0/files/kubelet"))
          == "a node's file\n")
      #expect(try listFolder(context.host.path("/var/lib/kubespray-offline/www")) == ["files"])
      let conf = try #require(text(context.host.path("/var/lib/kubespray-offline/nginx/default.conf")))
      #expect(conf.contains("listen \(port) default_server;") && !conf.contains("listen 80"))
      let script = try #require(text(context.host.path("/var/lib/kubespray-offline/services/nginx.sh")))
      #expect(
        script.contains("src=/var/lib/kubespray-offline/www,dst=/usr/share/nginx/html,options=rbind:ro"))
      #expect(
        script.contains(
          "src=/var/lib/kubespray-offline/releases/kubespray-2.30.0/files,dst=/usr/share/nginx/html/files,"))
      #expect(script.contains("--read-only") && script.contains("dst=/var/cache/nginx,"))
      #expect(script.contains("CAP_DAC_OVERRIDE") && !script.contains("CAP_SETUID"))
      #expect(host.commands.contains { $0.hasPrefix("systemctl restart kubespray-offline-nginx") })
      #expect(try await run.execute([.nginx]).map(\.outcome) == [.already])
      // A new file of a newer bundle is served after the next run.
      try put("another\n", at: host.bundle.appending("files").appending("kubeadm"))
      let newer = host.context {
        $0.nginx.port = port
        $0.target.copy = .always
      }
      #expect(try await SetupRun(newer).execute([.nginx]).map(\.outcome) == [.done])
      #expect(
        text(context.host.path("/var/lib/kubespray-offline/releases/kubespray-2.30.0/files/kubeadm"))
          == "another\n")
      // Going back to what was copied before takes nothing away from those who ask meanwhile: it is still there.
      let kubelet = context.host.path("/var/lib/kubespray-offline/releases/kubespray-2.30.0/files/kubelet")
      let before = try FileInfo(kubelet).inode
      try removeFile(host.bundle.appending("files").appending("kubeadm"))
      let earlier = host.context {
        $0.nginx.port = port
        $0.target.copy = .always
      }
      #expect(try await SetupRun(earlier).execute([.nginx]).map(\.outcome) == [.already])
      #expect(try FileInfo(kubelet).inode == before)
      #expect(try await run.undo([.nginx]).map(\.outcome) == [.done])
      #expect(host.commands.contains("systemctl stop kubespray-offline-nginx.service"))
      #expect(host.commands.contains { $0.hasSuffix("images remove --sync docker.io/library/nginx:1.29.4") })
      #expect(!context.host.exists("/var/lib/kubespray-offline"))
      #expect(!context.host.exists("/etc/systemd/system/kubespray-offline-nginx.service"))
    }
  }

  @Test("the services of this host end before containerd is replaced, and start after it")
  func order() async throws {
    try await withHost { host in
      host.run("kubespray-offline-nginx.service")
      host.run("kubespray-offline-registry.service")
      let run = SetupRun(host.context())
      let first = try await run.execute([.containerd])
      #expect(first.map(\.outcome) == [.done])
      let order = host.commands.filter { !$0.contains("daemon-reload") && !$0.contains("reset-failed") }
      #expect(
        order == [
          "systemctl stop kubespray-offline-nginx.service",
          "systemctl stop kubespray-offline-registry.service",
          "systemctl restart containerd.service", "systemctl start kubespray-offline-nginx.service",
          "systemctl start kubespray-offline-registry.service",
        ])
      host.forgetCommands()
      let second = try await run.execute([.containerd])
      #expect(second.map(\.outcome) == [.already])
      #expect(host.commands.isEmpty)
    }
  }

  @Test("a port that somebody else holds is named with its owner, and nothing is started")
  func takenPort() async throws {
    try await withHost { host in
      let server = try TestServer()
      defer { server.stop() }
      let port = try #require(server.baseURL.split(separator: ":").last.flatMap { Int($0) })
      host.run("containerd.service")
      try put("#!ctr\n", at: host.root.appending(FilePath("usr/local/bin/ctr").components))
      let report = try #require(
        try await SetupRun(host.context { $0.registry.port = port }).execute([.registry]).first)
      #expect(report.outcome == .failed)
      #expect(report.detail.contains("port \(port)") && report.detail.contains("process \(getpid())"))
      #expect(!host.commands.contains { $0.contains("start") })
    }
  }

  @Test("our listen lines stand in place of the file's own")
  func listenLines() throws {
    let text = "server {\n    listen 80 default_server;\n    listen [::]:80 default_server;\n    root /x;\n}"
    func lines(_ bind: String?, _ hasIPv6: Bool) throws -> [String] {
      try NginxStep.serverPart(text, port: 8080, bind: bind, hasIPv6: hasIPv6).split(separator: "\n")
        .map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0.hasPrefix("listen") }
    }
    #expect(try lines(nil, true) == ["listen 8080 default_server;", "listen [::]:8080 default_server;"])
    #expect(try lines(nil, false) == ["listen 8080 default_server;"])
    #expect(try lines("10.0.0.5", true) == ["listen 10.0.0.5:8080 default_server;"])
    #expect(try lines("2001:db8::5", true) == ["listen [2001:db8::5]:8080 default_server;"])
    #expect(throws: StepError.self) {
      try NginxStep.serverPart("server {\n}", port: 80, bind: nil, hasIPv6: true)
    }
  }

  @Test("images that go to another registry need no registry here")
  func otherRegistry() async throws {
    try await withHost { host in
      let context = host.context { $0.registry.local = "harbor.example.com/k8s" }
      let reports = try await SetupRun(context).execute([.registry])
      #expect(reports.map(\.outcome) == [.notNeeded])
      #expect(!context.pushesToOwnRegistry)
      let own = host.context { $0.registry.local = "localhost:35000" }
      #expect(own.pushesToOwnRegistry)
    }
  }
}
