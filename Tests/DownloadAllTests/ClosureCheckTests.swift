import Bundle
import Files
import Host
import Integrity
import Mirrors
import Settings
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll
@testable import Kubespray

/// What a proof finds missing, told with what asks for it.
@Suite struct ClosureCheckTests {
  private static let digest = Digest(of: Array("kubelet".utf8))
  private static let other = Digest(of: Array("other".utf8))
  private static let node = "admin-node.invalid"

  private func contents() throws -> BundleContents {
    BundleContents([
      try artifact("files/kubernetes/v1/kubelet", Self.digest),
      try artifact("files/charts.example/app/index.yaml"),
      try artifact("files/charts.example/app/app-1.0.tgz"),
      try image("registry.k8s.io/pause:3.10"), try image("docker.io/library/nginx:1"),
      try image("mcr.microsoft.com/csi:1"),
      try artifact("debs/local/pkgs/socat_1.7_amd64.deb"),
      try artifact("debs/local/pkgs/libc++1_2_amd64.deb"),
      try artifact("rpms/rocky-9/kernel-tools-libs-5.14-1.el9.x86_64.rpm"),
    ])
  }

  private func artifact(_ path: String, _ digest: Digest? = nil) throws -> Artifact {
    Artifact(
      path: try BundlePath(path), source: .generated([]), stage: .files, digest: digest,
      verification: .generated)
  }

  private func image(_ name: String) throws -> Artifact {
    let reference = try ImageReference(name)
    return Artifact(
      path: try reference.archivePath(), source: .image(reference), stage: .images,
      verification: .registryDigest)
  }

  private func file(_ url: String, _ checksum: Digest? = nil, isEnabled: Bool = true) -> CatalogFile {
    CatalogFile(
      url: url, checksum: checksum, variable: "kubelet_download_url", template: nil, entries: ["kubelet"],
      isEnabled: isEnabled, isOfficial: true, origin: "downloads.kubelet")
  }

  private func demand(
    files: [CatalogFile] = [], images: [String] = [], charts: [CatalogChart] = [],
    engine: [String: String] = [:]
  ) -> ClusterDemand {
    let catalog = Catalog(
      architecture: "amd64", files: files,
      images: images.map {
        CatalogImage(reference: $0, entries: [], isEnabled: true, isOfficial: false, origin: "a template")
      }, charts: charts, versions: [:], overrides: [], warnings: [])
    let host = HostEvaluation(
      host: "n1", groups: [], architecture: nil, downloads: [:], urls: [:], images: [:], roleImages: [:],
      addresses: [:],
      versions: [:], composed: [], charts: [], packages: [], settings: engine.mapValues { $0 },
      refusals: [], errors: [])
    return ClusterDemand(catalog, [host])
  }

  private func missing(_ demand: ClusterDemand, all: Bool = false) throws -> [String] {
    var check = ClosureCheck(
      try contents(), registryPort: 35000, strippedRegistries: ImageReference.strippedRegistries
    ) { _, _ in nil }
    check.check(demand, all: all, withImages: true)
    return check.missing.map { "\($0.component) \($0.variable): \($0.reason)" }
  }

