import Archive
import Bundle
import Integrity
import Kubespray
import SystemPackage
import YAML

/// A chart in the cache, and what it says of itself.
struct FetchedChart: Sendable {
  let chart: CatalogChart
  let listing: ChartListing
  let file: FilePath
  /// The images that its own values name: `Chart.yaml` and `values.yaml` tell them where a template does not.
  let images: [ImageReference]
  /// The digest of the file.
  let digest: Digest
  private let appVersion: String?

  /// - Throws: ``ChartError`` when the file is not a chart; `ArchiveError`, `YAMLError` or `Errno`.
  init(_ chart: CatalogChart, _ listing: ChartListing, file: FilePath) throws {
    self.chart = chart
    self.listing = listing
    self.file = file
    let listed = listing.digest.flatMap { $0.algorithm == .sha256 ? $0 : nil }
    digest = try listed ?? Digest(ofFile: file)
    var texts: [String: [UInt8]] = [:]
    let wanted = ["\(chart.name)/Chart.yaml", "\(chart.name)/values.yaml"]
    try ArchiveReader.visit(file) { entry, content in
      if wanted.contains(entry.path) { texts[entry.path] = try content.bytes(limit: 8 << 20) }
      return texts.count == wanted.count ? .stop : .next
    }
    guard let about = texts[wanted[0]], let description = try YAML.parse(bytes: about, source: wanted[0])
    else { throw ChartError(chart: chart, reason: "\(listing.url) has no \(wanted[0])") }
    appVersion = description["appVersion"]?.string
    let values = try texts[wanted[1]].flatMap { try YAML.parse(bytes: $0, source: wanted[1]) }
    images = chart.hasOwnImages ? [] : Self.images(in: values, appVersion: appVersion)
  }

  /// The artifacts that serve it: the chart, and an index that names only this one.
  func artifacts() throws -> [Artifact] {
    let name = "\(chart.name)-\(listing.version).tgz"
    let place = "files/\(chart.folder)"
    let chartFile = Artifact(
      path: try BundlePath("\(place)/\(name)"), source: .local(file, origin: listing.url), stage: .files,
      digest: listing.digest,
      verification: Verification(
        listing.digest == nil ? .nobody : .repository,
        over: .init(url: listing.digest == nil ? listing.url : chart.repository)))
    var index = ["apiVersion: v1", "entries:", "  \(quoted(chart.name)):", "  - apiVersion: v2"]
    index += ["    name: \(quoted(chart.name))", "    version: \(quoted(listing.version))"]
    if let appVersion { index.append("    appVersion: \(quoted(appVersion))") }
    index += ["    digest: \(digest.hex)", "    urls: [\(quoted(name))]"]
    let indexFile = Artifact(
      path: try BundlePath("\(place)/index.yaml"),
      source: .generated(Array((index.joined(separator: "\n") + "\n").utf8)), stage: .files,
      verification: .generated)
    return [chartFile, indexFile]
  }

  private func quoted(_ text: String) -> String {
    "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
  }

  /// Mappings with a repository, and a tag or, as charts are begun by `helm create`, none: it is then the version of
  /// the application.
  static func images(in values: YAMLNode?, appVersion: String?) -> [ImageReference] {
    guard let values else { return [] }
    var found: [ImageReference] = []
    if let repository = values["repository"]?.string, !repository.contains("://") {
      let registry = values["registry"]?.string.map { $0.isEmpty ? "" : "\($0)/" } ?? ""
      let tag = values["tag"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? appVersion
      if let tag, let image = try? ImageReference("\(registry)\(repository):\(tag)") { found.append(image) }
    }
    for entry in values.mapping?.entries ?? [] { found += images(in: entry.value, appVersion: appVersion) }
    for item in values.sequence ?? [] { found += images(in: item, appVersion: appVersion) }
    return found
  }
}
