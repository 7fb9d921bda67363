import Files
import FoundationEssentials
import SystemPackage
import YAML

/// Operating-system packages that a task of a role installs on one release, or that a list has for it, before evaluation.
struct RolePackages: Sendable, Encodable {
  /// The release, by name.
  var release: String
  /// What Ansible would report about it.
  var facts: [String: String]
  /// The facts among them that differ between machines of the release.
  var uncertain: [String]
  /// The defaults files of the role and of those that it depends on, absolute; the later wins.
  var defaults: [String]
  /// Variable files that the role includes on that release, absolute.
  var variables: [String]
  /// Templates of a name, or of a list of names.
  var names: [String]
  /// When the task is done, as Jinja expressions that must all hold.
  var conditions: [String]
  /// Whether it is an entry of a list of packages, which a bundle carries for every cluster of the release.
  var isListed: Bool
  /// The file, for people.
  var origin: String

  /// What is asked; the rest is known here.
  private enum CodingKeys: String, CodingKey {
    case release
    case facts
    case uncertain
    case defaults
    case variables
    case names
    case conditions
    case isListed
  }
}

extension KubesprayTree {
  /// The packages that roles install: those of the role that has a list of them, and those of single tasks.
  func rolePackages(on releases: [NodeRelease]) -> [RolePackages] {
    guard !releases.isEmpty else { return [] }
    let files = roleFiles
    let conditions = RoleConditions(tree: self, files: files)
    let tasks = PackageTasks(tree: self, files: files).found
    let defaults = Dictionary(
      tasks.map(\.role).map { ($0, defaultsFiles(of: $0)) }, uniquingKeysWith: { first, _ in first })
    var packages: [RolePackages] = []
    for release in releases {
      packages += listedPackages(on: release)
      for task in tasks where task.isFor(release) {
        packages.append(
          RolePackages(
            release: release.name, facts: release.facts, uncertain: release.uncertainFacts,
            defaults: defaults[task.role] ?? [], variables: variableFiles(of: task.role, on: release),
            names: task.names,
            conditions: [conditions.expression(of: task.role)].compactMap(\.self) + task.conditions,
            isListed: false, origin: "roles/\(task.file)"))
      }
    }
    return packages
  }

  /// The file that lists packages: a mapping `pkgs` of names to conditions, all of which must hold; `nil` for a tree that
  /// has them in another form (before 2.25).
  var packageList: FilePath? {
    [
      "roles/system_packages/vars/main.yml", "roles/kubernetes/preinstall/vars/main.yml",
    ].map { path.appending($0) }.first { file in
      (try? readTypedText(file)).flatMap { try? YAML.parse($0, source: file.string) }?["pkgs"]?.mapping != nil
    }
  }

  /// The list of the role system_packages, each entry with its conditions.
  private func listedPackages(on release: NodeRelease) -> [RolePackages] {
    guard let file = packageList, let text = try? readTypedText(file),
      let packages = (try? YAML.parse(text, source: file.string))?["pkgs"]?.mapping
    else { return [] }
    let role = file.removingLastComponent().removingLastComponent()
    return packages.entries.compactMap { key, value in
      guard let name = key.string else { return nil }
      let conditions = value.sequence?.compactMap(\.string) ?? value.string.map { [$0] } ?? []
      return RolePackages(
        release: release.name, facts: release.facts, uncertain: release.uncertainFacts,
        defaults: [role.appending("defaults/main.yml").string], variables: [], names: [name],
        conditions: conditions.map(Self.bare), isListed: true,
        origin: String(file.string.dropFirst(path.string.count).drop { $0 == "/" }))
    }
  }

  private func defaultsFiles(of role: String) -> [String] {
    let folder = path.appending("roles")
    let meta = (try? readTypedText(folder.appending("\(role)/meta/main.yml"))).flatMap {
      try? YAML.parse($0, source: role)
    }
    let needed = (meta?["dependencies"]?.sequence ?? []).compactMap { $0["role"]?.string ?? $0.string }
    return (needed + [role]).map { folder.appending("\($0)/defaults/main.yml") }.filter(fileExists)
      .map(\.string)
  }

  private func variableFiles(of role: String, on release: NodeRelease) -> [String] {
    let folder = path.appending("roles/\(role)/vars")
    let special = (release.fileNames + ["defaults"]).map { folder.appending("\($0).yml") }
    return ([folder.appending("main.yml")] + special.filter(fileExists).prefix(1)).filter(fileExists)
      .map(\.string)
  }

  /// A condition that is written as a whole template, without its braces.
  private static func bare(_ condition: String) -> String {
    condition.wholeMatch(of: /\s*\{\{\s*((?:(?!\}\}).)*?)\s*\}\}\s*/).map { String($0.1) } ?? condition
  }
}
