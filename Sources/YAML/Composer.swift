/// Builds the document tree from events.
///
/// An alias shares the node of its anchor, so memory grows with the file and not with what it expands to; the
/// limits are checked against the expanded size before anybody can walk it.
struct Composer {
  private enum Anchor {
    /// The node has begun at this position and is not complete: an alias here would make it contain itself.
    case open(YAMLPosition)
    case complete(YAMLNode)
  }

  private let parser: EventParser
  private let source: String
  private let limits: YAMLLimits
  private let duplicateKeys: YAMLDuplicateKeys
  private var anchors: [String: Anchor] = [:]
  private var nodes = 0

  init(parser: EventParser, source: String, limits: YAMLLimits, duplicateKeys: YAMLDuplicateKeys) {
    self.parser = parser
    self.source = source
    self.limits = limits
    self.duplicateKeys = duplicateKeys
  }

  /// Reads the only document of the stream.
  ///
  /// - Returns: Nil when there is no document or it has no content.
  mutating func composeDocument() throws(YAMLError) -> YAMLNode? {
    var root: YAMLNode?
    var documents = 0
    while true {
      let event = try parser.next()
      switch event.kind {
      case .streamStart, .documentEnd: continue
      case .streamEnd: return root
      case .documentStart:
        documents += 1
        guard documents == 1 else {
          throw error(event, "a second document begins here; the file must hold one")
        }
      default:
        let node = try compose(event, depth: 0)
        root = node.tag == nil && node.scalar == YAMLScalar(text: "", style: .plain) ? nil : node
      }
    }
  }

  private mutating func compose(_ event: Event, depth: Int) throws(YAMLError) -> YAMLNode {
    if case .alias(let name) = event.kind { return try resolve(name, event, depth: depth) }
    if let anchor = event.anchor { anchors[anchor] = .open(event.position) }
    try count(1, at: event)
    let content: YAMLNode.Content
    switch event.kind {
    case .scalar(let scalar): content = .scalar(scalar)
    case .sequenceStart:
      try checkDepth(depth + 1, at: event)
      content = .sequence(try composeItems(depth: depth + 1))
    default:
      try checkDepth(depth + 1, at: event)
      content = .mapping(try composeMapping(depth: depth + 1))
    }
    let node = YAMLNode(content, tag: event.tag, position: event.position, source: source)
    // The same name may have been given again inside this node; an alias means the latest one that began.
    if let anchor = event.anchor, case .open(event.position) = anchors[anchor] {
      anchors[anchor] = .complete(node)
    }
    return node
  }

  private mutating func composeItems(depth: Int) throws(YAMLError) -> [YAMLNode] {
    var items: [YAMLNode] = []
    while true {
      let event = try parser.next()
      if case .sequenceEnd = event.kind { return items }
      items.append(try compose(event, depth: depth))
    }
  }

  private mutating func composeMapping(depth: Int) throws(YAMLError) -> YAMLMapping {
    var builder = MappingBuilder(duplicateKeys: duplicateKeys)
    while true {
      let event = try parser.next()
      if case .mappingEnd = event.kind { break }
      let key = try compose(event, depth: depth)
      let value = try compose(try parser.next(), depth: depth)
      try builder.add(key, value)
    }
    let (mapping, merged) = try builder.finish(limit: limits.nodes - nodes)
    nodes += merged
    return mapping
  }

  private mutating func resolve(_ name: String, _ event: Event, depth: Int) throws(YAMLError) -> YAMLNode {
    switch anchors[name] {
    case nil: throw error(event, "the alias *\(name) has no anchor &\(name) before it")
    case .open(let position):
      throw error(event, "the alias *\(name) is used inside its own anchor of line \(position.line)")
    case .complete(let node):
      try count(node.weight, at: event)
      try checkDepth(depth + node.height, at: event)
      return node
    }
  }

  private mutating func count(_ added: Int, at event: Event) throws(YAMLError) {
    nodes += added
    guard nodes <= limits.nodes else {
      throw error(event, "the document has more than \(limits.nodes) values once its aliases are expanded")
    }
  }

  private func checkDepth(_ depth: Int, at event: Event) throws(YAMLError) {
    guard depth <= limits.depth else {
      throw error(event, "the document is nested more than \(limits.depth) levels deep")
    }
  }

  private func error(_ event: Event, _ message: String) -> YAMLError {
    YAMLError(source: source, position: event.position, message)
  }
}
