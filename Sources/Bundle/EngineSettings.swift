/// The lines of offline.yml that make each container engine ask the bundle's registry, and nobody else: for what has its
/// name, and for what is named by a public host, as in charts, in manifests of one's own, and in kubespray's templates.
public struct EngineSettings: Sendable {
  /// The hosts that images lose when they are pushed.
  public let stripped: Set<String>
  /// The hosts that stay as the first part of the name.
  public let kept: Set<String>

  /// The place below the registry's `/v2/` that stands for all registries without an entry; nothing is there.
  public static let otherRegistries = "other-registries"

  private static let registry = "{{ registry_host }}"
  private static let others = "  - prefix: \"_default\""
  private static let afterCRIO = "crio_insecure_registries:"

  /// Settings for images of these hosts.
  public init(stripped: Set<String>, kept: Set<String>) {
    self.stripped = stripped
    self.kept = kept.subtracting(stripped)
  }

  /// The lines.
  public var lines: [String] {
    ["", "# The bundle's registry speaks plain HTTP, and stands for the public ones too."] + containerd + crio
      + docker
  }

  /// The lines of an offline.yml with entries for further hosts.
  ///
  /// - Parameters:
  ///   - lines: The lines of the file, those of ``EngineSettings/lines`` among them.
  ///   - kept: Hosts of images that keep them in their names; those that have an entry already are passed over.
  ///   - own: Registries that nodes ask themselves, and whether they speak plain HTTP.
  public static func completed(_ lines: [String], kept: Set<String>, own: [(host: String, isPlain: Bool)])
    -> [String]
  {
    let known = Set(lines.filter { $0.hasPrefix("  - prefix: ") })
    let new = kept.filter { !known.contains(Self.prefix($0)) }.sorted()
    return lines.flatMap { line -> [String] in
      if line == others { return new.flatMap(Self.containerd) + own.flatMap(Self.own) + [line] }
      return line.hasPrefix(afterCRIO) ? new.flatMap(Self.crio) + [line] : [line]
    }
  }

  /// Variables of kubespray's role `container-engine/containerd`, whose template writes a `hosts.toml` for each entry.
  ///
  /// `server` is whom containerd asks when no mirror has the image; without it, that is the public host. An image of one
  /// host must not stand in for one of another, so where their names could meet, `server` has a path at which there is
  /// nothing: `/v2` is put behind a path unless there is `override_path` (containerd's docs/hosts.md).
  private var containerd: [String] {
    // The registry that kubespray can install in the cluster, as nodes reach it.
    let inCluster = "localhost:{{ registry_port | default(5000) }}"
    return ["containerd_registries_mirrors:"]
      + ([Self.registry] + stripped.sorted()).flatMap { Self.containerd($0, path: "") }
      + kept.sorted().flatMap(Self.containerd) + Self.own(inCluster, isPlain: true) + [
        "  # Any other registry: the bundle's answers that it has no such image. A registry of your own network gets an",
        "  # entry by target-setup's setting registry.own.",
        Self.others, "    server: \(Self.quoted("http://\(Self.registry)/v2/\(Self.otherRegistries)"))",
        "    mirrors: []",
      ]
  }

  private static func containerd(_ host: String) -> [String] {
    containerd(host, path: "/v2/\(ImageReference.pushComponent(host))")
  }

  private static func containerd(_ host: String, path: String) -> [String] {
    let place = quoted("http://\(registry)\(path)")
    return [
      prefix(host), "    server: \(place)", "    mirrors:", "      - host: \(place)",
      "        capabilities: [\"pull\", \"resolve\"]", "        override_path: \(!path.isEmpty)",
      "        skip_verify: true",
    ]
  }

  private static func own(_ host: String, isPlain: Bool) -> [String] {
    [
      prefix(host), "    server: \(quoted("\(isPlain ? "http" : "https")://\(host)"))", "    mirrors: []",
    ]
  }

  /// Variables of kubespray's role `container-engine/cri-o`. A location takes the place of the prefix, and nobody is asked
  /// beside it (containers-registries.conf(5)). A registry without an entry is asked itself: there is no entry for all. Each
  /// entry says whether names without a host are looked for there: the role's template stops at one that does not.
  private var crio: [String] {
    ["crio_registries:"]
      + ([Self.registry] + stripped.sorted()).flatMap { Self.crio($0, location: Self.registry) }
      + kept.sorted().flatMap(Self.crio) + ["\(Self.afterCRIO) [\(Self.quoted(Self.registry))]"]
  }

  private static func crio(_ host: String) -> [String] {
    crio(host, location: "\(registry)/\(ImageReference.pushComponent(host))")
  }

  private static func crio(_ host: String, location: String) -> [String] {
    [prefix(host), "    location: \(quoted(location))", "    insecure: true", "    unqualified: false"]
  }

  private static func prefix(_ host: String) -> String { "  - prefix: \(quoted(host))" }

  /// A scalar of YAML; hosts have nothing that would have to be escaped.
  private static func quoted(_ text: String) -> String { "\"\(text)\"" }

  /// Docker has mirrors of Docker Hub alone, and asks Docker Hub when they do not have an image.
  private var docker: [String] {
    [
      "docker_insecure_registries: [\(Self.quoted(Self.registry))]",
      "docker_registry_mirrors: [\(Self.quoted("http://\(Self.registry)"))]",
    ]
  }
}
