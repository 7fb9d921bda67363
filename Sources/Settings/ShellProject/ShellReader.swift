/// Walks over the text of a shell script, as far as ``ShellAssignments`` needs it (POSIX shell, 2.2 and 2.6).
struct ShellReader {
  /// Whether a statement begins or ends a part that may not be run.
  enum Keyword { case opens, closes, none }

  private let text: [Character]
  private var position = 0
  private(set) var line = 1
  /// Whether the last value was an array.
  private(set) var wasArray = false

  init(_ script: String) {
    // "\r\n" is one Character, and a line that ends so is meant to end there.
    text = Array(script.replacing("\r\n", with: "\n"))
  }

  private var current: Character? { position < text.count ? text[position] : nil }

  private mutating func advance() {
    guard let character = current else { return }
    if character == "\n" { line += 1 }
    position += 1
  }

  // MARK: Statements

  /// Goes to the next statement; its position.
  mutating func nextStatement() -> Int? {
    while let character = current {
      if character == "#" {
        while let character = current, character != "\n" { advance() }
      } else if character.isWhitespace || ";&|)".contains(character) {
        advance()
      } else {
        return position
      }
    }
    return nil
  }

  /// What the statement's first word means for those after it.
  func keyword(at start: Int) -> Keyword {
    var end = start
    while end < text.count, !text[end].isWhitespace, !";&|".contains(text[end]) { end += 1 }
    switch String(text[start..<end]) {
    // A function is opened by the brace behind its name.
    case "if", "case", "for", "while", "until", "select", "{": return .opens
    case "fi", "esac", "done", "}": return .closes
    default: return .none
    }
  }

  var isAtEndOfStatement: Bool {
    var index = position
    while index < text.count, text[index] == " " || text[index] == "\t" { index += 1 }
    return index >= text.count || "\n;#".contains(text[index])
  }

  /// Goes to the end of the statement, over quotes.
  mutating func skipStatement() {
    if current == "{" { advance() }
    while let character = current, character != "\n", character != ";" {
      switch character {
      case "\\":
        advance()
        advance()
      case "'": skipQuoted("'")
      case "\"": skipQuoted("\"")
      case "#" where position > 0 && text[position - 1].isWhitespace: return
      case "{" where isBlockAhead: return
      default: advance()
      }
    }
  }

  /// The `{` of a function, which is a statement of its own.
  private var isBlockAhead: Bool {
    position > 0 && (text[position - 1].isWhitespace || text[position - 1] == ")")
      && (position + 1 >= text.count || text[position + 1].isWhitespace)
  }

  private mutating func skipQuoted(_ quote: Character) {
    advance()
    while let character = current, character != quote {
      if character == "\\", quote == "\"" { advance() }
      advance()
    }
    advance()
  }

  // MARK: Words

  private mutating func skipBlanks() {
    while let character = current {
      if character == "\\", position + 1 < text.count, text[position + 1] == "\n" {
        advance()
      } else if character != " ", character != "\t" {
        return
      }
      advance()
    }
  }

  /// Takes a word if it is the next one.
  mutating func take(word: String) -> Bool {
    let end = position + word.count
    guard end <= text.count, String(text[position..<end]) == word,
      end == text.count || text[end].isWhitespace
    else { return false }
    while position < end { advance() }
    skipBlanks()
    return true
  }

  /// Takes an option such as `-x`.
  mutating func takeOption() -> Bool {
    guard current == "-" else { return false }
    while let character = current, !character.isWhitespace { advance() }
    skipBlanks()
    return true
  }

  /// Takes `NAME=` or `NAME+=`.
  mutating func assignment() -> (name: String, appends: Bool)? {
    skipBlanks()
    var end = position
    while end < text.count, text[end].isASCII, text[end].isLetter || text[end].isNumber || text[end] == "_" {
      end += 1
    }
    let name = String(text[position..<end])
    guard let first = name.first, !first.isNumber else { return nil }
    let appends = end + 1 < text.count && text[end] == "+" && text[end + 1] == "="
    guard appends || (end < text.count && text[end] == "=") else { return nil }
    position = end + (appends ? 2 : 1)
    return (name, appends)
  }

  var isAtArray: Bool { current == "(" }

  /// Takes an array; `nil` when not all of it is known.
  mutating func array(_ variables: inout ShellAssignments) -> [String]? {
    wasArray = true
    advance()
    var words: [String]? = []
    while true {
      while let character = current, character.isWhitespace || character == "\\" { advance() }
      guard let character = current else { return nil }
      if character == ")" {
        advance()
        return words
      }
      if character == "#" {
        while let character = current, character != "\n" { advance() }
        continue
      }
      let start = position
      if let more = word(&variables) { words? += more } else { words = nil }
      if position == start { advance() }
    }
  }

