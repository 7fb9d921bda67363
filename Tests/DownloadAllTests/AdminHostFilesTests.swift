import Bundle
import Kubespray
import Settings
import Testing

@testable import DownloadAll

/// The programs of the admin host in other versions than kubespray's.
@Suite struct AdminHostFilesTests {
  @Test func `Another version is carried for every architecture of the bundle`() {
    let files = ["amd64", "arm64"].map { architecture in
      CatalogFile(
        url: "https://github.com/opencontainers/runc/releases/download/v1.3.4/runc.\(architecture)",
        checksum: nil,
        variable: "runc_download_url", template: nil, entries: ["runc"], isEnabled: true, isOfficial: true,
        origin: "downloads.runc")
    }
    let catalog = Catalog(
      architecture: "amd64", files: files, images: [], versions: ["runc_version": "1.3.4"], overrides: [],
      warnings: [])
    var versions = Configuration().versions
    #expect(AdminHostFiles(versions).files(in: catalog).isEmpty)
    versions.runc = "1.3.5"
    #expect(
      AdminHostFiles(versions).files(in: catalog).map(\.url)
        == files.map { $0.url.replacing("1.3.4", with: "1.3.5") })
  }
}
