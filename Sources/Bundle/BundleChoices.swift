/// How files are arranged below `outputs/files` (setting `files.layout`).
public enum FileLayoutName: String, Sendable, Codable, CaseIterable {
  /// The shell project's folders, by component and version.
  case kubesprayOffline = "kubespray-offline"
  /// `<host>/<path>` exactly as in the URL, what `wget -x` makes; needed for several architectures in one bundle.
  case original
}

/// How much of kubespray's catalog is carried (setting `kubespray.selection`).
public enum CatalogSelection: String, Sendable, Codable, CaseIterable {
  /// Everything that kubespray could use, as both shell tools do.
  case all
  /// Only what a cluster of the configured inventory will use.
  case enabled
}
