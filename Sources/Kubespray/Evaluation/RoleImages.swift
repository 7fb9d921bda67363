import FoundationEssentials
import SystemPackage
import YAML

/// An image reference as a role's template composes it, and when that role runs.
struct RoleImage: Hashable, Sendable {
  /// The reference with its expressions, such as `{{ azure_csi_image_repo }}/csi-attacher:{{ … }}`.
  let template: String
  /// The template file and line, relative to the tree.
  let origin: String
  /// The defaults file of the role, absolute; it may not exist.
  let defaults: FilePath
  /// The conditions of the role; all must hold.
  let conditions: [String]

  /// The variable that the reference starts with, when it is a `*_image_repo`.
  var repositoryVariable: String? {
    guard let match = template.firstMatch(of: /^\s*\{\{\s*([A-Za-z0-9_]+_image_repo)\s*\}\}/) else {
      return nil
    }
    return String(match.1)
  }
}

extension KubesprayTree {
  /// Finds the images that roles deploy by their own templates (lines `image: …` of `roles/**/templates`).
  ///
  /// kubespray's `downloads` does not know many of them: families that share one repository variable, sidecars
  /// with a tag of their own, cloud providers.
  func roleImages() -> [RoleImage] {
    let folder = path.appending("roles")
    let files = ((try? FileManager.default.subpathsOfDirectory(atPath: folder.string)) ?? []).sorted()
    let conditions = RoleConditions(tree: self, files: files)
    var found: [RoleImage] = []
    var seen: Set<String> = []
    for file in files where file.hasSuffix(".j2") {
      guard let range = file.firstRange(of: "/templates/"),
        let text = Self.text(folder.appending(file)), text.contains("image:")
      else { continue }
      let role = String(file[..<range.lowerBound])
      for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        guard let template = Self.imageValue(line), seen.insert("\(role) \(template)").inserted else {
          continue
        }
        found.append(
          RoleImage(
            template: template, origin: "roles/\(file):\(index + 1)",
            defaults: folder.appending("\(role)/defaults/main.yml"),
            conditions: conditions.conditions(of: role)))
      }
    }
    return found
  }

  /// The value of a line `image: …`, without quotes; nil for any other line.
  static func imageValue(_ line: Substring) -> String? {
    guard let match = line.firstMatch(of: /^\s*(?:-\s+)?image:\s*(\S.*?)\s*$/) else { return nil }
    var value = match.1
    for quote in ["\"", "'"] where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
      value = value.dropFirst().dropLast()
    }
    return value.isEmpty ? nil : String(value)
  }
}

/// Under which conditions roles run, from the dependencies that `meta/main.yml` files declare.
private struct RoleConditions {
  /// Role name to the role that pulls it in and the conditions there; roles pulled in twice are left out,
  /// since either way may run them.
  private var parents: [String: (role: String, conditions: [String])] = [:]

  init(tree: KubesprayTree, files: [String]) {
    var ambiguous: Set<String> = []
    for file in files where file.hasSuffix("/meta/main.yml") {
      let parent = String(file.dropLast("/meta/main.yml".count))
      guard let text = KubesprayTree.text(tree.path.appending("roles/\(file)")),
        let document = try? YAML.parse(text, source: file)
      else { continue }
      for dependency in document["dependencies"]?.sequence ?? [] {
        guard let role = dependency["role"]?.string else { continue }
        if parents[role] != nil { ambiguous.insert(role) }
        parents[role] = (parent, Self.conditions(dependency["when"]))
      }
    }
    for role in ambiguous { parents[role] = nil }
  }

  func conditions(of role: String) -> [String] {
    var conditions: [String] = []
    var visited: Set<String> = []
    var current = role
    while visited.insert(current).inserted, let parent = parents[current] {
      conditions += parent.conditions
      current = parent.role
    }
    return conditions
  }

  /// Conditions that pick one host of a group say nothing about whether the feature is on.
  private static func conditions(_ node: YAMLNode?) -> [String] {
    let texts = node?.sequence?.compactMap(\.string) ?? node?.string.map { [$0] } ?? []
    return texts.filter { !$0.contains("inventory_hostname") }
  }
}
