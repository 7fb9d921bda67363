import Integrity
import Kubespray
import Testing

/// What the catalogs of two architectures are together.
@Suite struct CatalogJoiningTests {
  private func file(_ url: String, _ architecture: String, checksum: String? = nil, isEnabled: Bool = false)
    throws
    -> CatalogFile
  {
    var file = CatalogFile(
      url: url, checksum: try checksum.map { try Digest("sha256:" + String(repeating: $0, count: 64)) },
      variable: "x_download_url", template: nil, entries: [architecture], isEnabled: isEnabled,
      isOfficial: false,
      origin: "test")
    file.architectures = [architecture]
    return file
  }

  private func catalog(
    _ architecture: String, _ files: [CatalogFile], versions: [String: String] = ["kube_version": "1.34.3"],
    template: String = "{{ image_arch }}"
  ) -> Catalog {
    Catalog(
      architecture: architecture, files: files, images: [], versions: versions,
      overrides: [
        CatalogVariable(name: "x_download_url", kind: .fileURL, template: template, value: architecture)
      ],
      warnings: ["the same for both"])
  }

  @Test func `Files are marked with those that need them, and what both need is there once`() throws {
    let joined = try Catalog(joining: [
      catalog(
        "amd64", [try file("https://h/amd64", "amd64"), try file("https://h/chart", "amd64", checksum: "a")]),
      catalog(
        "arm64",
        [try file("https://h/arm64", "arm64"), try file("https://h/chart", "arm64", isEnabled: true)]),
    ])
    #expect(joined.files.map(\.url) == ["https://h/amd64", "https://h/arm64", "https://h/chart"])
    #expect(joined.files.map(\.architectures) == [["amd64"], ["arm64"], ["amd64", "arm64"]])
    #expect(joined.files[2].checksum != nil && joined.files[2].isEnabled)
    #expect(joined.architecture == "amd64" && joined.overrides.map(\.value) == ["amd64"])
    #expect(joined.warnings == ["the same for both"])
  }

  @Test func `What one bundle can have one of only must be the same for both`() throws {
    let amd64 = catalog("amd64", [try file("https://h/chart", "amd64", checksum: "a")])
    for (other, name) in [
      (
        catalog("arm64", [try file("https://h/chart", "arm64", checksum: "b")]),
        "the checksum of https://h/chart"
      ),
      (
        catalog("arm64", [], versions: ["kube_version": "1.33.5"]),
        "kube_version is 1.34.3 for amd64 and 1.33.5"
      ),
      (catalog("arm64", [], template: "other"), "x_download_url is {{ image_arch }} for amd64"),
    ] {
      let error = #expect(throws: CatalogJoiningError.self) { try Catalog(joining: [amd64, other]) }
      #expect(error?.description.contains(name) == true)
    }
  }
}
