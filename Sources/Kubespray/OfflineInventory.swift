import Bundle
import YAML

/// Renders offline.yml: the inventory overrides that make one kubespray use this bundle's servers.
///
/// It has a line for every variable of that kubespray version that points to the internet and none that the
/// version does not know, since both come from the same ``Catalog``. `YOUR_HOST` is filled in on the target.
public struct OfflineInventory: Sendable {
  /// The kubespray version, for the header.
  public let version: KubesprayVersion
  /// The file layout that the bundle uses.
  public let layout: FileLayout
  /// The TCP port of the bundle's registry on the admin host.
  public let registryPort: Int
  /// The registry hosts that images lose when pushed.
  public let strippedRegistries: Set<String>
  /// The registries of the bundle's images that the catalog does not name.
  public let furtherRegistries: Set<String>

  /// Makes a renderer.
  public init(
    version: KubesprayVersion, layout: FileLayout, registryPort: Int = 35000,
    strippedRegistries: Set<String> = ImageReference.strippedRegistries,
    furtherRegistries: Set<String> = []
  ) {
    self.version = version
    self.layout = layout
    self.registryPort = registryPort
    self.strippedRegistries = strippedRegistries
    self.furtherRegistries = furtherRegistries
  }

  /// The text of offline.yml.
  ///
  /// - Throws: ``FileLayoutError`` when a URL of the catalog has no place in the bundle.
  public func render(_ catalog: Catalog) throws(FileLayoutError) -> String {
    var lines = header + engines(catalog).lines
    lines += [
      "", "# Registries: images are in the bundle's registry under their name without the public host.",
    ]
    for variable in catalog.overrides where variable.kind == .imageBase {
      lines.append("\(variable.name): \(YAML.quoted(imageBase(variable.value)))")
    }
    lines += ["", "# Files: the path of each file in the bundle."]
    for variable in catalog.overrides where variable.kind == .fileURL {
      let place = try layout.placement(url: variable.value, template: variable.template)
      lines.append("\(variable.name): \(YAML.quoted("{{ files_repo }}/\(place.template)"))")
    }
    lines += chartLines(catalog)
    return lines.joined(separator: "\n") + "\n"
  }

  /// What stands for a registry, or for a repository in one, when images come from the bundle's registry. Here
  /// `gke.gcr.io`, without a path, is a registry, not Docker Hub's image of that name.
  private func imageBase(_ value: String) -> String {
    if !value.contains("/"), value.contains(".") || value.contains(":") || value == "localhost" {
      if strippedRegistries.contains(value) { return "{{ registry_host }}" }
      return "{{ registry_host }}/\(ImageReference.pushComponent(value))"
    }
    let name = ImageReference.completed(value)
    let repository = ImageReference.pushRepository(
      registry: name.registry, repository: name.repository, strippedRegistries: strippedRegistries)
    return "{{ registry_host }}/\(repository)"
  }

  /// What the container engines are told, with the registries that any image of the bundle comes from.
  private func engines(_ catalog: Catalog) -> EngineSettings {
    let named = catalog.images.compactMap { try? ImageReference($0.reference).registry }
    let bases = catalog.overrides.filter { $0.kind == .imageBase && $0.value.contains("/") }
      .map { ImageReference.completed($0.value).registry }
    return EngineSettings(
      stripped: strippedRegistries,
      kept: furtherRegistries.union(named).union(bases).subtracting(strippedRegistries))
  }

  private func chartLines(_ catalog: Catalog) -> [String] {
    var lines: [String] = []
    for variable in catalog.overrides {
      let place = "{{ files_repo }}/\(CatalogChart.folder(of: variable.value))"
      switch variable.kind {
      case .chartRepository: lines.append("\(variable.name): \(YAML.quoted(place))")
      case .chartFlags: lines.append("\(variable.name): \(YAML.quoted("--repository \(place)"))")
      case .ciliumValues:
        lines += [
          "# The chart would ask for images by the digest of their index, of which the bundle has only its platforms.",
          "\(variable.name):",
          "  image: {useDigest: false}",
          "  operator: {image: {useDigest: false}}",
          "  certgen: {image: {useDigest: false}}",
          "  envoy: {image: {useDigest: false}}",
          "  hubble:",
          "    relay: {image: {useDigest: false}}",
          "    ui: {backend: {image: {useDigest: false}}, frontend: {image: {useDigest: false}}}",
        ]
      case .fileURL, .imageBase: continue
      }
    }
    return lines.isEmpty ? [] : ["", "# Helm charts: the bundle's own chart repositories."] + lines
  }

  private var header: [String] {
    [
      "# Overrides for an offline installation with kubespray \(version).",
      "# Copy this file into group_vars/all/ of your inventory. Where YOUR_HOST still stands, write the address",
      "# of the host that runs the bundle's web server and registry.",
      "",
      "http_server: \"http://YOUR_HOST\"",
      "registry_host: \"YOUR_HOST:\(registryPort)\"",
      "",
      "files_repo: \"{{ http_server }}/files\"",
      "yum_repo: \"{{ http_server }}/rpms\"",
      "ubuntu_repo: \"{{ http_server }}/debs\"",
      "debian_repo: \"{{ http_server }}/debs\"",
    ]
  }
}
