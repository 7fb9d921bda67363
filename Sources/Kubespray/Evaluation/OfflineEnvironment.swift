/// Signs that an inventory has the settings of the machines without internet already.
enum OfflineEnvironment {
  /// What stands in kubespray's sample for addresses that nobody has filled in.
  private static let placeholders = ["YOUR_HOST", "myprivateregisry.com", "myprivatehttpd"]

  /// Refuses an offline.yml of this project or one that was never filled in: the addresses of the first are those of the
  /// admin host, of the second nobody's.
  ///
  /// - Throws: ``CatalogError``.
  static func refuse(_ evaluations: [HostEvaluation]) throws(CatalogError) {
    for evaluation in evaluations {
      let addresses = evaluation.addresses
      let isOurs =
        addresses["http_server"] != nil && addresses["files_repo"]?.template.contains("http_server") == true
      let found = addresses.compactMapValues(\.value).filter { _, value in
        isOurs || placeholders.contains(where: value.contains)
      }
      guard found.isEmpty else { throw .offlineEnvironment(found) }
    }
  }

  /// Whether a text is an offline.yml as this project and the shell project write it, with nothing of the user's in it.
  static func isOwn(_ text: String) -> Bool {
    let keys = text.split(whereSeparator: \.isNewline).compactMap { line -> Substring? in
      guard let first = line.first, first.isLetter || first == "_", let colon = line.firstIndex(of: ":")
      else {
        return nil
      }
      return line[..<colon]
    }
    guard keys.contains("http_server"), keys.contains("registry_host"),
      text.contains(/\nfiles_repo: *"?\{\{ *http_server *\}\}\//)
    else { return false }
    return keys.allSatisfy { key in
      names.contains(String(key)) || prefixes.contains(where: key.hasPrefix)
        || suffixes.contains(where: key.hasSuffix)
    }
  }

  private static let names: Set = [
    "http_server", "registry_host", "cilium_install_extra_flags", "cilium_extra_values",
    "docker_insecure_registries", "docker_registry_mirrors",
  ]
  private static let prefixes = ["containerd_", "crio_", "offline_"]
  private static let suffixes = ["_repo", "_url", "_image_repo", "_insecure_registries"]
}
