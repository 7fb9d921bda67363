import Bundle
import Kubespray
import Settings
import SystemPackage
import TestServer
import Testing

@testable import DownloadAll

/// What nothing that was asked for needs is left out when it cannot be had.
@Suite(.timeLimit(.minutes(10))) struct LeftOutTests {
  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  /// A URL at which nobody answers.
  private func silent(_ path: String) -> String {
    guard let gone = try? TestServer() else { return "" }
    defer { gone.stop() }
    return gone.url(path)
  }

  private func artifact(_ name: String, _ url: String, for purpose: String?) throws -> Artifact {
    Artifact(
      path: try BundlePath("files/\(name)"), source: .url(url), stage: .files, verification: .none,
      purpose: purpose)
  }

  private func list(_ urls: String...) throws -> Artifact {
    Artifact(
      path: try BundlePath("files/files.list"),
      source: .generated(Array(urls.map { $0 + "\n" }.joined().utf8)), stage: .files,
      verification: .generated)
  }

  @Test(arguments: [true, false])
  func aSilentHostOfWhatNobodyNeedsIsNamedOnce(precheck: Bool) async throws {
    let kubelet = try fixture.artifact("/kubelet", "kubelet")
    let gone = silent("/")
    let report = try await fixture.run(
      [
        kubelet, try artifact("a", gone + "a", for: "azuredisk"),
        try artifact("b", gone + "b", for: "huawei"),
        try list(kubelet.url ?? "", gone + "a", gone + "b"),
      ], precheck: precheck)
    #expect(report.failures.isEmpty && report.bundle == .complete)
    let told = fixture.messages.filter { $0.contains("Left out") }
    #expect(told.count == 1)
    #expect(told.first?.contains("2 files for azuredisk, huawei") == true)
    #expect(fixture.text("outputs/files/files.list") == "\(kubelet.url ?? "")\n")
    #expect(fixture.files?.map(\.path.description).sorted() == ["files/files.list", "files/kubelet"])
  }

  @Test func aHostThatSaysNoIsNamedOnceToo() async throws {
    fixture.server.route("/secret") { _ in TestServer.Response(403) }
    let report = try await fixture.run(
      [
        try fixture.artifact("/kubelet", "kubelet"),
        try artifact("secret", fixture.server.url("/secret"), for: "azuredisk"),
      ], precheck: true)
    #expect(report.failures.isEmpty && report.bundle == .complete)
    #expect(fixture.messages.filter { $0.contains("azuredisk") && $0.contains("403") }.count == 1)
  }

  @Test func whatIsNeededOfTheSameHostFailsAsBefore() async throws {
    let gone = silent("/")
    let report = try await fixture.run(
      [try artifact("a", gone + "a", for: "azuredisk"), try artifact("b", gone + "b", for: nil)],
      precheck: true)
    #expect(report.stages.map(\.outcome) == [.failed, .blocked])
  }

  @Test func bytesThatAreWrongAreNeverLeftOut() async throws {
    var artifact = try fixture.artifact("/kubelet", "kubelet")
    artifact.purpose = "azuredisk"
    fixture.serve("/kubelet", "another")
    let report = try await fixture.run([artifact], precheck: true)
    #expect(report.failures.count == 1)
  }

  @Test(
    arguments: [
      (
        "roles/kubernetes-apps/csi_driver/azuredisk/templates/a.yml.j2:12", [], false,
        "kubernetes-apps/csi_driver/azuredisk"
      ),
      ("variables x_image_repo and x_image_tag", [], false, "x"),
      ("variable argocd_install_url", [], false, "argocd_install"),
      ("downloads.helm", ["helm"], false, "helm"), ("downloads.helm", ["helm"], true, nil),
    ] as [(String, [String], Bool, String?)])
  func theChoiceIsWhatWouldNeedIt(
    _ origin: String, _ entries: [String], _ isEnabled: Bool, _ expected: String?
  ) {
    let image = CatalogImage(
      reference: "a/b:1", entries: entries, isEnabled: isEnabled, isOfficial: false, origin: origin)
    #expect(image.choice == expected)
    var official = image
    official.isOfficial = true
    #expect(official.choice == nil)
  }

  @Test func theProofNamesTheChoicesForWhichTheBundleIsNotEnough() async throws {
    let image = { (name: String, isOfficial: Bool) in
      CatalogImage(
        reference: name, entries: [], isEnabled: false, isOfficial: isOfficial,
        origin: "roles/csi/azure/templates/a.j2:1")
    }
    let catalog = Catalog(
      architecture: "amd64", files: [],
      images: [image("mcr.microsoft.com/csi:1", false), image("quay.io/x:1", true)], versions: [:],
      overrides: [], warnings: [])
    let dispensable = await Dispensable(catalog, Configuration()) { _ in [] }
    let remarks = dispensable.remarks(on: BundleContents([Artifact]()), served: ["x:1"], withImages: true)
    #expect(
      remarks == [
        "The bundle is not enough for csi/azure, which nobody has asked for: it lacks mcr.microsoft.com/csi:1."
      ])
    var strict = Configuration()
    strict.kubespray.strict = true
    #expect(await Dispensable(catalog, strict) { _ in [] }.images.isEmpty)
  }
}
