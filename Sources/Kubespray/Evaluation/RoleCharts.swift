import Files
import SystemPackage
import YAML

/// Helm charts that a role installs, before evaluation.
struct RoleChart: Hashable, Sendable, Encodable {
  /// One release; all values are templates.
  struct Release: Hashable, Sendable, Encodable {
    var name: String
    /// `REPOSITORY/CHART`, by the name that the role gives to the repository.
    var chartReference: String
    var chartVersion: String

    enum CodingKeys: String, CodingKey {
      case name
      case chartReference = "chart_ref"
      case chartVersion = "chart_version"
    }
  }

  /// A repository that the role adds; both values are templates.
  struct Repository: Hashable, Sendable, Encodable {
    var name: String
    var url: String

    /// The variable that holds the URL, when it is nothing else.
    var variable: String? {
      url.wholeMatch(of: /\s*\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}\s*/).map { String($0.1) }
    }
  }

  /// The defaults file of the role, absolute; it may not exist.
  var defaults: String
  /// The condition under which the role runs, as a Jinja expression; nil when it always does.
  var condition: String?
  var releases: [Release]
  var repositories: [Repository]
  /// The file that says it, relative to the tree.
  var origin: String
  /// Whether this is the chart that the Cilium program fetches by itself.
  var isCilium = false

  /// What is asked; the rest is known here.
  private enum CodingKeys: String, CodingKey {
    case defaults
    case condition
    case releases
    case repositories
  }
}

extension KubesprayTree {
  /// The role that installs Helm charts for others.
  private static let chartRole = "helm-apps"
  /// Where the program of the role `network_plugin/cilium` finds its chart unless it is told otherwise.
  ///
  /// Source: the option `--repository` of `cilium install`, and docs/operations/offline-environment.md.
  private static let ciliumRepository = "https://helm.cilium.io"

  /// Finds the Helm charts that roles install: by a dependency on the role for charts in their `meta/main.yml`, and,
  /// since 2.28, by the Cilium program.
  func roleCharts() -> [RoleChart] {
    let folder = path.appending("roles")
    let files = roleFiles
    let conditions = RoleConditions(tree: self, files: files)
    var charts: [RoleChart] = []
    for file in files where file.hasSuffix("/meta/main.yml") {
      guard let text = try? readTypedText(folder.appending(file)), text.contains(Self.chartRole),
        let document = try? YAML.parse(text, source: file)
      else { continue }
      let role = String(file.dropLast("/meta/main.yml".count))
      for dependency in document["dependencies"]?.sequence ?? []
      where dependency["role"]?.string == Self.chartRole {
        let all = [conditions.expression(of: role)] + RoleConditions.conditions(dependency["when"])
        charts.append(
          RoleChart(
            defaults: folder.appending("\(role)/defaults/main.yml").string, condition: Self.joined(all),
            releases: (dependency["releases"]?.sequence ?? []).compactMap(Self.release),
            repositories: (dependency["repositories"]?.sequence ?? []).compactMap(Self.repository),
            origin: "roles/\(file)"))
      }
    }
    return charts + ciliumChart(conditions)
  }

  private func ciliumChart(_ conditions: RoleConditions) -> [RoleChart] {
    let role = "network_plugin/cilium"
    let defaults = path.appending("roles/\(role)/defaults/main.yml")
    // Older versions deploy Cilium by templates of their own.
    guard let text = try? readTypedText(defaults), text.contains("\ncilium_install_extra_flags:") else {
      return []
    }
    return [
      RoleChart(
        defaults: defaults.string, condition: conditions.expression(of: role),
        releases: [
          .init(name: "cilium", chartReference: "cilium/cilium", chartVersion: "{{ cilium_version }}")
        ],
        repositories: [.init(name: "cilium", url: Self.ciliumRepository)],
        origin: "roles/\(role)/tasks/apply.yml", isCilium: true)
    ]
  }

  private static func joined(_ conditions: [String?]) -> String? {
    let known = conditions.compactMap(\.self)
    return known.isEmpty ? nil : known.map { "(\($0))" }.joined(separator: " and ")
  }

  private static func release(_ node: YAMLNode) -> RoleChart.Release? {
    guard let reference = node["chart_ref"]?.string else { return nil }
    return .init(
      name: node["name"]?.string ?? "", chartReference: reference,
      chartVersion: node["chart_version"]?.string ?? "")
  }

  private static func repository(_ node: YAMLNode) -> RoleChart.Repository? {
    guard let name = node["name"]?.string, let url = node["url"]?.string else { return nil }
    return .init(name: name, url: url)
  }
}
