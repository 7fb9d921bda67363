/// How large a document may be before it is refused.
///
/// Aliases let a few hundred bytes stand for billions of nodes; the limits count what a reader who walks the
/// document would meet, not what the file holds.
public struct YAMLLimits: Sendable {
  /// The largest file, in bytes.
  public var inputBytes: Int
  /// The deepest nesting of sequences and mappings, in levels, after aliases are put in place.
  public var depth: Int
  /// The largest document, in nodes (scalars, sequences, mappings), after aliases and merge keys are put in
  /// place.
  public var nodes: Int
  /// How often `%TAG` may stand in a file; the time they take grows with their square.
  public let tagDirectives = 100

  /// Ten times and more above kubespray's largest files (checksums.yml: 160 kB, 5000 nodes, 5 levels).
  public static let `default` = YAMLLimits(inputBytes: 4 << 20, depth: 64, nodes: 500_000)

  /// Makes limits; see the properties for the units.
  public init(inputBytes: Int, depth: Int, nodes: Int) {
    self.inputBytes = inputBytes
    self.depth = depth
    self.nodes = nodes
  }
}

/// What happens to a key that one mapping has twice.
public enum YAMLDuplicateKeys: Sendable {
  /// An error that names both places.
  case refused
  /// The last value counts, at the place of the first, as Ansible does.
  case lastWins
}
