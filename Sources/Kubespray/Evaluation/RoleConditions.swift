import Files
import SystemPackage
import YAML

/// Under which conditions the roles of a tree run: from the dependencies in `meta/main.yml` files and from
/// `include_role` and `import_role` tasks.
struct RoleConditions {
  /// One place that runs a role.
  private struct Use {
    /// The role's name; it may have expressions, as in `network_plugin/{{ kube_network_plugin }}`.
    let name: URLTemplate
    /// The role that the place belongs to.
    let parent: String
    /// The conditions there; all must hold.
    let conditions: [String]
  }

  private var uses: [Use] = []

  /// - Parameter files: All files below `roles`, relative to it.
  init(tree: KubesprayTree, files: [String]) {
    for file in files {
      guard let (parent, isMeta) = Self.role(of: file),
        let text = try? readTypedText(tree.path.appending("roles/\(file)")),
        isMeta || text.contains("_role:"), let document = try? YAML.parse(text, source: file)
      else { continue }
      if isMeta {
        for dependency in document["dependencies"]?.sequence ?? [] {
          add(dependency["role"]?.string, parent, Self.conditions(dependency["when"]))
        }
      } else {
        addTasks(document.sequence ?? [], parent, [])
      }
    }
  }

  /// When a role runs, as one Jinja expression; nil when it always does or nothing in the roles says.
  func expression(of role: String) -> String? { expression(of: role, above: []) }

  private func expression(of role: String, above: Set<String>) -> String? {
    var alternatives: [String] = []
    for use in uses where use.name.bindings(rendered: role) != nil && !above.contains(use.parent) {
      var parts = use.conditions
      if !use.name.expressions.isEmpty { parts.append(Self.equality(use.name, role)) }
      if let outer = expression(of: use.parent, above: above.union([role])) { parts.append(outer) }
      if parts.isEmpty { return nil }
      alternatives.append(parts.map { "(\($0))" }.joined(separator: " and "))
    }
    return alternatives.isEmpty ? nil : alternatives.map { "(\($0))" }.joined(separator: " or ")
  }

  private mutating func add(_ name: String?, _ parent: String, _ conditions: [String]) {
    guard let name else { return }
    let template = URLTemplate(name)
    // A name that is all expression, such as a loop's item, says nothing about any role.
    guard template.expressions.isEmpty || !template.literalPrefix.isEmpty else { return }
    uses.append(Use(name: template, parent: parent, conditions: conditions))
  }

  private mutating func addTasks(_ tasks: [YAMLNode], _ parent: String, _ outer: [String]) {
    for task in tasks {
      let conditions = outer + Self.conditions(task["when"])
      // Another entry point, such as the one that takes a role back, does not run the role.
      for call in Self.includes.compactMap({ task[$0] }) where call["tasks_from"] == nil {
        guard let name = call["name"]?.string else { continue }
        for round in IncludedRole.rounds(of: task, name: name, conditions: conditions) {
          add(round.name, parent, round.conditions)
        }
      }
      for key in ["block", "rescue", "always"] { addTasks(task[key]?.sequence ?? [], parent, conditions) }
    }
  }

  private static let includes = ["include_role", "import_role"].flatMap { [$0, "ansible.builtin.\($0)"] }

  /// The role that a meta or task file belongs to.
  private static func role(of file: String) -> (name: String, isMeta: Bool)? {
    if file.hasSuffix("/meta/main.yml") { return (String(file.dropLast("/meta/main.yml".count)), true) }
    guard file.hasSuffix(".yml"), let range = file.firstRange(of: "/tasks/") else { return nil }
    return (String(file[..<range.lowerBound]), false)
  }

  /// Conditions that pick one host of a group say nothing about whether the feature is on.
  static func conditions(_ node: YAMLNode?) -> [String] {
    let texts = node?.sequence?.compactMap(\.string) ?? node?.string.map { [$0] } ?? []
    return texts.filter { !$0.contains("inventory_hostname") }
  }

  /// `'network_plugin/' ~ (kube_network_plugin) == 'network_plugin/calico'`
  private static func equality(_ template: URLTemplate, _ role: String) -> String {
    let parts = template.pieces.map { piece in
      switch piece {
      case .literal(let text): "'\(text)'"
      case .expression(let text): "(\(text.dropFirst(2).dropLast(2)))"
      }
    }
    return "\(parts.joined(separator: " ~ ")) == '\(role)'"
  }
}
