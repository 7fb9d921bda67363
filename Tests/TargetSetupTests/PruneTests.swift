import Bundle
import Files
import Integrity
import Registry
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

@Suite("Pruning of releases")
struct PruneTests {
  /// A host that knows two bundles: the one that was set up last, and an earlier one with a tree, which shares a file with
  /// it. Neither is served, so that no server has to run.
  private struct World {
    private static let id = "0123456789abcdef0123456789abcdef"

    let root: FilePath
    let context: SetupContext
    let old: FilePath = "/srv/old"
    let tree: FilePath = "/opt/kubespray-2.29.1"

    init(_ root: FilePath) throws {
      self.root = root
      let bundle = root.appending("srv/new")
      try put("new", at: bundle.appending("files/new"))
      let place = root.appending("srv/old")
      for (name, text) in [
        ("files/kubelet", String(repeating: "k", count: 9000)),
        ("files/shared", String(repeating: "s", count: 70_000)),
        ("debs/local/pkgs/a_1_all.deb", "deb"), ("pypi/a/a.whl", "wheel"), ("config.yml", "kubespray: {}\n"),
      ] { try put(text, at: place.pushing(FilePath(name))) }
      // As merge leaves it: one file with two names.
      try createDirectories(bundle.appending("files"))
      _ = try Self.shareByName(place.appending("files/shared"), bundle.appending("files/shared"))
      let manifest = Manifest(
        id: Self.id, sequence: 1, tool: "test", created: "2026-01-01T00:00:00Z", kubespray: "2.29.1",
        architecture: "amd64", stages: [.files], files: Manifest.describing(place).files)
      try manifest.save(to: place)
      context = TargetSetupTests.context(root: root, bundle: bundle)
      let record = StoredRelease(id: Self.id, kubespray: "2.29.1", bundle: "/srv/old", images: [])
      let state = context.host.stateFolder
      try put(
        String(decoding: try StoredRelease.bytes([record]), as: UTF8.self),
        at: context.host.path(state.appending("images.json")))
      try Self.makeTree(root)
    }

    private static func shareByName(_ file: FilePath, _ name: FilePath) throws -> Bool {
      let descriptor = try openFile(file, .readOnly)
      defer { try? descriptor.close() }
      return shareFile(descriptor, at: name)
    }

    private static func makeTree(_ root: FilePath) throws {
      let place = root.pushing(FilePath("opt/kubespray-2.29.1"))
      for name in ["requirements.txt", "roles/a/main.yml", "inventory/offline/inventory.ini"] {
        try put(name, at: place.pushing(FilePath(name)))
      }
      var stamp = TreeStamp(version: "2.29.1", tarball: "", patches: [], files: [:])
      for name in try TreeStamp.files(below: place) {
        stamp.files[name] = TreeStamp.digest(of: place.pushing(FilePath(name)))
      }
      try put(String(decoding: try stamp.bytes(), as: UTF8.self), at: place.appending(TreeStamp.fileName))
    }

    func run(_ drop: [String] = ["2.29.1"], keepsBundles: Bool = false) -> PruneRun {
      PruneRun(context, dropping: drop, cluster: nil, keepsBundles: keepsBundles)
    }

    /// The room of all that the host has, as du(1) counts it: a file with two names once.
    func room() throws -> Int64 {
      var seen: Set<UInt64> = []
      var sizes: [Int64] = []
      for folder in ["srv", "opt"] where folderExists(root.appending(folder)) {
        try walkFolder(root.appending(folder)) { entry in
          if seen.insert(entry.info.inode).inserted { sizes.append(entry.info.allocated) }
        }
      }
      return sizes.byteSum(of: \.self)
    }
  }

  private func withWorld(_ body: (World) async throws -> Void) async throws {
    try await withFolder { try await body(try World($0)) }
  }

