import YAML

/// The settings of the registry: the bundle's `registry-config.yml` with what is decided on this host
/// (distribution, `docs/configuration.md`).
struct RegistryConfiguration: Sendable {
  private static let fileName = "registry-config.yml"

  /// The file's text, to be changed line by line: comments and whatever else it sets stay.
  private var lines: [String]

  /// - Throws: ``StepError`` when the text is not the one that is expected.
  init(_ text: String) throws(StepError) {
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for key in ["http", "storage"] where !lines.contains("\(key):") {
      throw StepError("\(Self.fileName) of the bundle has no line \"\(key):\"", .verify)
    }
  }

  /// The text.
  var text: String { lines.joined(separator: "\n") }

  /// Sets by which secret an upload can go on after a restart.
  mutating func setSecret(_ secret: String) throws(StepError) { try set(["http", "secret"], secret) }

  /// Sets whether the network may push and delete. A registry that is read-only answers both with status 405.
  mutating func setWritable(_ isWritable: Bool) throws(StepError) {
    try set(["storage", "delete", "enabled"], "\(isWritable)")
    try set(["storage", "maintenance", "readonly", "enabled"], "\(!isWritable)")
    let storage = (try? YAML.parse(text, source: Self.fileName))?.mapping?["storage"]?.mapping
    let readOnly = storage?["maintenance"]?.mapping?["readonly"]?.mapping?["enabled"]?.bool
    guard readOnly == !isWritable, storage?["delete"]?.mapping?["enabled"]?.bool == isWritable else {
      throw Self.unreadable("storage")
    }
  }

  private static func unreadable(_ key: String) -> StepError {
    StepError("\(fileName) of the bundle does not have \"\(key)\" as lines below one another", .verify)
  }

  /// Sets a value below keys, each of which stands in a line of its own; keys that are missing are added.
  private mutating func set(_ path: [String], _ value: String) throws(StepError) {
    var block = lines.indices
    var indentation = 0
    for (depth, key) in path.enumerated() {
      let margin = String(repeating: " ", count: indentation)
      let isLast = depth == path.count - 1
      guard let index = block.first(where: { lines[$0].hasPrefix("\(margin)\(key):") }) else {
        let new = Self.nested(path[depth...], value, indentation)
        lines.insert(contentsOf: new, at: depth == 0 ? lines.endIndex : block.lowerBound)
        return
      }
      let end = Self.end(of: index, in: lines, indentation)
      let rest = lines[index].dropFirst(margin.count + key.count + 1).drop { $0 == " " }
      if !isLast, rest.isEmpty || rest.hasPrefix("#") {
        block = (index + 1)..<end
        indentation = lines[block].first(where: Self.isContent).map(Self.indentation) ?? indentation + 2
        continue
      }
      // What has other keys in it cannot be replaced by this one.
      guard isLast || depth == path.count - 2 else { throw Self.unreadable(key) }
      lines.replaceSubrange(index..<end, with: Self.nested(path[depth...], value, indentation))
      return
    }
  }

  private static func nested(_ keys: ArraySlice<String>, _ value: String, _ indentation: Int) -> [String] {
    keys.enumerated().map { offset, key in
      let margin = String(repeating: " ", count: indentation + 2 * offset)
      return offset == keys.count - 1 ? "\(margin)\(key): \(value)" : "\(margin)\(key):"
    }
  }

  private static func end(of index: Int, in lines: [String], _ indentation: Int) -> Int {
    let after = lines[(index + 1)...]
    let next = after.firstIndex { isContent($0) && Self.indentation($0) <= indentation } ?? lines.endIndex
    // Comments between two keys belong to the second.
    return (lines[..<next].lastIndex(where: isContent) ?? index) + 1
  }

  private static func isContent(_ line: String) -> Bool {
    let text = line.drop { $0 == " " }
    return !text.isEmpty && !text.hasPrefix("#")
  }

  private static func indentation(_ line: String) -> Int { line.prefix { $0 == " " }.count }
}
