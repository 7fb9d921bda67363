/// The variables that a shell script assigns, found by reading it: nothing in it is run.
///
/// Understood are assignments that always happen: words in all kinds of quotes, `$NAME`, `${NAME}`,
/// `${NAME:-default}` and its kin, arrays, `+=`, and `: ${NAME:=default}` (POSIX shell, 2.6.2). What stands inside of
/// `if`, loops and functions, or is made by a command, is not known.
public struct ShellAssignments: Sendable, Equatable {
  /// What a variable has at the end of the script.
  struct Value: Sendable, Equatable {
    /// The words, one if it is not an array; `nil` when only running the script would tell.
    let words: [String]?
    /// The line of the last assignment, from 1.
    let line: Int
  }

  private(set) var values: [String: Value] = [:]
  private let environment: [String: String]

  /// Reads the text of a script that would find these variables in its environment.
  public init(_ script: String, environment: [String: String] = [:]) {
    self.environment = environment
    var reader = ShellReader(script)
    var depth = 0
    while let start = reader.nextStatement() {
      switch reader.keyword(at: start) {
      case .opens: depth += 1
      case .closes: depth = max(0, depth - 1)
      case .none: if depth == 0 { assign(&reader) }
      }
      reader.skipStatement()
    }
  }

  /// The value of a variable, an array's words with spaces between; `nil` when it has none, or none that is known.
  public func text(_ name: String) -> String? { values[name]?.words?.joined(separator: " ") }

  /// The line that assigned a variable, from 1.
  public func line(_ name: String) -> Int? { values[name]?.line }

  private mutating func assign(_ reader: inout ShellReader) {
    if reader.take(word: ":") {
      // Only for what its words assign in passing.
      while let words = reader.word(&self), words != [] {}
      return
    }
    for word in ["export", "readonly", "declare", "typeset"] where reader.take(word: word) {
      while reader.takeOption() {}
    }
    var found: [(name: String, value: Value)] = []
    while let target = reader.assignment() {
      let line = reader.line
      let words = reader.isAtArray ? reader.array(&self) : reader.value(&self)
      let before = target.appends ? values[target.name]?.words ?? [] : []
      var value = words
      if target.appends, let words {
        value = reader.wasArray ? before + words : [before.joined(separator: " ") + (words.first ?? "")]
      }
      found.append((target.name, Value(words: value, line: line)))
    }
    // In front of a command they are for that command alone.
    guard reader.isAtEndOfStatement else { return }
    for (name, value) in found { values[name] = value }
  }

  /// What a variable stands for; `nil` when that is not known.
  func expansion(_ name: String) -> [String]? {
    if let value = values[name] { return value.words }
    return environment[name].map { [$0] } ?? []
  }

  mutating func setDefault(_ name: String, _ text: String, line: Int) {
    values[name] = Value(words: [text], line: line)
  }
}