  @Test("without a name nothing goes, and it is told what each release would free")
  func list() async throws {
    try await withWorld { world in
      let before = try content(of: world.root)
      let plan = try await world.run([]).plan()
      #expect(plan.items.isEmpty && plan.bytes == 0)
      #expect(plan.releases.map(\.kubespray) == ["2.30.0", "2.29.1"] && plan.releases.allSatisfy(\.isKept))
      let dropped = try await world.run().plan()
      #expect(plan.releases.last?.wouldFree == dropped.bytes)
      #expect(try content(of: world.root) == before)
    }
  }

  @Test("the bytes that were promised are free, and what the other bundle has too stays")
  func apply() async throws {
    try await withWorld { world in
      let (before, plan) = (try world.room(), try await world.run().plan())
      let report = try await world.run().apply()
      let after = try world.room()
      #expect(report.freed == plan.bytes && before - after == plan.bytes)
      #expect(text(world.root.appending("srv/new/files/shared"))?.count == 70_000)
      #expect(try listFolder(world.root.appending("srv")) == ["new"])
      #expect(try listFolder(world.root.appending("opt")).isEmpty)
      #expect(try StoredRelease.read(world.context.host).isEmpty)
      #expect(try PruneOrder.read(world.context.host) == nil)
      #expect(try await world.run([]).apply().plan.items.isEmpty)
    }
  }

  @Test("without what collects the registry's garbage, it is said before anything is removed")
  func noContainerd() async throws {
    try await withWorld { world in
      let storage = world.context.configuration.registry.directory.appending("docker/registry/v2")
      let hex = String(repeating: "ab", count: 32)
      try put(
        "a blob", at: world.context.host.path(storage.pushing(FilePath("blobs/sha256/ab/\(hex)/data"))))
      let before = try content(of: world.root.appending("srv"))
      let tree = try content(of: world.root.appending("opt"))
      #expect(try await world.run().plan().items.contains { $0.kind == "images" })
      let error = await #expect(throws: StepError.self) { try await world.run().apply() }
      #expect(error?.detail.contains("no containerd answers") == true && error?.kind == .first(.containerd))
      #expect(try content(of: world.root.appending("srv")) == before)
      #expect(try content(of: world.root.appending("opt")) == tree)
      #expect(try PruneOrder.read(world.context.host) == nil)
    }
  }

