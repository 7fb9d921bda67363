import Bundle
import Files
import Host
import Integrity
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// Every step alone on a bundle of which one file is not what its manifest says: nothing of it comes to the host.
@Suite("Steps on a tampered bundle")
struct TamperedBundleTests {
  private static let sameName: [Tampering] = [.otherByte, .shorter, .deleted, .linkInPlace]

  private func expectRefusal(
    _ step: StepName, of path: String, _ context: SetupContext, _ host: ServiceHost
  ) async throws {
    let before = try hostContent(context)
    let report = try #require(try await SetupRun(context).execute([step]).first)
    #expect(report.outcome == .failed, "\(step) took \(path)")
    #expect(report.detail.contains(path), "\(report.detail)")
    #expect(try hostContent(context) == before)
    #expect(!host.commands.contains { $0.contains("start") || $0.contains("import") })
  }

  /// What is on the host, the state of this program and folders too.
  private func hostContent(_ context: SetupContext) throws -> [String: String] {
    try content(of: context.host.root).filter { !$0.key.hasPrefix("run") }
  }

  private func withHost(_ body: (ServiceHost) async throws -> Void) async throws {
    try await withFolder { folder in
      let host = try ServiceHost(folder)
      host.run("containerd.service")
      try createDirectories(host.root.appending("var/lib"))
      try put("#!ctr\n", at: host.root.appending("usr/local/bin/ctr"))
      try await body(host)
    }
  }

  @Test(
    "containerd",
    arguments: [
      "files/containerd-2.2.1-linux-amd64.tar.gz", "files/nerdctl-2.2.0-linux-amd64.tar.gz",
      "files/cni-plugins-linux-amd64-v1.8.0.tgz", "files/runc/v1.3.4/runc.amd64", "config.toml",
      "containerd.service",
    ], sameName)
  func containerd(_ path: String, _ how: Tampering) async throws {
    try await withHost { host in
      let context = host.context()
      try how.apply(path, in: host.bundle)
      try await expectRefusal(.containerd, of: path, context, host)
    }
  }

  @Test(
    "nginx, whether it serves a copy or the bundle itself",
    arguments: ["files/kubelet", "nginx.conf", "nginx-default.conf"], [true, false])
  func nginx(_ path: String, _ copies: Bool) async throws {
    for how in Self.sameName {
      try await withHost { host in
        let context = host.context {
          $0.nginx.port = 8199
          $0.target.copy = copies ? .always : .never
        }
        try how.apply(path, in: host.bundle)
        try await expectRefusal(.nginx, of: path, context, host)
        #expect(!context.host.exists("/var/lib/kubespray-offline/www/files"))
      }
    }
  }

  @Test("registry", arguments: ["registry-config.yml", "images/docker.io_library_registry-3.0.0.tar.gz"])
  func registry(_ path: String) async throws {
    for how in Self.sameName {
      try await withHost { host in
        let context = host.context { $0.registry.port = 8198 }
        try how.apply(path, in: host.bundle)
        try await expectRefusal(.registry, of: path, context, host)
      }
    }
  }

  @Test("load-push reads all of every archive before it asks the registry for anything")
  func loadPush() async throws {
    for how in Self.sameName {
      try await withHost { host in
        let path = "images/docker.io_library_nginx-1.29.4.tar.gz"
        let context = try host.context { $0.registry.port = 8197 }.withImages()
        try how.apply(path, in: host.bundle)
        try await expectRefusal(.loadPush, of: path, context, host)
      }
    }
  }

  @Test(
    "extract",
    arguments: ["files/kubespray-2.30.0.tar.gz", "patches/2.30.0/a.patch", "playbook/a.yml", "offline.yml"])
  func extract(_ path: String) async throws {
    for how in Self.sameName {
      try await withHost { host in
        for name in [
          "files/kubespray-2.30.0.tar.gz", "patches/2.30.0/a.patch", "playbook/a.yml", "offline.yml",
        ] {
          try put("\(name) is not read before it is proved\n", at: host.bundle.pushing(FilePath(name)))
        }
        let context = host.context { $0.access.tls = true }
        try how.apply(path, in: host.bundle)
        try await expectRefusal(.extract, of: path, context, host)
      }
    }
  }

  @Test("what a kill has left of copies is gone after undo, though nothing was written down")
  func leftCopies() async throws {
    try await withHost { host in
      let context = host.context()
      let before = try hostContent(context)
      _ = try StagingFolder(for: .containerd, on: context.host).stage("files/kubelet", of: context.bundle)
      #expect(try await SetupRun(context).undo([.containerd]).map(\.outcome) == [.already])
      #expect(try hostContent(context) == before)
    }
  }

