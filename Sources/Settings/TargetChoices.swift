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
