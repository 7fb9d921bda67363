import Bundle
import Console
import Host
import Kubespray
import Settings

/// Wants every file that kubespray downloads, and what makes kubespray find them in the bundle: offline.yml.
struct FilesStage: Stage {
  let configuration: Configuration
  let kubespray: KubesprayWorkshop
  let charts: ChartSource
  let remote: RemoteFiles
  let events: StageEvents

  func artifacts() async throws -> [Artifact] {
    let source = try await kubespray.source()
    let version = source.copy.version
    let checked = Verification(.kubespray, over: channel(of: source))
    let catalog = try await kubespray.catalog()
    let selected = catalog.selecting(configuration.kubespray.selection)
    let layout = FileLayout(name: configuration.fileLayout)
    let files = selected.files + AdminHostFiles(configuration.versions).files(in: catalog)
    let places = try layout.placements(of: files)
    var artifacts: [Artifact] = []
    for file in files {
      guard let place = places[file.url] else { continue }
      artifacts.append(
        Artifact(
          path: try BundlePath("files/\(place.path)"), source: .url(file.url), stage: .files,
          digest: file.checksum,
          verification: file.checksum == nil ? remote.verification(of: file.url) : checked,
          purpose: purpose(file.choice)))
    }
    let carried = try await self.artifacts(of: selected.charts)
    artifacts += carried
    let inventory = OfflineInventory(
      version: version, layout: layout, registryPort: configuration.registry.port,
      strippedRegistries: configuration.registry.stripped,
      furtherRegistries: await registries(of: selected.charts))
    let added = try Additions(in: configuration.outputs).entries(of: .file).map {
      try AdditionRun.file($0.name, $0.sha256, layout, remote)
    }
    artifacts += added.filter { new in !artifacts.contains { $0.path == new.path && $0.source == new.source }
    }
    let urls = files.map(\.url) + (carried + added).compactMap(\.recordedOrigin)
    let list = Set(urls.map { hidingCredentials($0) }).sorted().joined(separator: "\n") + "\n"
    artifacts.append(try generated("files/files.list", list))
    artifacts.append(try generated("offline.yml", try inventory.render(catalog)))
    return artifacts
  }

  /// What something would be for that may be left out.
  private func purpose(_ choice: String?) -> String? { configuration.kubespray.strict ? nil : choice }

  /// How kubespray's own checksums came.
  private func channel(of source: KubesprayWorkshop.Source) -> Verification.Channel {
    if source.copy.isKnownRelease || source.repository == ManifestSource.local { return .proved }
    return Verification.Channel(url: source.origin.map(remote.address) ?? source.repository)
  }

  /// The registries of the images that charts bring.
  private func registries(of charts: [CatalogChart]) async -> Set<String> {
    var found: Set<String> = []
    for chart in charts where !chart.hasOwnImages {
      found.formUnion((try? await self.charts.chart(chart))?.images.map(\.registry) ?? [])
    }
    return found
  }

  /// The Helm charts, each beside an index of its own.
  private func artifacts(of wanted: [CatalogChart]) async throws -> [Artifact] {
    if !wanted.isEmpty { events.show("fetches Helm charts") }
    var artifacts: [Artifact] = []
    var silent: [String: (reason: String, purposes: [String])] = [:]
    for chart in wanted {
      do {
        artifacts += try await charts.chart(chart).artifacts()
      } catch let error as ChartError {
        if let purpose = purpose(chart.choice), error.isAboutAvailability {
          let host =
            chart.repository.split(separator: "/").dropFirst().first.map(String.init) ?? chart.repository
          silent[host, default: (error.reason, [])].purposes.append(purpose)
          continue
        }
        events.say(.warning, Problem(error).description)
        // Where repositories usually have it: a chart that is not there either fails by itself, not the whole stage.
        let file = "\(chart.name)-\(chart.version).tgz"
        artifacts.append(
          Artifact(
            path: try BundlePath("files/\(chart.folder)/\(file)"),
            source: .url("\(chart.repository)/\(file)"),
            stage: .files, verification: remote.verification(of: chart.repository)))
      }
    }
    for (host, left) in silent.sorted(by: { $0.key < $1.key }) {
      events.say(
        .warning,
        "\(host): \(left.reason). Left out, since nothing that was asked for needs it: Helm charts for "
          + "\(left.purposes.joined(separator: ", ")). With --strict this is an error.")
    }
    return artifacts
  }

  private func generated(_ path: String, _ text: String) throws -> Artifact {
    Artifact(
      path: try BundlePath(path), source: .generated(Array(text.utf8)), stage: .files,
      verification: .generated)
  }
}

/// The programs of the admin host itself, where the configuration wants other versions than kubespray's.
struct AdminHostFiles {
  private let wanted: [(component: String, version: String)]

  init(_ versions: Configuration.Versions) {
    wanted = [
      ("runc", versions.runc), ("containerd", versions.containerd), ("nerdctl", versions.nerdctl),
      ("cni", versions.cni),
    ].compactMap { component, version in version.map { (component, $0) } }
  }

  /// The files beside the catalog's: the same URLs, one for each architecture, with the other version in them.
  func files(in catalog: Catalog) -> [CatalogFile] {
    wanted.flatMap { component, version -> [CatalogFile] in
      guard let own = catalog.version(of: component), own != version else { return [] }
      return catalog.files.filter { $0.variable == "\(component)_download_url" }.compactMap { file in
        var file = file
        func changed(_ url: String) -> String {
          url.split(separator: own, omittingEmptySubsequences: false).joined(separator: version)
        }
        if let address = file.own {
          file.own = .init(url: changed(address.url), template: changed(address.url))
        }
        file.url = changed(file.url)
        // Kubespray's checksum is that of its own version.
        file.checksum = nil
        file.template = nil
        file.origin = "versions.\(component)"
        return catalog.files.contains { $0.url == file.url } ? nil : file
      }
    }
  }
}