  @Test func whatIsThereWithItsChecksumIsNotMissing() throws {
    let url = "http://\(Self.node)/files/kubernetes/v1/kubelet"
    #expect(try missing(demand(files: [file(url, Self.digest), file(url)])).isEmpty)
    #expect(
      try missing(demand(files: [file(url, Self.other)])).first?.contains("kubespray will insist on") == true)
  }

  @Test func aFileIsMissingOrAskedOfSomebodyElse() throws {
    let url = "http://\(Self.node)/files/kubernetes/v2/kubelet"
    #expect(
      try missing(demand(files: [file(url)])) == [
        "kubelet kubelet_download_url: the bundle has no files/kubernetes/v2/kubelet"
      ])
    #expect(
      try missing(demand(files: [file("https://dl.k8s.io/kubelet")])) == [
        "kubelet kubelet_download_url: it would be requested from dl.k8s.io, not from the admin host"
      ])
    let unused = demand(files: [file(url, isEnabled: false)])
    #expect(try missing(unused).isEmpty)
    #expect(try missing(unused, all: true).count == 1)
  }

  @Test func anInventoryThatLeadsPastTheBundleIsARemarkAndNoGap() throws {
    let own = "https://ann:secret@mirror.example:8443/kubelet"
    let replaced = [own: "files/kubernetes/v1/kubelet", "https://mirror.example:8443/gone": "files/gone"]
    var check = ClosureCheck(
      try contents(), registryPort: 35000, strippedRegistries: ImageReference.strippedRegistries,
      replaced: replaced
    ) { _, _ in nil }
    let files = [file(own, Self.digest), file("https://dl.k8s.io/kubelet")]
    check.check(demand(files: files), all: true, withImages: true)
    #expect(check.missing.map(\.reason) == ["it would be requested from dl.k8s.io, not from the admin host"])
    #expect(
      check.detourRemarks == [
        "With this inventory nodes would ask mirror.example:8443 and not the bundle, which has the files: it sets "
          + "kubelet_download_url. Leave that out of the inventory of the machines without internet."
      ])
    // What the bundle lacks is a gap all the same, and so is another content.
    check.check(demand(files: [file("https://mirror.example:8443/gone")]), all: true, withImages: true)
    check.check(demand(files: [file(own, Self.other)]), all: true, withImages: true)
    #expect(check.missing.count == 3, "\(check.missing)")
  }

  private static let mirrored = [
    "container_manager": "\"containerd\"",
    "containerd_registries_mirrors": """
    [{"prefix": "\(node):35000", "mirrors": [{"host": "http://\(node):35000"}]},
     {"prefix": "docker.io", "mirrors": [{"host": "http://\(node):35000"}]},
     {"prefix": "mcr.microsoft.com", "mirrors": [{"host": "http://\(node):35000/v2/mcr.microsoft.com"}]},
     {"prefix": "_default", "mirrors": []}]
    """,
  ]

  @Test(arguments: [
    ("\(node):35000/pause:3.10", nil), ("docker.io/library/nginx:1", nil), ("mcr.microsoft.com/csi:1", nil),
    ("mcr.microsoft.com/csi:2", "the bundle has no image mcr.microsoft.com/csi:2 in place of it"),
    ("\(node):35000/pause:3.9", "the bundle has no image pause:3.9"),
    ("docker.io/library/nginx:2", "the bundle has no image library/nginx:2 in place of it"),
    ("quay.io/coreos/etcd:v3", "it would be requested from quay.io, not from the admin host"),
  ])
  func anImageIsFoundUnderItsNameThereOrByAMirror(_ image: String, _ reason: String?) throws {
    let found = try missing(demand(images: [image], engine: Self.mirrored))
    #expect(found == (reason.map { ["a template a template: \($0)"] } ?? []))
  }

  @Test(arguments: [
    ["container_manager": "\"containerd\""],
    ["container_manager": "\"crio\"", "crio_registries": "[{\"location\": \"\(node):35000\"}]"],
    ["container_manager": "\"docker\"", "docker_insecure_registries": "[]"],
  ])
  func anEngineThatInsistsOnTLSIsTold(_ engine: [String: String]) throws {
    #expect(try missing(demand(engine: engine)).first?.contains("would insist on TLS") == true)
  }

  @Test(arguments: [("1.0", true), ("v1.0", true), ("1.1", false)])
  func aChartNeedsItsIndexAndItsFile(_ version: String, _ isThere: Bool) throws {
    let chart = CatalogChart(
      name: "app", version: version, repository: "http://\(Self.node)/files/charts.example/app",
      release: "app", hasOwnImages: false, isEnabled: true, origin: "roles/app/meta/main.yml")
    #expect(try missing(demand(charts: [chart])).isEmpty == isThere)
  }

  @Test func namesOfPackagesComeFromTheirFiles() throws {
    let contents = try contents()
    #expect(contents.packages(in: "debs/local") == ["socat", "libc++1"])
    #expect(contents.packages(in: "rpms/rocky-9") == ["kernel-tools-libs"])
  }

  @Test func aPackageThatTheClusterGetsMustBeThere() throws {
    let target = PackageTargets.Choice(
      target: try PackageTarget(named: "debian-12"), isHost: true, sources: nil)
    var check = PackageCheck(try contents(), [target]) { _ in [] }
    func package(_ name: String, _ state: CatalogPackage.State) -> CatalogPackage {
      CatalogPackage(name: name, release: "debian-12", state: state, origin: "roles/x/tasks/main.yml")
    }
    check.check([
      package("socat", .needed), package("docker-ce=5:28.3*", .needed), package("perhaps", .undecided),
      package("other", .possible),
    ])
    #expect(check.missing.map(\.wanted) == ["docker-ce"])
    #expect(check.remarks.map { $0.contains("perhaps on debian-12") } == [true])
    #expect(check.counts == ["debian-12": 3])
  }
}

