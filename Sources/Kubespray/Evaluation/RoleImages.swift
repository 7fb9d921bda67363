import Files
import SystemPackage

/// An image reference as a role's template composes it, and when that role runs.
struct RoleImage: Hashable, Sendable {
  /// The reference with its expressions, such as `{{ azure_csi_image_repo }}/csi-attacher:{{ … }}`.
  let template: String
  /// The template file and line, relative to the tree.
  let origin: String
  /// The defaults file of the role, absolute; it may not exist.
  let defaults: FilePath
  /// The condition under which the role runs, as a Jinja expression; nil when it always does.
  let condition: String?

  /// Whether a name follows the repository variable, as in `{{ x_image_repo }}/name:tag`.
  var extendsRepository: Bool {
    template.contains(/^\s*\{\{\s*[A-Za-z0-9_]+_image_repo\s*\}\}\//)
  }

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
    let files = roleFiles
    let conditions = RoleConditions(tree: self, files: files)
    var found: [RoleImage] = []
    var seen: Set<String> = []
    for file in files where file.hasSuffix(".j2") {
      guard let range = file.firstRange(of: "/templates/"),
        let text = try? readTypedText(folder.appending(file)), text.contains("image:")
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
            condition: conditions.expression(of: role)))
      }
    }
    return found
  }

  /// The value of a line `image: …`, without quotes; nil for any other line.
  static func imageValue(_ line: Substring) -> String? {
    // Most lines place none; looking for the word is much cheaper than matching.
    guard line.utf8.contains(0x3A), line.contains("image:"),
      let match = line.firstMatch(of: /^\s*(?:-\s+)?image:\s*(\S.*?)\s*$/)
    else { return nil }
    var value = match.1
    for quote in ["\"", "'"] where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
      value = value.dropFirst().dropLast()
    }
    return value.isEmpty ? nil : String(value)
  }
}
