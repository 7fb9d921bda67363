/// Renders offline.yml: the inventory overrides that make one kubespray use this bundle's servers.
///
/// It has a line for every variable of that kubespray version that points to the internet and none that the
/// version does not know, since both come from the same ``Catalog``. `YOUR_HOST` is filled in on the target.
public struct OfflineInventory: Sendable {
  /// The registry hosts that images lose when they are pushed to the bundle's registry; other hosts stay as the
  /// first part of the name.
  public static let strippedRegistries: Set<String> = [
    "registry.k8s.io", "k8s.gcr.io", "gcr.io", "ghcr.io", "docker.io", "quay.io",
  ]

  /// The kubespray version, for the header.
  public let version: KubesprayVersion
  /// The file layout that the bundle uses.
  public let layout: FileLayout
  /// The TCP port of the bundle's registry on the admin node.
  public let registryPort: Int
  /// The registry hosts that images lose when pushed.
  public let strippedRegistries: Set<String>

  /// Makes a renderer.
  ///
  /// - Parameter additionalRegistries: Hosts beside ``strippedRegistries`` that images lose when pushed (setting
  ///   of the shell project's `ADDITIONAL_CONTAINER_REGISTRY_LIST`).
  public init(
    version: KubesprayVersion, layout: FileLayout, registryPort: Int = 35000,
    additionalRegistries: [String] = []
  ) {
    self.version = version
    self.layout = layout
    self.registryPort = registryPort
    strippedRegistries = Self.strippedRegistries.union(additionalRegistries)
  }

  /// The text of offline.yml.
  ///
  /// - Throws: ``FileLayoutError`` when a URL of the catalog has no place in the bundle.
  public func render(_ catalog: Catalog) throws(FileLayoutError) -> String {
    var lines = header
    lines += [
      "", "# Registries: images are in the bundle's registry under their name without the public host.",
    ]
    for variable in catalog.overrides where variable.kind == .imageBase {
      lines.append("\(variable.name): \(quoted(imageBase(variable.value)))")
    }
    lines += ["", "# Files: the path of each file in the bundle."]
    for variable in catalog.overrides where variable.kind == .fileURL {
      let place = try layout.placement(url: variable.value, template: variable.template)
      lines.append("\(variable.name): \(quoted("{{ files_repo }}/\(place.template)"))")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The name that an image reference has behind the bundle's registry: `docker.io/library/nginx:1` becomes
  /// `library/nginx:1`.
  public func pushName(_ reference: String) -> String {
    guard let slash = reference.firstIndex(of: "/"),
      strippedRegistries.contains(String(reference[..<slash]))
    else { return reference }
    return String(reference[reference.index(after: slash)...])
  }

  private func imageBase(_ value: String) -> String {
    if strippedRegistries.contains(value) { return "{{ registry_host }}" }
    return "{{ registry_host }}/\(pushName(ImageName.expanded(value)))"
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
      "# The bundle's registry speaks plain HTTP.",
      "containerd_registries_mirrors:",
      "  - prefix: \"{{ registry_host }}\"",
      "    mirrors:",
      "      - host: \"http://{{ registry_host }}\"",
      "        capabilities: [\"pull\", \"resolve\"]",
      "        skip_verify: true",
      "",
      "files_repo: \"{{ http_server }}/files\"",
      "yum_repo: \"{{ http_server }}/rpms\"",
      "ubuntu_repo: \"{{ http_server }}/debs\"",
      "debian_repo: \"{{ http_server }}/debs\"",
    ]
  }

  /// A YAML double-quoted scalar (YAML 1.2, section 7.3.1).
  private func quoted(_ text: String) -> String {
    var result = "\""
    for character in text {
      if character == "\"" || character == "\\" { result.append("\\") }
      result.append(character)
    }
    return result + "\""
  }
}