/// Packages that are asked for by a name that is not their own.
@Suite struct ProvidedNamesTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  @Test func aDebianIndexTellsWhatIsProvided() throws {
    try fixture.write(
      "Package: mawk\nProvides: awk\n\nPackage: x\nProvides: one (= 1), two:any\n", to: "debs/Packages")
    let names = try ProvidedNames.read(fixture.root.appending("debs"))
    #expect(names == ["awk", "one", "two"])
  }

  @Test func anRPMIndexTellsWhatIsProvided() async throws {
    try fixture.write(
      """
      <package><name>python3-libselinux</name><format>
      <rpm:provides><rpm:entry name="libselinux-python3" flags="EQ"/></rpm:provides>
      <rpm:requires><rpm:entry name="not-this"/></rpm:requires><file>/usr/sbin/thing</file></format></package>
      """, to: "rpms/repodata/1-primary.xml")
    _ = try await Command("gzip", [fixture.root.appending("rpms/repodata/1-primary.xml").string]).output()
    let names = try ProvidedNames.read(fixture.root.appending("rpms"))
    #expect(names == ["libselinux-python3", "/usr/sbin/thing"])
  }
}

/// Charts from a repository over HTTP.
@Suite(.timeLimit(.minutes(10))) struct ChartSourceTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private var chart: CatalogChart {
    CatalogChart(
      name: "app", version: "1.0.0", repository: fixture.server.url("/charts"), release: "app",
      hasOwnImages: false, isEnabled: true, origin: "roles/app/meta/main.yml")
  }

  /// A chart as `helm package` makes it.
  private func archive() async throws -> [UInt8] {
    let folder = fixture.root.appending("chart/app")
    try createDirectories(folder)
    try writeAtomically(
      "apiVersion: v2\nname: app\nversion: 1.0.0\nappVersion: v3.2.1\n", to: folder.appending("Chart.yaml"))
    try writeAtomically(
      """
      image: {repository: example/app, tag: ""}
      sidecar:
        image: {registry: ghcr.io, repository: example/sidecar, tag: "2"}
      source: {repository: "https://github.com/example/app"}
      """, to: folder.appending("values.yaml"))
    let file = fixture.root.appending("app.tgz")
    let tar = Command("tar", ["-czf", file.string, "-C", folder.removingLastComponent().string, "app"])
    _ = try await tar.output()
    var bytes: [UInt8] = []
    try readFile(file) { bytes.append(contentsOf: $0) }
    return bytes
  }

  private func serve(_ digest: Digest?, _ bytes: [UInt8]) {
    fixture.server.serve(
      "/charts/index.yaml",
      Array(
        """
        entries:
          app:
          - version: 2.0.0
            urls: [app-2.0.0.tgz]
          - version: v1.0.0
            \(digest.map { "digest: \($0.hex)" } ?? "appVersion: v3.2.1")
            urls: [files/app-1.0.0.tgz]
        """.utf8))
    fixture.server.serve("/charts/files/app-1.0.0.tgz", bytes)
  }

  @Test func aChartComesOnceWithTheImagesThatItsValuesName() async throws {
    let bytes = try await archive()
    serve(Digest(of: bytes), bytes)
    let fetched = try await fixture.tools(fixture.job([])).charts.chart(chart)
    #expect(
      fetched.images.map(\.description).sorted() == [
        "docker.io/example/app:v3.2.1", "ghcr.io/example/sidecar:2",
      ])
    let artifacts = try fetched.artifacts()
    #expect(
      artifacts.map(\.path.description).map { $0.split(separator: "/").last } == [
        "app-v1.0.0.tgz", "index.yaml",
      ])
    #expect(artifacts.first?.verification == .unsignedRepository)
    let asked = fixture.server.requests.count
    _ = try await fixture.tools(fixture.job([])).charts.chart(chart)
    #expect(fixture.server.requests.count == asked)
  }

  @Test func otherBytesThanTheIndexPromisesAreRefused() async throws {
    serve(Digest(of: [1]), try await archive())
    let error = await #expect(throws: ChartError.self) {
      _ = try await fixture.tools(fixture.job([])).charts.chart(chart)
    }
    #expect(error?.description.contains("app 1.0.0") == true)
  }

  @Test func aVersionThatIsNotListedIsTold() async throws {
    serve(nil, try await archive())
    var other = chart
    other.version = "9.9.9"
    let wanted = other
    let error = await #expect(throws: ChartError.self) {
      _ = try await fixture.tools(fixture.job([])).charts.chart(wanted)
    }
    #expect(error?.description.contains("does not list it") == true)
  }
}
