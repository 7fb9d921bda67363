/// Makes the catalog's charts, and the variables that redirect them, of what roles install.
struct ChartAssembly {
  private(set) var charts: [CatalogChart] = []
  private(set) var overrides: [CatalogVariable] = []
  private(set) var warnings: Set<String> = []

  /// - Parameters:
  ///   - roleCharts: What the tree's roles install.
  ///   - evaluations: What each host made of it, in the same order.
  init(_ roleCharts: [RoleChart], _ evaluations: [HostEvaluation]) {
    for evaluation in evaluations {
      for (role, result) in zip(roleCharts, evaluation.charts) { add(role, result) }
    }
    charts.sort { ($0.repository, $0.name, $0.version) < ($1.repository, $1.name, $1.version) }
    overrides.sort { $0.name < $1.name }
  }

  private mutating func add(_ role: RoleChart, _ result: HostEvaluation.Chart) {
    let isEnabled = result.enabled ?? true
    if let error = result.error, isEnabled {
      warnings.insert("The Helm charts of \(role.origin) could not be evaluated: \(error).")
    }
    for release in result.releases ?? [] {
      guard let chart = chart(release, role, result, isEnabled) else { continue }
      if let index = charts.firstIndex(where: {
        ($0.repository, $0.name, $0.version) == (chart.repository, chart.name, chart.version)
      }) {
        charts[index].isEnabled = charts[index].isEnabled || isEnabled
      } else {
        charts.append(chart)
      }
      redirect(role, result)
    }
  }

  private mutating func chart(
    _ release: HostEvaluation.Chart.Release, _ role: RoleChart, _ result: HostEvaluation.Chart,
    _ isEnabled: Bool
  ) -> CatalogChart? {
    guard let name = release.name, !name.isEmpty, let reference = release.chartReference, !reference.isEmpty
    else { return nil }
    let parts = reference.split(separator: "/", maxSplits: 1)
    let repository = result.repositories?.first { parts.count == 2 && $0.name == parts[0] }
    guard let repository, repository.url.hasPrefix("http"), let version = release.chartVersion,
      !version.isEmpty
    else {
      if isEnabled {
        warnings.insert(
          "The chart \(reference) of \(role.origin) is not carried: it names no version, or no repository that is "
            + "served over HTTP.")
      }
      return nil
    }
    var url = repository.url[...]
    while url.hasSuffix("/") { url = url.dropLast() }
    return CatalogChart(
      name: String(parts[1]), version: version, repository: String(url), release: name,
      hasOwnImages: role.isCilium, isEnabled: isEnabled, origin: role.origin)
  }

  /// The variables that point to the repositories.
  private mutating func redirect(_ role: RoleChart, _ result: HostEvaluation.Chart) {
    if role.isCilium {
      guard let url = result.repositories?.first?.url else { return }
      add(.init(name: "cilium_install_extra_flags", kind: .chartFlags, template: "", value: url))
      add(.init(name: "cilium_extra_values", kind: .ciliumValues, template: "", value: ""))
      return
    }
    for (repository, evaluated) in zip(role.repositories, result.repositories ?? []) {
      guard let variable = repository.variable, evaluated.url.hasPrefix("http") else { continue }
      add(
        .init(name: variable, kind: .chartRepository, template: repository.url, value: evaluated.url))
    }
  }

  private mutating func add(_ variable: CatalogVariable) {
    if !overrides.contains(where: { $0.name == variable.name }) { overrides.append(variable) }
  }
}
