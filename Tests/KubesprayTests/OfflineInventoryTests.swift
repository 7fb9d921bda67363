import Bundle
import Kubespray
import Testing
import YAML

@Suite struct OfflineInventoryTests {
  private let catalog = Catalog(
    architecture: "amd64", files: [], images: [], versions: [:],
    overrides: [
      CatalogVariable(
        name: "containerd_download_url", kind: .fileURL,
        template:
          "{{ github_url }}/c/c/releases/download/v{{ v_version }}/c-{{ 'static-' if s | d(\"no\") }}{{ v_version }}.tar.gz",
        value: "https://github.com/c/c/releases/download/v1.2/c-1.2.tar.gz"),
      CatalogVariable(
        name: "kube_image_repo", kind: .imageBase, template: "registry.k8s.io", value: "registry.k8s.io"),
      CatalogVariable(
        name: "azure_csi_image_repo", kind: .imageBase, template: "mcr.microsoft.com/oss/csi",
        value: "mcr.microsoft.com/oss/csi"),
      CatalogVariable(name: "helper_image_repo", kind: .imageBase, template: "busybox", value: "busybox"),
    ], warnings: [])

  private func document(_ inventory: OfflineInventory) throws -> YAMLNode {
    try #require(try YAML.parse(try inventory.render(catalog), source: "offline.yml"))
  }

  @Test func `Every line is valid YAML with kubespray's own expressions`() throws {
    let layout = FileLayout(name: .kubesprayOffline)
    let inventory = OfflineInventory(
      version: try KubesprayVersion("2.30.0"), layout: layout, registryPort: 5001)
    let document = try document(inventory)
    #expect(document["http_server"]?.string == "http://YOUR_HOST")
    #expect(document["registry_host"]?.string == "YOUR_HOST:5001")
    #expect(document["files_repo"]?.string == "{{ http_server }}/files")
    #expect(
      document["containerd_download_url"]?.string
        == "{{ files_repo }}/c-{{ 'static-' if s | d(\"no\") }}{{ v_version }}.tar.gz")
    let mirror = try #require(document["containerd_registries_mirrors"]?.sequence?.first)
    #expect(mirror["prefix"]?.string == "{{ registry_host }}")
    #expect(mirror["mirrors"]?.sequence?.first?["skip_verify"]?.bool == true)
    #expect(try inventory.render(catalog).contains("kubespray 2.30.0"))
  }

  @Test func `Image bases agree with the names that images are pushed under`() throws {
    let version = try KubesprayVersion("2.30.0")
    let layout = FileLayout(name: .original)
    let usual = try document(OfflineInventory(version: version, layout: layout))
    #expect(usual["kube_image_repo"]?.string == "{{ registry_host }}")
    #expect(usual["azure_csi_image_repo"]?.string == "{{ registry_host }}/mcr.microsoft.com/oss/csi")
    #expect(usual["helper_image_repo"]?.string == "{{ registry_host }}/library/busybox")
    let stripping = OfflineInventory(
      version: version, layout: layout,
      strippedRegistries: ImageReference.strippedRegistries.union(["mcr.microsoft.com"]))
    #expect(try document(stripping)["azure_csi_image_repo"]?.string == "{{ registry_host }}/oss/csi")
    let image = try ImageReference("mcr.microsoft.com/oss/csi/a:1")
    #expect(image.pushName(strippedRegistries: stripping.strippedRegistries) == "oss/csi/a:1")
  }
}