  @Test("what somebody has changed or added stays and is named")
  func changed() async throws {
    try await withWorld { world in
      try put("mine", at: world.root.appending("srv/old/notes.txt"))
      try put("changed", at: world.root.pushing(FilePath("opt/kubespray-2.29.1/roles/a/main.yml")))
      let report = try await world.run().apply()
      #expect(
        report.plan.kept == [
          PruneKept(
            what: "/opt/kubespray-2.29.1", reason: "roles/a/main.yml was changed in it or added to it"),
          PruneKept(what: "/srv/old", reason: "notes.txt was added to the bundle"),
        ])
      #expect(try content(of: world.root.appending("srv/old")).keys.sorted() == ["notes.txt"])
      #expect(text(world.root.pushing(FilePath("opt/kubespray-2.29.1/roles/a/main.yml"))) == "changed")
    }
  }

  @Test("a tree with the operator's inventory stays whole until that is copied")
  func inventory() async throws {
    try await withWorld { world in
      try put(
        "[all]\nn1\n",
        at: world.root.pushing(FilePath("opt/kubespray-2.29.1/inventory/offline/inventory.ini")))
      let plan = try await world.run().apply().plan
      #expect(plan.kept.map(\.what) == ["/opt/kubespray-2.29.1"])
      #expect(fileExists(world.root.pushing(FilePath("opt/kubespray-2.29.1/requirements.txt"))))
    }
  }

  @Test("stopped after any file, the same command without a name ends it")
  func resumed() async throws {
    var counts: [Int] = []
    for stop in 0..<12 {
      try await withWorld { world in
        let plan = try await world.run().plan()
        let order = PruneOrder(
          started: "2026-01-01T00:00:00Z", releases: plan.selection.dropped.map(\.release), uses: [],
          keepsBundles: false)
        try order.save(on: world.context.host)
        let files = plan.steps.flatMap { $0.removal?.files ?? [] }
        for file in files.prefix(stop) { try removeFile(file) }
        let rest = try await world.run([]).plan()
        #expect(rest.isUnfinished)
        _ = try await world.run([]).apply()
        counts.append(files.count)
        #expect(try listFolder(world.root.appending("srv")) == ["new"])
        #expect(try listFolder(world.root.appending("opt")).isEmpty)
        #expect(try PruneOrder.read(world.context.host) == nil)
      }
    }
    #expect(counts.allSatisfy { (9...12).contains($0) }, "\(counts)")
  }

  @Test("folders of bundles stay when that is asked for, and one that this program runs from")
  func bundles() async throws {
    try await withWorld { world in
      let plan = try await world.run(keepsBundles: true).plan()
      #expect(plan.kept == [PruneKept(what: "/srv/old", reason: "--keep-bundles was given")])
      let own = try PrunePlan(
        .init(drop: ["01234567"], program: world.root.appending("srv/old/lib/target-setup")), world.context)
      #expect(own.kept == [PruneKept(what: "/srv/old", reason: "this program runs from it")])
    }
  }

  @Test("unknown releases and the last one are refused; a bundle that is set up again is taken out")
  func refused() async throws {
    try await withWorld { world in
      for (name, word) in [
        ("2.28.0", "knows no release"), ("2.30.0", "set up last"), ("0123", "knows no release"),
      ] {
        let error = await #expect(throws: StepError.self) { try await world.run([name]).plan() }
        #expect(error?.detail.contains(word) == true && error?.kind == .release)
      }
      let order = PruneOrder(started: "", releases: [], uses: [], keepsBundles: false)
      try order.save(on: world.context.host)
      try PruneOrder.withdraw("x", on: world.context.host)
      #expect(try PruneOrder.read(world.context.host) == order)
    }
  }

  @Test("the journal of a step tells what was pruned, once, and does not miss it")
  func journal() async throws {
    try await withWorld { world in
      let journal = try world.context.journal(.ansible)
      let script: FilePath = "/opt/kubespray-2.29.1/ansible-container.sh"
      try journal.write(script, "#!/bin/sh\n")
      _ = try await world.run().apply()
      let after = try world.context.journal(.ansible)
      #expect(after.notes(.pruned).count == 1 && after.isIntact && !world.context.host.exists(script))
      let notes = try PrunedNote.all(world.context)
      #expect(notes.map(\.what) == ["/opt/kubespray-2.29.1"] && notes.map(\.release) == ["2.29.1"])
      // The very command, given once more.
      #expect(try await world.run().apply().plan.items.isEmpty)
      _ = try await SetupRun(world.context).undo([.ansible])
      #expect(try listFolder(world.root.appending("opt")).isEmpty)
    }
  }
}

@Suite("What a cluster runs")
struct ClusterUseTests {
  private static let digest = String(repeating: "a", count: 64)
  private static let answers = [
    "/api/v1/pods?limit=200": """
    {"metadata": {"continue": "next"}, "items": [{"metadata": {"namespace": "kube-system", "name": "proxy"},
      "spec": {"containers": [{"image": "registry.k8s.io/kube-proxy:v1.33.7"}],
        "initContainers": [{"image": "10.0.0.5:35000/team/init:1"}]},
      "status": {"containerStatuses": [{"image": "sha256:\(digest)", "imageID": "x/y@sha256:\(digest)"}]}}]}
    """,
    "/api/v1/pods?limit=200&continue=next": #"{"metadata": {}, "items": null}"#,
    "/apis/batch/v1/cronjobs?limit=200": """
    {"items": [{"metadata": {"namespace": "a", "name": "b"}, "spec": {"jobTemplate": {"spec": {"template": {"spec":
      {"containers": [{"image": "nginx"}]}}}}}}]}
    """,
    "/api/v1/nodes?limit=200":
      #"{"items": [{"metadata": {"name": "n1"}, "status": {"nodeInfo": {"kubeletVersion": "v1.33.7"}}}]}"#,
  ]

