import Bundle
import Host
import Integrity
import Kubespray

/// Holds what a cluster will ask for against what a bundle holds.
struct ClosureCheck {
  /// The name that stands for the admin host in the offline.yml that was evaluated.
  static let host = "admin-node.invalid"

  private let contents: BundleContents
  private let registryAddress: String
  /// The images of the bundle, by the name under which its registry serves them.
  private let served: [String: ImageReference]
  /// The digest of a file of the bundle by another algorithm than SHA-256, when it can be read.
  private let digest: (String, DigestAlgorithm) -> Digest?

  /// What is no gap when it is not in the bundle.
  private let dispensable: Dispensable
  /// Where the files lie whose addresses the user's inventory sets, by these addresses.
  private let replaced: [String: String]

  private(set) var missing: [ClosureProof.Missing] = []
  private(set) var files: Set<String> = []
  private(set) var images: Set<String> = []
  private(set) var charts: Set<String> = []
  /// The variables by which the inventory would lead nodes past the bundle, by the host that they would ask.
  private(set) var detours: [String: Set<String>] = [:]

  /// - Parameters:
  ///   - registryPort: The port of the bundle's registry.
  ///   - strippedRegistries: The hosts that images lose when they are pushed.
  ///   - dispensable: What may be left out.
  ///   - replaced: Where the files lie whose addresses the user's inventory sets, by these addresses.
  ///   - digest: Reads a file of the bundle.
  init(
    _ contents: BundleContents, registryPort: Int, strippedRegistries: Set<String>,
    dispensable: Dispensable = Dispensable(), replaced: [String: String] = [:],
    digest: @escaping (String, DigestAlgorithm) -> Digest?
  ) {
    self.contents = contents
    self.dispensable = dispensable
    self.replaced = replaced
    self.digest = digest
    registryAddress = "\(Self.host):\(registryPort)"
    served = Dictionary(
      contents.images.map { ($0.pushName(strippedRegistries: strippedRegistries), $0) },
      uniquingKeysWith: { first, _ in first })
  }

  /// The text of a bundle's offline.yml as the admin host would have it.
  static func filled(_ offline: String) -> String { offline.replacing("YOUR_HOST", with: host) }

  /// Checks files, charts and, unless they were left out, images.
  ///
  /// - Parameter all: Whether what this cluster does not use must be there too.
  mutating func check(_ demand: ClusterDemand, all: Bool, withImages: Bool) {
    for file in demand.catalog.files where all || file.isEnabled { check(file) }
    for chart in demand.catalog.charts where all || chart.isEnabled { check(chart) }
    for (variable, problem) in demand.chartProblems.sorted(by: { $0.key < $1.key }) {
      add("cilium", variable, "images by tag", problem)
    }
    guard withImages else { return }
    for engine in demand.engines where !engine.plainRegistries.contains(registryAddress) {
      add(
        engine.name, engine.variable, "http://\(registryAddress)",
        "\(engine.name) would insist on TLS, which the bundle's registry does not speak")
    }
    for image in demand.catalog.images where all || image.isEnabled { check(image, demand.engines) }
  }

  private mutating func check(_ file: CatalogFile) {
    let component = file.entries.first ?? file.origin
    let variable = file.variable ?? file.origin
    guard let path = path(of: file.url) ?? detour(file.url, variable) else {
      return add(component, variable, file.url, outside(file.url))
    }
    files.insert(path)
    guard let known = contents.files[path] else {
      if dispensable.files[path] != nil { return }
      return add(component, variable, file.url, "the bundle has no \(path)")
    }
    guard let expected = file.checksum else { return }
    let actual = known?.algorithm == expected.algorithm ? known : digest(path, expected.algorithm)
    if let actual, actual != expected {
      add(component, variable, file.url, "\(path) has \(actual), and kubespray will insist on \(expected)")
    }
  }

