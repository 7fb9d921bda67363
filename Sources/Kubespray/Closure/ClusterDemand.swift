import Bundle
import FoundationEssentials

/// What a cluster will ask for while kubespray installs it, with the bundle's offline.yml in its inventory.
public struct ClusterDemand: Sendable {
  /// How the nodes' container engine reaches registries.
  public struct Engine: Hashable, Sendable {
    /// The engine: `containerd`, `crio` or `docker`.
    public let name: String
    /// Registries, `HOST[:PORT]`, that it asks without TLS.
    public let plainRegistries: Set<String>
    /// Where it asks instead of a registry's own host, without a scheme, by host.
    public let mirrors: [String: Set<String>]
    /// The variable that says so.
    public let variable: String
  }

  /// Files, images and charts, at the addresses that nodes will use.
  public private(set) var catalog: Catalog
  /// The engines, one of each kind of host.
  public let engines: [Engine]
  /// What is wrong with the settings of Cilium's chart: variables, and what should be in them.
  public let chartProblems: [String: String]
}

extension ClusterDemand {
  /// - Parameters:
  ///   - catalog: Files, images and charts of all hosts.
  ///   - members: The hosts that speak for the cluster.
  init(_ catalog: Catalog, _ members: [HostEvaluation]) {
    engines = Set(members.compactMap { Engine($0.settings) }).sorted { $0.name < $1.name }
    self.catalog = catalog
    chartProblems = members.lazy.map { Self.ciliumProblems($0.settings) }.first { !$0.isEmpty } ?? [:]
  }

  /// Adds an image that a chart brings.
  public mutating func add(image reference: String, of chart: CatalogChart) {
    guard !catalog.images.contains(where: { $0.reference == reference }) else { return }
    catalog.images.append(
      CatalogImage(
        reference: reference, entries: [chart.release], isEnabled: chart.isEnabled, isOfficial: false,
        origin: chart.origin))
  }

  /// The images that kubeadm starts on every cluster and no variable of `downloads` names.
  static func kubeadmImages(_ settings: [String: String?]) -> [CatalogImage] {
    guard let base: String = decoded("kubeadm_image_repo", settings),
      let version: String = decoded("kube_version", settings)
    else { return [] }
    return ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"].compactMap { name in
      let text = "\(base)/\(name):v\(version.drop { $0 == "v" })"
      return ImageName.reference(text).map {
        CatalogImage(
          reference: $0, entries: [], isEnabled: true, isOfficial: true, origin: "kubeadm_image_repo")
      }
    }
  }

  /// Cilium's chart asks for digests that a bundle of some platforms cannot have, unless it is told not to.
  private static func ciliumProblems(_ settings: [String: String?]) -> [String: String] {
    guard let plugin: String = decoded("kube_network_plugin", settings), plugin == "cilium",
      let values: CiliumValues = decoded("cilium_extra_values", settings)
    else { return [:] }
    let pinned = [
      ("image", values.image), ("operator.image", values.operatorPart?.image),
      ("envoy.image", values.envoy?.image),
    ].filter { $0.1?.useDigest != false }.map(\.0)
    guard !pinned.isEmpty else { return [:] }
    return [
      "cilium_extra_values": "\(pinned.joined(separator: ", ")) must have useDigest: false"
    ]
  }

  /// Where Cilium's program will take its chart from, as its flags say (`cilium install --help`).
  static func ciliumFlags(
    _ settings: [String: String?]
  ) -> (repository: String?, hasOwnChart: Bool)? {
    guard let text: String = decoded("cilium_install_extra_flags", settings) else { return nil }
    let words = text.split(whereSeparator: { $0.isWhitespace || $0 == "=" })
    let place = words.firstIndex(of: "--repository").map { words.index(after: $0) }
    var repository = place.flatMap { words.indices.contains($0) ? words[$0] : nil }
    while let url = repository, url.hasSuffix("/") { repository = url.dropLast() }
    return (repository.map(String.init), words.contains("--chart-directory"))
  }

  private struct CiliumValues: Decodable {
    struct Image: Decodable { var useDigest: Bool? }
    struct Part: Decodable { var image: Image? }
    var image: Image?
    var operatorPart: Part?
    var envoy: Part?

    enum CodingKeys: String, CodingKey {
      case image
      case operatorPart = "operator"
      case envoy
    }
  }

  /// A setting's value, when it has the kind that is expected.
  static func decoded<Value: Decodable>(_ name: String, _ settings: [String: String?]) -> Value? {
    guard case let text?? = settings[name] else { return nil }
    return try? JSONDecoder().decode(Value.self, from: Data(text.utf8))
  }
}

extension ClusterDemand.Engine {
  private struct ContainerdMirror: Decodable {
    struct Host: Decodable { var host: String }
    var prefix: String
    var mirrors: [Host]?
  }

  private struct CRIORegistry: Decodable {
    struct Mirror: Decodable {
      var location: String
      var insecure: Bool?
    }
    var prefix: String?
    var location: String
    var insecure: Bool?
    var mirrors: [Mirror]?
  }

  /// - Parameter settings: The values of a host, as JSON texts by variable.
  init?(_ settings: [String: String?]) {
    guard let name: String = ClusterDemand.decoded("container_manager", settings) else { return nil }
    self.name = name
    var plain: Set<String> = []
    var mirrors: [String: Set<String>] = [:]
    switch name {
    case "containerd":
      variable = "containerd_registries_mirrors"
      let entries: [ContainerdMirror] = ClusterDemand.decoded(variable, settings) ?? []
      for entry in entries {
        for mirror in entry.mirrors ?? [] {
          let host = mirror.host.firstRange(of: "://").map { String(mirror.host[$0.upperBound...]) }
          let address = Self.trimmed(host ?? mirror.host)
          if mirror.host.hasPrefix("http://") { plain.insert(address) }
          mirrors[entry.prefix, default: []].insert(address)
        }
      }
    case "crio":
      variable = "crio_registries"
      let entries: [CRIORegistry] = ClusterDemand.decoded(variable, settings) ?? []
      for entry in entries {
        if entry.insecure == true { plain.insert(entry.location) }
        mirrors[entry.prefix ?? entry.location, default: []].insert(entry.location)
        for mirror in entry.mirrors ?? [] {
          if mirror.insecure == true { plain.insert(mirror.location) }
          mirrors[entry.prefix ?? entry.location, default: []].insert(mirror.location)
        }
      }
      plain.formUnion(ClusterDemand.decoded("crio_insecure_registries", settings) ?? [String]())
    default:
      variable = "docker_insecure_registries"
      plain.formUnion(ClusterDemand.decoded(variable, settings) ?? [String]())
      // dockerd has mirrors of Docker Hub alone.
      let hub: [String] = ClusterDemand.decoded("docker_registry_mirrors", settings) ?? []
      for url in hub {
        let host = url.firstRange(of: "://").map { String(url[$0.upperBound...]) } ?? url
        mirrors["docker.io", default: []].insert(Self.trimmed(host))
      }
    }
    plainRegistries = plain
    self.mirrors = mirrors
  }

  private static func trimmed(_ address: String) -> String {
    address.hasSuffix("/") ? String(address.dropLast()) : address
  }
}