  @Test("pods, their images by name and digest, and what makes pods; page after page")
  func asked() async throws {
    try await withFolder { folder in
      let context = context(root: folder, bundle: folder)
      let use = try await ClusterUse.ask(context) { Array((Self.answers[$0] ?? #"{"items": []}"#).utf8) }
      #expect(use.nodes == ["n1": "v1.33.7"])
      let names = Set(use.images.compactMap { image in image.repository.map { "\($0):\(image.tag ?? "")" } })
      #expect(names.isSuperset(of: ["kube-proxy:v1.33.7", "team/init:1", "library/nginx:latest"]))
      #expect(use.images.contains { $0.digest?.hex == Self.digest && $0.user == "pod kube-system/proxy" })
      #expect(use.images.contains { $0.user == "cronjob a/b" })
      await #expect(throws: StepError.self) {
        try await ClusterUse.ask(context) { _ in Array("<html>".utf8) }
      }
    }
  }

  @Test("a release whose Kubernetes a node runs is not dropped")
  func nodes() throws {
    func known(_ version: String, _ kubelet: String) -> PruneSelection.Known {
      let served = ServedRelease(
        id: version, kubespray: version, folder: "/x", files: ["kubernetes/\(kubelet)/kubelet": ""])
      let release = DroppedRelease(id: version, kubespray: version, folder: "/x", bundle: nil, images: [])
      return PruneSelection.Known(release: release, served: served)
    }
    let use = ClusterUse(images: [], nodes: ["n1": "v1.33.7"])
    let (old, new) = (known("2.29.1", "v1.33.7"), known("2.30.0", "v1.34.3"))
    let error = #expect(throws: StepError.self) {
      try use.refuse(PruneSelection(kept: [new], dropped: [old], unfinished: nil))
    }
    #expect(error?.detail.contains("n1 runs Kubernetes v1.33.7") == true && error?.kind == .upgradeFirst)
    try use.refuse(PruneSelection(kept: [known("2.29.2", "v1.33.7"), new], dropped: [old], unfinished: nil))
  }

  @Test("a kubeconfig is read by its current context; what only kubectl can do is said")
  func kubeconfig() throws {
    try withFolder { folder in
      let file = folder.appending("config")
      func write(_ user: String, _ cluster: String = "") throws {
        try put(
          """
          current-context: b
          contexts:
          - {name: a, context: {cluster: x, user: x}}
          - {name: b, context: {cluster: c, user: u}}
          clusters:
          - {name: c, cluster: {server: "https://10.0.0.1:6443/", certificate-authority-data: YWJj\(cluster)}}
          users:
          - {name: u, user: {\(user)}}

          """, at: file)
      }
      try write("client-certificate-data: eHl6, client-key: key.pem")
      try put("the key", at: folder.appending("key.pem"))
      let read = try KubeConfig(file)
      #expect(read.server == "https://10.0.0.1:6443" && read.authority == Array("abc".utf8))
      #expect(read.certificate?.file == Array("xyz".utf8) && read.certificate?.key == Array("the key".utf8))
      #expect(read.authorization == nil && read.verifiesServer)
      try write("token: abc", ", insecure-skip-tls-verify: true")
      #expect(try KubeConfig(file).authorization == "Bearer abc")
      #expect(try !KubeConfig(file).verifiesServer)
      for (user, word) in [
        ("exec: {command: aws}", "needs kubectl"), ("token: abc, client-key-data: '!'", "base64"),
      ] {
        try write(user)
        let error = #expect(throws: StepError.self) { try KubeConfig(file) }
        #expect(error?.detail.contains(word) == true)
      }
      #expect(throws: StepError.self) { try KubeConfig(folder.appending("missing")) }
    }
  }
}
