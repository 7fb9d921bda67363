import Files
import FoundationEssentials
import SystemPackage
import YAML

/// The tasks of all roles that install packages by the package manager of the host.
struct PackageTasks {
  /// One of them.
  struct Found {
    let role: String
    /// The file below `roles`.
    let file: String
    let names: [String]
    let conditions: [String]

    /// Files of tasks that are named after a distribution are included for that one.
    func isFor(_ release: NodeRelease) -> Bool {
      let name = String(file.split(separator: "/").last?.dropLast(".yml".count) ?? "")
      let distribution = String(name.prefix { $0.isLetter })
      return !Self.distributions.contains(distribution) || release.fileNames.contains(name)
        // Roles for the RHEL family are named after CentOS.
        || distribution == "centos" && release.facts["os_family"] == "RedHat"
    }

    private static let distributions: Set<String> = [
      "almalinux", "amazon", "amzn", "centos", "clear", "debian", "fedora", "flatcar", "kylin", "openEuler",
      "opensuse", "oracle", "redhat", "rhel", "rocky", "suse", "ubuntu",
    ]
  }

  private static let modules = ["package", "apt", "dnf", "yum"].flatMap { [$0, "ansible.builtin.\($0)"] }
  private static let includes = ["include_tasks", "import_tasks"].flatMap { [$0, "ansible.builtin.\($0)"] }

  private(set) var found: [Found] = []
  /// The conditions under which a file of tasks is included, where only one place does so.
  private var inclusions: [String: [[String]]] = [:]

  /// - Parameter files: All files below `roles`, relative to it.
  init(tree: KubesprayTree, files: [String]) {
    var parsed: [(file: String, role: String, tasks: [YAMLNode])] = []
    for file in files where file.hasSuffix(".yml") {
      guard let range = file.firstRange(of: "/tasks/"), !file.contains("molecule"),
        // What is listed is found elsewhere; an upgrade of the whole system names no package.
        !file.hasPrefix("system_packages/"), !file.hasPrefix("upgrade/"), !file.hasPrefix("win_nodes/"),
        let text = try? readTypedText(tree.path.appending("roles/\(file)")),
        let document = try? YAML.parse(text, source: file), let tasks = document.sequence
      else { continue }
      let role = String(file[..<range.lowerBound])
      parsed.append((file, role, tasks))
      addInclusions(tasks, "\(role)/tasks/", [])
    }
    for (file, role, tasks) in parsed { addTasks(tasks, role, file, conditions(ofFile: file)) }
  }

  private func conditions(ofFile file: String) -> [String] {
    guard let places = inclusions[file], places.count == 1 else { return [] }
    return places[0]
  }

  private mutating func addInclusions(_ tasks: [YAMLNode], _ folder: String, _ outer: [String]) {
    for task in tasks {
      let conditions = outer + RoleConditions.conditions(task["when"])
      for key in Self.includes {
        let name = task[key]?.string ?? task[key]?["file"]?.string
        if let name, !name.contains("{{") { inclusions[folder + name, default: []].append(conditions) }
      }
      for key in ["block", "rescue", "always"] {
        addInclusions(task[key]?.sequence ?? [], folder, conditions)
      }
    }
  }

  private mutating func addTasks(_ tasks: [YAMLNode], _ role: String, _ file: String, _ outer: [String]) {
    for task in tasks {
      let conditions = outer + RoleConditions.conditions(task["when"])
      for key in ["block", "rescue", "always"] {
        addTasks(task[key]?.sequence ?? [], role, file, conditions)
      }
      guard let call = Self.modules.lazy.compactMap({ task[$0] }).first, call["state"]?.string != "absent",
        let names = Self.names(call["name"] ?? call["pkg"], in: task), !names.isEmpty
      else { continue }
      found.append(Found(role: role, file: file, names: names, conditions: conditions))
    }
  }

  /// The names that a task gives, the items of its loop among them.
  private static func names(_ node: YAMLNode?, in task: YAMLNode) -> [String]? {
    guard let node else { return nil }
    let given = node.sequence?.compactMap(\.string) ?? node.string.map { [$0] } ?? []
    let loop = ["loop", "with_items"].lazy.compactMap { task[$0] }.first
    guard let loop, given.contains(where: { $0.contains(/\{\{\s*item\s*\}\}/) }) else { return given }
    return loop.sequence?.compactMap(\.string) ?? loop.string.map { [$0] }
  }
}