  /// A sentence for each server to which the inventory would lead nodes past the bundle.
  var detourRemarks: [String] {
    detours.sorted { $0.key < $1.key }.map { server, variables in
      let names = variables.sorted()
      let shown = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", … (\(names.count))" : "")
      return
        "With this inventory nodes would ask \(server) and not the bundle, which has the files: it sets \(shown). Leave "
        + "that out of the inventory of the machines without internet."
    }
  }

  private mutating func check(_ chart: CatalogChart) {
    let wanted = "\(chart.name) \(chart.version) of \(chart.repository)"
    charts.insert(wanted)
    // Of what a program fetches by itself, the option that sends it here is checked with the settings.
    guard let folder = path(of: chart.repository + "/index.yaml") else {
      return add(chart.release, chart.origin, wanted, outside(chart.repository))
    }
    let place = folder.dropLast("/index.yaml".count)
    let version = chart.version.drop { $0 == "v" }
    let names = ["\(place)/\(chart.name)-\(version).tgz", "\(place)/\(chart.name)-v\(version).tgz"]
    guard contents.files[folder] != nil, names.contains(where: { contents.files[$0] != nil }) else {
      if dispensable.charts[chart.name] != nil { return }
      return add(chart.release, chart.origin, wanted, "the bundle has no \(names[0]) or no index beside it")
    }
  }

  private mutating func check(_ image: CatalogImage, _ engines: [ClusterDemand.Engine]) {
    let component = image.entries.first ?? image.origin
    images.insert(image.reference)
    guard let reference = try? ImageReference(image.reference) else {
      return add(component, image.origin, image.reference, "it is not a valid image reference")
    }
    let name = reference.repository + suffix(reference)
    if reference.registry == registryAddress {
      if served[name] == nil, dispensable.images[name] == nil {
        add(component, image.origin, image.reference, "the bundle has no image \(name)")
      }
      return
    }
    guard let folder = folder(for: reference.registry, engines) else {
      return add(component, image.origin, image.reference, outside("//\(reference.registry)/"))
    }
    let place = folder + name
    if served[place] == nil, dispensable.images[place] == nil {
      add(component, image.origin, image.reference, "the bundle has no image \(place) in place of it")
    }
  }

  /// What engines put before the repositories of another registry when they ask the admin host for them, such as
  /// `mcr.microsoft.com/`; `nil` when they do not ask there.
  private func folder(for registry: String, _ engines: [ClusterDemand.Engine]) -> String? {
    for address in engines.flatMap({ $0.mirrors[registry] ?? [] }) {
      if address == registryAddress { return "" }
      guard address.hasPrefix(registryAddress + "/") else { continue }
      let path = address.dropFirst(registryAddress.count + 1)
      return (path.hasPrefix("v2/") ? path.dropFirst("v2/".count) : path) + "/"
    }
    return nil
  }

  /// How the reference ends where a registry serves it: a digest counts more than a tag.
  private func suffix(_ reference: ImageReference) -> String {
    (reference.tag.map { ":\($0)" } ?? "") + (reference.digest.map { "@\($0)" } ?? "")
  }

  /// The place in the bundle that the admin host's web server answers a URL with; `nil` for another server.
  private func path(of url: String) -> String? {
    let base = "http://\(Self.host)/"
    guard url.hasPrefix(base) else { return nil }
    let path = url.dropFirst(base.count).prefix { $0 != "?" && $0 != "#" }
    return percentDecoded(path) ?? String(path)
  }

  /// The place of a file that the inventory fetches from an address of its own: the bundle has it, and the inventory leads
  /// past it.
  private mutating func detour(_ url: String, _ variable: String) -> String? {
    guard let path = replaced[url] else { return nil }
    detours[Self.server(of: url), default: []].insert(variable)
    return path
  }

  private func outside(_ url: String) -> String {
    "it would be requested from \(Self.server(of: url)), not from the admin host"
  }

  /// The host of a URL, with its port.
  private static func server(of url: String) -> String {
    let address = (url.firstRange(of: "//").map { url[$0.upperBound...] } ?? url[...]).prefix { $0 != "/" }
    return String(address.split(separator: "@").last ?? address)
  }

  private mutating func add(_ component: String, _ variable: String, _ wanted: String, _ reason: String) {
    let found = ClosureProof.Missing(
      component: component, variable: variable, wanted: hidingCredentials(wanted), reason: reason)
    if !missing.contains(found) { missing.append(found) }
  }
}
