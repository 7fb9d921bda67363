import Bundle
import YAML

/// offline.yml for a bundle of the shell project, which has none: made of kubespray's own download.yml in the tarball.
///
/// A URL gets a line when a file of the bundle fits the place that the shell project gives it.
struct ShellInventory: Sendable {
  /// The text.
  let text: String
  /// The variables of URLs for which the bundle has no file.
  let missing: [String]

  /// Makes it.
  ///
  /// - Parameters:
  ///   - downloads: The text of kubespray's download.yml.
  ///   - files: The paths of the bundle's files below `files/`.
  ///   - version: The kubespray version, for the header.
  ///   - stripped: The registry hosts that images lose when pushed.
  init(downloads: String, files: [String], version: String, stripped: Set<String>) {
    var images: [String] = []
    var urls: [String] = []
    var missing: [String] = []
    let document = try? YAML.parse(downloads, source: "download.yml")
    for entry in document?.mapping?.entries ?? [] {
      guard let name = entry.key.string, let value = entry.value.string else { continue }
      if name.hasSuffix("image_repo") {
        if let base = Self.imageBase(value, stripped) { images.append("\(name): \(YAML.quoted(base))") }
      } else if name.hasSuffix("_url"), let place = ShellLayout.path(value),
        ShellLayout.segments(value).count > 2
      {
        // Where a version such as 1.34.0-rc.1 is none by the shell project's rules, the file lies at the top.
        let top = place.split(separator: "/").last.map(String.init) ?? place
        if let place = [place, top].first(where: { Self.fits($0, files) }) {
          urls.append("\(name): \(YAML.quoted("{{ files_repo }}/\(place)"))")
        } else {
          missing.append(name)
        }
      }
    }
    self.missing = missing
    text =
      (Self.header(version, stripped) + images + ["", "# Files: where the shell project has put them."] + urls
      + [""])
      .joined(separator: "\n")
  }

  /// What stands for a registry, or for a repository in one; `nil` for what is made of other variables.
  private static func imageBase(_ value: String, _ stripped: Set<String>) -> String? {
    guard !value.contains("{{") else { return nil }
    if !value.contains("/"), value.contains(".") || value.contains(":") {
      return stripped.contains(value)
        ? "{{ registry_host }}" : "{{ registry_host }}/\(ImageReference.pushComponent(value))"
    }
    let name = ImageReference.completed(value)
    let repository = ImageReference.pushRepository(
      registry: name.registry, repository: name.repository, strippedRegistries: stripped)
    return "{{ registry_host }}/\(repository)"
  }

  /// Whether a file has that place, whatever the expressions in it stand for.
  static func fits(_ template: String, _ files: [String]) -> Bool {
    let literals = literals(template)
    guard literals.count > 1 else { return files.contains(template) }
    return files.contains { file in
      guard let first = literals.first, let last = literals.last, file.hasPrefix(first), file.hasSuffix(last),
        file.count >= first.count + last.count
      else { return false }
      var rest = file.dropFirst(first.count).dropLast(last.count)
      for literal in literals.dropFirst().dropLast() where !literal.isEmpty {
        guard let range = rest.firstRange(of: literal) else { return false }
        rest = rest[range.upperBound...]
      }
      return file.count { $0 == "/" } == literals.joined().count { $0 == "/" }
    }
  }

  /// The texts around the expressions, `{{ ... }}`.
  private static func literals(_ template: String) -> [String] {
    var rest = template[...]
    var found: [String] = []
    while let open = rest.firstRange(of: "{{"),
      let close = rest[open.upperBound...].firstRange(of: "}}")
    {
      found.append(String(rest[..<open.lowerBound]))
      rest = rest[close.upperBound...]
    }
    return found + [String(rest)]
  }

  private static func header(_ version: String, _ stripped: Set<String>) -> [String] {
    [
      "# Overrides for an offline installation with kubespray \(version), made by target-setup for a bundle of the shell",
      "# project kubespray-offline. An offline.yml of your own in the bundle's folder is taken instead.",
      "",
      "http_server: \"http://YOUR_HOST\"",
      "registry_host: \"YOUR_HOST:35000\"",
    ] + EngineSettings(stripped: stripped, kept: []).lines + [
      "",
      "files_repo: \"{{ http_server }}/files\"",
      "yum_repo: \"{{ http_server }}/rpms\"",
      "ubuntu_repo: \"{{ http_server }}/debs\"",
      "debian_repo: \"{{ http_server }}/debs\"",
      "",
      "# Registries: images are in the bundle's registry under their name without the public host.",
    ]
  }
}
