import Bundle
import Kubespray
import Settings

/// What a bundle may be without, each with the choice for which it is then not enough.
struct Dispensable: Sendable {
  /// By path in the bundle.
  private(set) var files: [String: String] = [:]
  /// By the name under which the bundle's registry would serve it.
  private(set) var images: [String: String] = [:]
  /// By the chart's name.
  private(set) var charts: [String: String] = [:]

  /// Nothing may be left out.
  init() {}

  /// What of a catalog may be left out.
  ///
  /// - Parameter chartImages: The images that a chart brings, where the chart is known.
  init(
    _ catalog: Catalog, _ configuration: Configuration,
    chartImages: (CatalogChart) async -> [ImageReference]
  ) async {
    guard !configuration.kubespray.strict else { return }
    let stripped = configuration.registry.stripped
    let places = (try? FileLayout(name: configuration.fileLayout).placements(of: catalog.files)) ?? [:]
    for file in catalog.files {
      if let choice = file.choice, let place = places[file.url] { files["files/\(place.path)"] = choice }
    }
    for chart in catalog.charts {
      guard let choice = chart.choice else { continue }
      charts[chart.name] = choice
      for image in await chartImages(chart) { images[image.pushName(strippedRegistries: stripped)] = choice }
    }
    var needed: Set<String> = []
    for image in catalog.images {
      guard let reference = try? ImageReference(image.reference) else { continue }
      let name = reference.pushName(strippedRegistries: stripped)
      if let choice = image.choice { images[name] = choice } else { needed.insert(name) }
    }
    for name in needed { images[name] = nil }
  }

  /// One sentence for each choice for which a bundle is not enough.
  ///
  /// - Parameter served: The names of the images that the bundle has.
  func remarks(on contents: BundleContents, served: Set<String>, withImages: Bool) -> [String] {
    var lacking: [String: [String]] = [:]
    for (path, choice) in files where contents.files[path] == nil {
      lacking[choice, default: []].append(path)
    }
    for (name, choice) in images where withImages && !served.contains(name) {
      lacking[choice, default: []].append(name)
    }
    for (name, choice) in charts where !contents.files.keys.contains(where: { $0.contains("/\(name)-") }) {
      lacking[choice, default: []].append("the Helm chart \(name)")
    }
    return lacking.sorted { $0.key < $1.key }.map { choice, things in
      let names = things.sorted()
      let shown = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", … (\(names.count))" : "")
      return "The bundle is not enough for \(choice), which nobody has asked for: it lacks \(shown)."
    }
  }
}
