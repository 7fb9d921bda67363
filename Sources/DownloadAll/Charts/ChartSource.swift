import Bundle
import Cache
import Concurrency
import Files
import FoundationEssentials
import Host
import Integrity
import Kubespray
import SystemPackage
import Transfer
import YAML

/// The Helm charts of a run, each fetched once into the cache: a version of a chart never changes.
final class ChartSource: Sendable {
  private let downloads: Downloads
  private let cache: Cache
  private let lock: LockKeeper
  private let charts = Memos<CatalogChart, FetchedChart>()

  init(_ downloads: Downloads, cache: Cache, lock: LockKeeper) {
    self.lock = lock
    self.downloads = downloads
    self.cache = cache
  }

  /// A chart as its repository has it.
  ///
  /// - Throws: ``ChartError``.
  func chart(_ chart: CatalogChart) async throws -> FetchedChart {
    try await charts.value(of: chart) { [self] in
      do {
        return try await fetch(chart)
      } catch let error as ChartError {
        throw error
      } catch {
        throw ChartError(chart: chart, reason: "\(error)", cause: error)
      }
    }
  }

  private func fetch(_ chart: CatalogChart) async throws -> FetchedChart {
    let pinned = lock.chart(chart)
    guard pinned != nil || !lock.isLocked else {
      throw ChartError(chart: chart, reason: "it is not in the lock")
    }
    var key = CacheKey(["repository": chart.repository, "name": chart.name, "version": chart.version])
    if let pinned { key.add("pinned", "\(pinned.listing.url) \(pinned.sha256)") }
    let (chartName, listingName) = ("chart.tgz", "listing.json")
    let folder = try await cache.entry(.charts, "\(key)") { folder in
      let listing: ChartListing
      if let pinned { listing = pinned.listing } else { listing = try await self.listing(of: chart) }
      let file = folder.appending(chartName)
      let digest = pinned?.sha256 ?? listing.digest
      _ = try await downloads.bring(listing.url, to: file, digest: digest, for: .files)
      // Only what is a chart stays.
      _ = try FetchedChart(chart, listing, file: file)
      try writeAtomically(Array(try JSONEncoder().encode(listing)), to: folder.appending(listingName))
    }
    let listing = try JSONDecoder().decode(
      ChartListing.self, from: Data(try readBytes(folder.appending(listingName))))
    let fetched = try FetchedChart(chart, listing, file: folder.appending(chartName))
    lock.note(chart, listing, fetched.digest)
    return fetched
  }

  /// What the repository's index says of the chart.
  private func listing(of chart: CatalogChart) async throws -> ChartListing {
    let url = chart.repository + "/index.yaml"
    let answer = try await downloads.engine.response(
      to: HTTPRequest(url: downloads.remote.address(of: url), bodyLimit: ChartListing.limits.inputBytes))
    guard answer.head.status == 200 else {
      throw ChartError(
        chart: chart, reason: "\(url) was answered with status \(answer.head.status)",
        isAnswered: true)
    }
    return try ChartListing(chart, index: answer.body, url: url)
  }
}

/// One version of a chart in the index of its repository.
///
/// Source: Helm's documentation, "The Chart Repository Guide", the index file.
struct ChartListing: Codable, Sendable, Equatable {
  /// Where the chart is.
  let url: String
  /// The digest that the index tells.
  let digest: Digest?
  /// The version as the index writes it.
  let version: String

  /// The same with an address that may be written down.
  var withoutCredentials: ChartListing {
    ChartListing(url: hidingCredentials(url), digest: digest, version: version)
  }

  private init(url: String, digest: Digest?, version: String) {
    self.url = url
    self.digest = digest
    self.version = version
  }

  /// Indexes of large repositories have some megabytes.
  static let limits = YAMLLimits(inputBytes: 64 << 20, depth: 64, nodes: 4_000_000)

  /// - Throws: ``ChartError`` or `YAMLError`.
  init(_ chart: CatalogChart, index: [UInt8], url: String) throws {
    let document = try YAML.parse(bytes: index, source: url, limits: Self.limits)
    let versions = document?["entries"]?[chart.name]?.sequence ?? []
    guard
      let entry = versions.first(where: {
        Self.isSame($0["version"]?.string, chart.version)
      }), let place = entry["urls"]?.sequence?.first?.string, let version = entry["version"]?.string
    else {
      throw ChartError(chart: chart, reason: "\(url) does not list it")
    }
    self.version = version
    self.url = place.contains("://") ? place : "\(chart.repository)/\(place)"
    digest = try entry["digest"]?.string.map { try Digest($0.contains(":") ? $0 : "sha256:\($0)") }
  }

  /// Charts are asked for with and without a `v`.
  private static func isSame(_ left: String?, _ right: String) -> Bool {
    left?.drop { $0 == "v" } == right.drop { $0 == "v" }
  }
}

/// A chart that cannot be had.
struct ChartError: Error, CustomStringConvertible {
  let chart: CatalogChart
  let reason: String
  var cause: (any Error)?
  /// Whether the repository has answered, and has nothing of that name to give.
  var isAnswered = false

  /// Whether its repository says no, or says nothing.
  var isAboutAvailability: Bool {
    guard let cause else { return isAnswered }
    return (cause as? TransferError)?.kind.isAboutAvailability ?? false
  }

  var description: String {
    "the Helm chart \(chart.name) \(chart.version) of \(chart.repository) (\(chart.origin)): \(reason)"
  }
}