  /// Takes the value of an assignment; `nil` when it is not known.
  mutating func value(_ variables: inout ShellAssignments) -> [String]? {
    wasArray = false
    if isAtEndOfStatement || current?.isWhitespace == true { return [""] }
    return word(&variables).map { [$0.joined(separator: " ")] }
  }

  /// Takes a word: what it stands for, several words if it is a whole array; empty at the end of the statement, `nil`
  /// when it is not known.
  mutating func word(_ variables: inout ShellAssignments) -> [String]? {
    skipBlanks()
    var result: [String]? = nil
    func add(_ words: [String], to result: inout [String]?) {
      guard var known = result else {
        result = words
        return
      }
      if let last = known.popLast() { known.append(last + (words.first ?? "")) } else { known = words }
      result = known + words.dropFirst()
    }
    var isKnown = true
    var isAny = false
    while let character = current, !character.isWhitespace, !";&|()".contains(character) {
      isAny = true
      guard let part = part(&variables, isQuoted: false) else {
        isKnown = false
        continue
      }
      add(part, to: &result)
    }
    return !isAny ? [] : isKnown ? result ?? [""] : nil
  }

  /// Takes one character, quoted text or expansion.
  private mutating func part(_ variables: inout ShellAssignments, isQuoted: Bool) -> [String]? {
    guard let character = current else { return [] }
    switch character {
    case "\\":
      advance()
      guard let next = current else { return [""] }
      advance()
      if next == "\n" { return [""] }
      return [isQuoted && !"\"\\$`".contains(next) ? "\\\(next)" : "\(next)"]
    case "'" where !isQuoted:
      advance()
      var content = ""
      while let character = current, character != "'" {
        content.append(character)
        advance()
      }
      advance()
      return [content]
    case "\"":
      return quoted(&variables)
    case "`":
      skipQuoted("`")
      return nil
    case "$":
      return expansion(&variables)
    default:
      advance()
      return [String(character)]
    }
  }

  private mutating func quoted(_ variables: inout ShellAssignments) -> [String]? {
    advance()
    var words: [String]? = [""]
    while let character = current, character != "\"" {
      guard let part = part(&variables, isQuoted: true) else {
        words = nil
        continue
      }
      guard var known = words else { continue }
      known[known.count - 1] += part.first ?? ""
      words = known + part.dropFirst()
    }
    advance()
    return words
  }

  private mutating func expansion(_ variables: inout ShellAssignments) -> [String]? {
    advance()
    if current == "(" {
      skipBalanced("(", ")")
      return nil
    }
    guard current == "{" else {
      let name = name()
      return name.isEmpty ? ["$"] : variables.expansion(name)
    }
    let start = position
    advance()
    let name = name()
    for all in ["[@]", "[*]"] where remainder(is: all) {
      for _ in all { advance() }
    }
    return operation(name, &variables) { reader in
      reader.position = start
      reader.skipBalanced("{", "}")
    }
  }

  /// What stands behind the name in `${NAME...}`.
  private mutating func operation(
    _ name: String, _ variables: inout ShellAssignments, giveUp: (inout ShellReader) -> Void
  ) -> [String]? {
    let known = variables.expansion(name)
    if current == "}", !name.isEmpty {
      advance()
      return known
    }
    let hasColon = current == ":"
    if hasColon { advance() }
    guard let sign = current, "-=+?".contains(sign), !name.isEmpty else {
      giveUp(&self)
      return nil
    }
    advance()
    var word: [String]? = [""]
    while let character = current, character != "}" {
      let part = part(&variables, isQuoted: false)
      if let text = part?.joined(separator: " ") {
        word = word.map { [($0.first ?? "") + text] }
      } else {
        word = nil
      }
    }
    advance()
    guard let known else { return nil }
    let isSet = hasColon ? !known.joined().isEmpty : !known.isEmpty
    if sign == "+" { return isSet ? word : [] }
    if isSet { return known }
    if sign == "=", let text = word?.first { variables.setDefault(name, text, line: line) }
    return word
  }

  private mutating func name() -> String {
    var name = ""
    while let character = current, character.isASCII,
      character.isLetter || character == "_" || (!name.isEmpty && character.isNumber)
    {
      name.append(character)
      advance()
    }
    return name
  }

  private func remainder(is word: String) -> Bool {
    position + word.count <= text.count && String(text[position..<position + word.count]) == word
  }

  private mutating func skipBalanced(_ open: Character, _ close: Character) {
    var depth = 0
    while let character = current {
      switch character {
      case "'": skipQuoted("'")
      case "\"": skipQuoted("\"")
      case "\\":
        advance()
        advance()
      default:
        if character == open { depth += 1 }
        if character == close { depth -= 1 }
        advance()
        if depth == 0 { return }
      }
    }
  }
}
