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

/// Whether the web server serves a copy of the bundle (setting `target.copy`).
public enum TargetCopy: String, Sendable, Codable, CaseIterable {
  /// A copy when the bundle lies on removable media, else the bundle itself.
  case auto
  /// Always a copy.
  case always
  /// The bundle itself, which must then stay where it is.
  case never
}

/// What becomes of a containerd that belongs to a cluster node (setting `target.existing_node`).
public enum ExistingNode: String, Sendable, Codable, CaseIterable {
  /// It is left alone, and used if it runs.
  case refuse
  /// It is replaced; undo brings it back.
  case take
}
