import FoundationEssentials
import SystemPackage
import YAML

/// Operating-system packages that a task of a role installs on one release, before evaluation.
struct RolePackages: Sendable, Encodable {
  /// The release, by name.
  var release: String
  /// What Ansible would tell of it.
  var facts: [String: String]
  /// The defaults files of the role and of those that it depends on, absolute; the later wins.
  var defaults: [String]
  /// Variable files that the role includes on that release, absolute.
  var variables: [String]
  /// Templates of a name, or of a list of names.
  var names: [String]
  /// When the task is done, as a Jinja expression; nil when it always is.
  var condition: String?
  /// File and task, for people.
  var origin: String

  /// What is asked; the rest is known here.
  private enum CodingKeys: String, CodingKey {
    case release
    case facts
    case defaults
    case variables
    case names
    case condition
  }
}

extension KubesprayTree {
  /// The packages that roles install: those of the role that has a list of them, and those of single tasks.
  func rolePackages(on releases: [NodeRelease]) -> [RolePackages] {
    let folder = path.appending("roles")
    let files = ((try? FileManager.default.subpathsOfDirectory(atPath: folder.string)) ?? []).sorted()
    let conditions = RoleConditions(tree: self, files: files)
    let tasks = PackageTasks(tree: self, files: files).found
    var packages: [RolePackages] = []
    for release in releases {
      packages += listedPackages(on: release)
      for task in tasks where task.isFor(release) {
        packages.append(
          RolePackages(
            release: release.name, facts: release.facts,
            defaults: defaultsFiles(of: task.role),
            variables: variableFiles(of: task.role, on: release), names: task.names,
            condition: Self.all([conditions.expression(of: task.role)] + task.conditions),
            origin: "roles/\(task.file)"))
      }
    }
    return packages
  }

  /// The list of the role system_packages, each entry with its conditions.
  private func listedPackages(on release: NodeRelease) -> [RolePackages] {
    guard let file = SystemPackages(tree: self).file, let text = Self.text(file),
      let packages = (try? YAML.parse(text, source: file.string))?["pkgs"]?.mapping
    else { return [] }
    let role = file.removingLastComponent().removingLastComponent()
    return packages.entries.compactMap { key, value in
      guard let name = key.string else { return nil }
      let conditions = value.sequence?.compactMap(\.string) ?? value.string.map { [$0] } ?? []
      return RolePackages(
        release: release.name, facts: release.facts, defaults: [role.appending("defaults/main.yml").string],
        variables: [], names: [name], condition: Self.all(conditions.map(Self.bare)),
        origin: String(file.string.dropFirst(path.string.count).drop { $0 == "/" }))
    }
  }

  private func defaultsFiles(of role: String) -> [String] {
    let folder = path.appending("roles")
    let meta = Self.text(folder.appending("\(role)/meta/main.yml")).flatMap {
      try? YAML.parse($0, source: role)
    }
    let needed = (meta?["dependencies"]?.sequence ?? []).compactMap { $0["role"]?.string ?? $0.string }
    return (needed + [role]).map { folder.appending("\($0)/defaults/main.yml") }.filter(Self.exists)
      .map(\.string)
  }

  private func variableFiles(of role: String, on release: NodeRelease) -> [String] {
    let folder = path.appending("roles/\(role)/vars")
    let special = (release.fileNames + ["defaults"]).map { folder.appending("\($0).yml") }
    return ([folder.appending("main.yml")] + special.filter(Self.exists).prefix(1)).filter(Self.exists)
      .map(\.string)
  }

  private static func all(_ conditions: [String?]) -> String? {
    let known = conditions.compactMap(\.self)
    return known.isEmpty ? nil : known.map { "(\($0))" }.joined(separator: " and ")
  }

  /// A condition that is written as a whole template, without its braces.
  private static func bare(_ condition: String) -> String {
    guard let match = condition.wholeMatch(of: /\s*\{\{((?:(?!\}\}).)*)\}\}\s*/) else { return condition }
    return String(match.1)
  }
}

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
        let text = KubesprayTree.text(tree.path.appending("roles/\(file)")),
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
