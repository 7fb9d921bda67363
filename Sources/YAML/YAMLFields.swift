/// Reads a mapping strictly: every key must be one that is asked for, and every value must have its type.
///
/// Ask for each field that may be there, then call ``finish()``. Problems are collected, so that a person
/// sees all of a file's mistakes at once; a field with a problem reads as nil.
///
///     var fields = YAMLFields(document)
///     let name = fields.string("name")
///     let port = fields.nested("registry") { $0.int("port", in: 1...65535) } ?? nil
///     try fields.finish()
public struct YAMLFields {
  /// What was found wrong so far, in the order of asking.
  public private(set) var problems: [YAMLError] = []
  private let mapping: YAMLMapping?
  private let prefix: String
  private var asked: [String] = []

  /// Begins to read a document.
  ///
  /// - Parameter node: The mapping; nil and null read as one without keys, anything else is a problem.
  public init(_ node: YAMLNode?) {
    self.init(node, prefix: "")
    if let node, !node.isNull, mapping == nil {
      problems.append(node.error("the file must hold keys and values, not \(node.shown)"))
    }
  }

  private init(_ node: YAMLNode?, prefix: String) {
    self.mapping = node?.mapping
    self.prefix = prefix
  }

  /// The value of a field whatever its kind; nil when it is absent or null.
  public mutating func value(_ key: String) -> YAMLNode? {
    asked.append(key)
    guard let node = mapping?[key], !node.isNull else { return nil }
    return node
  }

  /// A scalar with its place, for callers that check the text themselves. `expected` says what the field takes: it
  /// completes `"port" must be …`.
  public mutating func scalar(_ key: String, expected: String = "a single value") -> YAMLNode? {
    field(key, expected) { $0.scalar == nil ? nil : $0 }
  }

  /// The text of a scalar, whatever its style.
  public mutating func string(_ key: String) -> String? { field(key, "a text") { $0.string } }

  /// A decimal integer.
  public mutating func int(_ key: String, in range: ClosedRange<Int>) -> Int? {
    field(key, "a number from \(range.lowerBound) to \(range.upperBound)") { node in
      node.int.flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// A truth value, in any of YAML 1.1's spellings.
  public mutating func bool(_ key: String) -> Bool? { field(key, "true or false") { $0.bool } }

  /// A list of scalars with their places.
  public mutating func list(_ key: String) -> [YAMLNode]? {
    guard let items = field(key, "a list", { $0.sequence }) else { return nil }
    if let item = items.first(where: { $0.string == nil }) {
      report(key, at: item, expected: "a list of single values")
      return nil
    }
    return items
  }

  /// A list of texts.
  public mutating func strings(_ key: String) -> [String]? { list(key)?.compactMap(\.string) }

  /// A mapping whose keys are free and whose values are scalars, with their places.
  public mutating func table(_ key: String) -> YAMLMapping? {
    guard let table = field(key, "keys with values", { $0.mapping }) else { return nil }
    for (name, value) in table.entries {
      guard let text = name.string else {
        report(key, at: name, expected: "keys that are texts")
        return nil
      }
      guard value.string != nil else {
        report("\(key).\(text)", at: value, expected: "a single value")
        return nil
      }
    }
    return table
  }

  /// Reads a mapping inside this one; its unknown keys are problems too.
  ///
  /// - Returns: What the closure returns; nil, without calling it, when the field is absent or no mapping.
  public mutating func nested<Result>(
    _ key: String, _ read: (inout YAMLFields) throws -> Result
  ) rethrows -> Result? {
    guard let node = field(key, "keys and values", { $0.mapping == nil ? nil : $0 }) else { return nil }
    var fields = YAMLFields(node, prefix: prefix + key + ".")
    let result = try read(&fields)
    problems += fields.problems + fields.unknownKeys()
    return result
  }

  /// Adds a problem of the caller's own about a value: `"registry.port" must be EXPECTED, not "abc"`. When the value holds
  /// a secret, `shown` is quoted in its place.
  public mutating func report(_ key: String, at node: YAMLNode, expected: String, shown: String? = nil) {
    let found = shown.map { "\"\($0)\"" } ?? node.shown
    problems.append(node.error("\"\(prefix)\(key)\" must be \(expected), not \(found)"))
  }

  /// The key of a field as it stands in the file, for its place.
  public func key(_ key: String) -> YAMLNode? { mapping?.entry(key)?.key }

  /// Ends the reading.
  ///
  /// - Throws: ``YAMLFieldErrors`` with every problem in the order of the file, unknown keys included.
  public func finish() throws(YAMLFieldErrors) {
    let all = problems + unknownKeys()
    guard all.isEmpty else { throw YAMLFieldErrors(all) }
  }

  private mutating func field<Value>(
    _ key: String, _ expected: String, _ read: (YAMLNode) -> Value?
  ) -> Value? {
    guard let node = value(key) else { return nil }
    if let value = read(node) { return value }
    report(key, at: node, expected: expected)
    return nil
  }

  private func unknownKeys() -> [YAMLError] {
    guard let mapping else { return [] }
    return mapping.entries.compactMap { key, _ in
      guard let text = key.scalar?.text else { return key.error("a key must be a text, not \(key.shown)") }
      if asked.contains(text) { return nil }
      let hint = nearest(to: text, among: asked).map { " (did you mean \"\(prefix)\($0)\"?)" }
      return key.error("unknown key \"\(prefix)\(text)\"\(hint ?? "")")
    }
  }
}

/// Everything that is wrong in a file, one problem a line.
public struct YAMLFieldErrors: Error, CustomStringConvertible {
  /// The problems, in the order of the file.
  public let problems: [YAMLError]

  init(_ problems: [YAMLError]) {
    self.problems = problems.sorted { first, second in
      guard let one = first.position, let other = second.position else { return false }
      return (one.line, one.column) < (other.line, other.column)
    }
  }

  /// The problems, one a line.
  public var description: String { problems.map(\.description).joined(separator: "\n") }
}

extension YAMLNode {
  /// The value as an error message quotes it.
  fileprivate var shown: String {
    switch content {
    case .scalar(let scalar): isNull ? "nothing" : "\"\(scalar.text)\""
    case .sequence: "a list"
    case .mapping: "keys and values"
    }
  }
}
