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

  @Test func `containerd asks the bundle's registry for every image, and nobody else`() throws {
    let inventory = OfflineInventory(
      version: try KubesprayVersion("2.30.0"), layout: FileLayout(name: .original),
      furtherRegistries: ["Chart.example:5000", "quay.io"])
    let document = try document(inventory)
    let mirrors = try #require(document["containerd_registries_mirrors"]?.sequence)
    func entry(_ prefix: String) throws -> (server: String?, host: String?, overrides: Bool?) {
      let found = mirrors.filter { $0["prefix"]?.string == prefix }
      #expect(found.count == 1, "\(prefix)")
      let mirror = found.first?["mirrors"]?.sequence?.first
      return (
        found.first?["server"]?.string, mirror?["host"]?.string, mirror?["override_path"]?.bool
      )
    }
    let usual = "http://{{ registry_host }}"
    for prefix in ["{{ registry_host }}", "docker.io", "quay.io"] {
      #expect(try entry(prefix) == (usual, usual, false))
    }
    #expect(
      try entry("mcr.microsoft.com") == (
        usual + "/v2/mcr.microsoft.com", usual + "/v2/mcr.microsoft.com", true
      ))
    #expect(try entry("Chart.example:5000").host == usual + "/v2/chart.example-5000")
    #expect(try entry("_default") == (usual + "/v2/other-registries", nil, nil))
    for mirror in mirrors {
      let server = try #require(mirror["server"]?.string)
      #expect(server.hasPrefix(usual) || server.hasPrefix("http://localhost:"), "\(server)")
    }
    let crio = try #require(document["crio_registries"]?.sequence)
    let places = crio.map { [$0["prefix"]?.string, $0["location"]?.string] }
    #expect(places.contains(["mcr.microsoft.com", "{{ registry_host }}/mcr.microsoft.com"]))
    #expect(places.contains(["docker.io", "{{ registry_host }}"]))
    #expect(crio.allSatisfy { $0["unqualified"]?.bool == false }, "kubespray's role stops without it")
  }
}
