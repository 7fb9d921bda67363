/// What is needed: what kubespray's own lists have, and what a cluster of the inventory uses. The rest only roles and
/// charts name, for choices that nobody has made.
extension CatalogFile {
  /// The choice that would need it; `nil` for what is needed.
  public var choice: String? { isOfficial || isEnabled ? nil : entries.first ?? choiceName(origin) }
}

extension CatalogImage {
  /// The choice that would need it; `nil` for what is needed.
  public var choice: String? { isOfficial || isEnabled ? nil : entries.first ?? choiceName(origin) }
}

extension CatalogChart {
  /// The choice that would need it; `nil` for what is needed.
  public var choice: String? { isEnabled ? nil : release.isEmpty ? name : release }
}

/// `kubernetes-apps/csi_driver/azuredisk` of `roles/kubernetes-apps/csi_driver/azuredisk/templates/x.yml.j2:12`, and
/// `x_image` of `variables x_image_repo and x_image_tag`.
private func choiceName(_ origin: String) -> String {
  if origin.hasPrefix("roles/") {
    let parts = origin.split(separator: "/").dropFirst()
    return parts.prefix { !["templates", "meta", "tasks"].contains($0) }.joined(separator: "/")
  }
  let words = origin.split(separator: " ")
  guard words.count > 1, words[0].hasPrefix("variable") else { return origin }
  for suffix in ["_image_repo", "_download_url", "_repo", "_url"] where words[1].hasSuffix(suffix) {
    return String(words[1].dropLast(suffix.count))
  }
  return String(words[1])
}
