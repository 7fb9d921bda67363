/// Keys and values in the order of the file, merged entries at the place of their `<<`.
public struct YAMLMapping: Sendable {
  /// The entries; a key is usually a scalar but may be any node.
  public let entries: [(key: YAMLNode, value: YAMLNode)]
  private let places: [String: Int]

  /// Makes a mapping of entries whose scalar keys differ.
  init(_ entries: [(key: YAMLNode, value: YAMLNode)]) {
    self.entries = entries
    var places: [String: Int] = [:]
    for (place, entry) in entries.enumerated() {
      if let text = entry.key.scalar?.text { places[text] = place }
    }
    self.places = places
  }

  /// The value of a key, found by its text: `1.34:` and `"1.34":` are the same key.
  public subscript(key: String) -> YAMLNode? { entry(key)?.value }

  /// The key as it stands in the file, and its value.
  public func entry(_ key: String) -> (key: YAMLNode, value: YAMLNode)? { places[key].map { entries[$0] } }
}