  @Test(
    "a file that the manifest does not list stops every step that uses its folder, and is named",
    arguments: [
      (StepName.containerd, "files/zz"), (.nginx, "files/zz"), (.nginx, "debs/local/zz.deb"),
      (.nginx, "rpms/zz"), (.nginx, "pypi/zz"), (.offlineRepo, "debs/local/zz"), (.offlineRepo, "pypi/zz"),
      (.python, "debs/zz"), (.registry, "images/zz.tar.gz"), (.loadPush, "images/zz.tar.gz"),
      (.extract, "patches/2.30.0/zz.patch"), (.extract, "playbook/zz.yml"), (.ansible, "pypi/zz"),
      (.registryClient, "lib/libz.so"), (.verify, "patches/2.30.0/zz.patch"), (.verify, "lib/libz.so"),
    ])
  func unexpected(_ step: StepName, _ path: String) async throws {
    try await withHost { host in
      let context = host.context()
      try put("unexpected", at: host.bundle.pushing(FilePath(path)))
      try await expectRefusal(step, of: path, context, host)
    }
  }

  @Test("a list of packages that is not as it was is refused, and not taken for none", arguments: sameName)
  func packageList(_ how: Tampering) async throws {
    try await withHost { host in
      let path = "debs/local/Packages"
      try put("Package: tree\n", at: host.bundle.pushing(FilePath(path)))
      let context = host.context()
      let repository = BundleRepositories.Repository(kind: .debs, folder: "local")
      #expect(try AptClient().sample(of: repository, context.bundle, installed: []) == "tree")
      try how.apply(path, in: host.bundle)
      let error = #expect(throws: StepError.self) {
        try AptClient().sample(of: repository, context.bundle, installed: [])
      }
      #expect(error?.description.contains(path) == true)
    }
  }

  @Test("what a system leaves at the top of a disk is named by verify and stops nothing")
  func leftovers() async throws {
    try await withHost { host in
      let context = host.context()
      try put("x", at: host.bundle.appending("System Volume Information/IndexerVolumeGuid"))
      #expect(try await SetupRun(context).execute([.verify, .containerd]).map(\.outcome) == [.done, .done])
    }
  }

  /// A context that would write down that a bundle was taken.
  private func signedContext(_ host: ServiceHost) -> (context: SetupContext, memory: FilePath) {
    var context = host.context()
    let memory = host.root.appending("trust.json")
    context.trust = BundleTrust(standing: .signed(["ann"]), bundle: "7", sequence: 7)
    context.trust.state = memory
    return (context, memory)
  }

  @Test(
    "what a host remembers of bundles stays as it was when one is refused",
    arguments: [[StepName.containerd], [.verify, .containerd]])
  func memory(_ steps: [StepName]) async throws {
    try await withHost { host in
      let (context, memory) = signedContext(host)
      try Tampering.otherByte.apply("files/runc/v1.3.4/runc.amd64", in: host.bundle)
      let reports = try await SetupRun(context).execute(steps)
      #expect(reports.first?.outcome == .failed)
      #expect(!fileExists(memory))
    }
  }

  @Test("what a host takes is remembered from the first change on, and when all of it was found right")
  func remembering() async throws {
    try await withHost { host in
      let (context, memory) = signedContext(host)
      #expect(try await SetupRun(context).execute([.containerd]).map(\.outcome) == [.done])
      #expect(try TrustMemory.read(memory)?.sequence == 7)
      try removeFile(memory)
      // Nothing is left to do, and the whole bundle is intact.
      let again = try await SetupRun(context).execute([.verify, .containerd])
      #expect(again.map(\.outcome) == [.done, .already])
      #expect(try TrustMemory.read(memory)?.sequence == 7)
      try removeFile(memory)
      let journal = try context.journal(.nginx)
      try journal.note(.allowed, "x")
      #expect(!fileExists(memory))
      try journal.write("/etc/x", "x")
      #expect(fileExists(memory))
    }
  }

  @Test("a medium that answers differently after verify is caught by the step")
  func secondReading() async throws {
    try await withHost { host in
      let context = host.context()
      #expect(try await SetupRun(context).execute([.verify]).map(\.outcome) == [.done])
      let path = "files/runc/v1.3.4/runc.amd64"
      try Tampering.otherByte.apply(path, in: host.bundle)
      try await expectRefusal(.containerd, of: path, context, host)
    }
  }
}

extension SetupContext {
  /// With archives in `images/` that the manifest knows as images.
  fileprivate func withImages() throws -> SetupContext {
    var manifest = try #require(bundle.manifest)
    let image = ManifestImage(
      reference: try ImageReference("nginx:1.29.4"), digest: Digest(of: []), platforms: [], layers: 1)
    for index in manifest.files.indices where manifest.files[index].path.description.hasPrefix("images/") {
      manifest.files[index].image = image
    }
    return SetupContext(
      host: host, bundle: ArrivedBundle(bundle.folder, manifest: manifest), configuration: configuration)
  }
}
