import YAML

/// A role that a task includes, with what the task itself tells put in for its own names: `item` of a loop over
/// literals, and mappings in its `vars`.
struct IncludedRole {
  /// The role's name, a template.
  var name: String
  /// The conditions; all must hold.
  var conditions: [String]

  /// The roles that a task includes, one a round of its loop.
  static func rounds(of task: YAMLNode, name: String, conditions: [String]) -> [IncludedRole] {
    var role = IncludedRole(name: name, conditions: conditions)
    for (key, value) in task["vars"]?.mapping?.entries ?? [] {
      guard let variable = key.string, let literal = literal(of: value) else { continue }
      role.replace(variable, with: literal)
    }
    let items = (task["loop"] ?? task["with_items"])?.sequence?.compactMap(\.mapping) ?? []
    guard !items.isEmpty else { return [role] }
    return items.map { item in
      var round = role
      for (key, value) in item.entries {
        guard let field = key.string, let text = value.string else { continue }
        let expression = text.wholeMatch(of: /\s*\{\{(.*)\}\}\s*/).map { "(\($0.1))" } ?? quoted(text)
        round.replace("item.\(field)", with: expression)
      }
      return round
    }
  }

  /// A mapping of texts as Jinja writes it.
  private static func literal(of node: YAMLNode) -> String? {
    guard let entries = node.mapping?.entries else { return nil }
    let members = entries.compactMap { entry -> String? in
      guard let key = entry.key.string, let value = entry.value.string, !value.contains("{{") else {
        return nil
      }
      return "\(quoted(key)): \(quoted(value))"
    }
    return members.count == entries.count ? "{\(members.joined(separator: ", "))}" : nil
  }

  private static func quoted(_ text: String) -> String {
    "'\(text.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
  }

  /// Puts an expression where a name stands as a whole word; in the role's name only between braces.
  private mutating func replace(_ word: String, with expression: String) {
    conditions = conditions.map { Self.replacing(word, in: $0, with: expression) }
    name = URLTemplate(name).pieces.map { piece in
      switch piece {
      case .literal(let text): text
      case .expression(let text): Self.replacing(word, in: text, with: expression)
      }
    }.joined()
  }

  private static func replacing(_ word: String, in text: String, with expression: String) -> String {
    var result = ""
    var rest = text[...]
    while let range = rest.firstRange(of: word) {
      let before = rest[..<range.lowerBound].last ?? result.last
      let after = rest[range.upperBound...].first
      let isWord = !isNamePart(before) && before != "." && !isNamePart(after)
      result += rest[..<range.lowerBound] + (isWord ? expression : word)
      rest = rest[range.upperBound...]
    }
    return result + rest
  }

  private static func isNamePart(_ character: Character?) -> Bool {
    character.map { $0 == "_" || $0.isLetter || $0.isNumber } ?? false
  }
}
