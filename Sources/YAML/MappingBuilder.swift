/// Collects the entries of one mapping: finds keys that stand twice and applies merge keys.
///
/// Source: yaml.org/type/merge.html. The keys of the mapping itself win over merged ones, and in a list of
/// mappings to merge the earlier wins over the later.
struct MappingBuilder {
  private enum Item {
    case entry(key: YAMLNode, value: YAMLNode)
    case merge(key: YAMLNode, value: YAMLNode)

    var key: YAMLNode {
      switch self {
      case .entry(let key, _), .merge(let key, _): key
      }
    }
  }

  private let duplicateKeys: YAMLDuplicateKeys
  private var items: [Item] = []
  private var places: [String: Int] = [:]

  init(duplicateKeys: YAMLDuplicateKeys) {
    self.duplicateKeys = duplicateKeys
  }

  /// Adds an entry of the file.
  ///
  /// - Throws: ``YAMLError`` when its key stands in the mapping already and that is refused.
  mutating func add(_ key: YAMLNode, _ value: YAMLNode) throws(YAMLError) {
    let item: Item = Self.isMerge(key) ? .merge(key: key, value: value) : .entry(key: key, value: value)
    guard let text = key.scalar?.text else {
      items.append(item)
      return
    }
    guard let place = places[text] else {
      places[text] = items.count
      items.append(item)
      return
    }
    if duplicateKeys == .refused {
      let first = items[place].key.position
      throw key.error(
        "the key \"\(text)\" is given twice: first at line \(first.line), column \(first.column)")
    }
    items[place] = item
  }

  /// The finished mapping.
  ///
  /// - Parameter limit: How many nodes merging may add.
  /// - Returns: The mapping, and the number of nodes that merging added.
  /// - Throws: ``YAMLError`` when something that is not a mapping is merged, or too much.
  func finish(limit: Int) throws(YAMLError) -> (mapping: YAMLMapping, merged: Int) {
    var entries: [(key: YAMLNode, value: YAMLNode)] = []
    entries.reserveCapacity(items.count)
    var taken: Set<String> = []
    var merged = 0
    for item in items {
      switch item {
      case .entry(let key, let value): entries.append((key, value))
      case .merge(let key, let value):
        for entry in try Self.mergedEntries(key, value) {
          if let text = entry.key.scalar?.text {
            guard places[text] == nil, taken.insert(text).inserted else { continue }
          }
          merged += entry.key.weight + entry.value.weight
          guard merged <= limit else { throw key.error("merging this makes the document too large") }
          entries.append(entry)
        }
      }
    }
    return (YAMLMapping(entries), merged)
  }

  private static func isMerge(_ key: YAMLNode) -> Bool {
    guard let scalar = key.scalar else { return false }
    return key.tag == CoreTag.merge || (key.tag == nil && scalar == YAMLScalar(text: "<<", style: .plain))
  }

  private static func mergedEntries(
    _ key: YAMLNode, _ value: YAMLNode
  ) throws(YAMLError) -> [(key: YAMLNode, value: YAMLNode)] {
    switch value.content {
    case .mapping(let mapping): return mapping.entries
    case .sequence(let nodes):
      var entries: [(key: YAMLNode, value: YAMLNode)] = []
      for node in nodes {
        guard let mapping = node.mapping else {
          throw node.error("only mappings can be merged by <<")
        }
        entries += mapping.entries
      }
      return entries
    case .scalar: throw key.error("<< needs a mapping or a list of mappings to merge")
    }
  }
}
