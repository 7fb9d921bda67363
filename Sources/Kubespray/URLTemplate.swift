/// A URL as kubespray writes it: text with Jinja expressions. A concrete URL is a template without any.
///
/// Expressions are never looked into: `{{ 'static-' if x }}` stays one piece with its quotes and spaces, so a
/// path made of the pieces is a template that Ansible evaluates to the same text.
struct URLTemplate: Hashable, Sendable {
  /// One stretch of a template.
  enum Piece: Hashable, Sendable {
    /// Characters that stand for themselves.
    case literal(String)
    /// `{{ … }}` or `{% … %}`, whole.
    case expression(String)

    /// The text as written.
    var text: String {
      switch self {
      case .literal(let text), .expression(let text): text
      }
    }
  }

  let pieces: [Piece]

  init(_ text: String) {
    pieces = Self.parse(Array(text))
  }

  private init(pieces: [Piece]) {
    self.pieces = pieces
  }

  /// The template as written.
  var text: String { pieces.map(\.text).joined() }

  /// What stands between slashes, the slashes inside expressions aside.
  var segments: [URLTemplate] {
    var segments: [[Piece]] = [[]]
    for piece in pieces {
      guard case .literal(let text) = piece else {
        segments[segments.count - 1].append(piece)
        continue
      }
      for (index, part) in text.split(separator: "/", omittingEmptySubsequences: false).enumerated() {
        if index > 0 { segments.append([]) }
        if !part.isEmpty { segments[segments.count - 1].append(.literal(String(part))) }
      }
    }
    return segments.map(URLTemplate.init(pieces:))
  }

  /// The literal text in front of the first expression.
  var literalPrefix: String {
    if case .literal(let text)? = pieces.first { text } else { "" }
  }

  /// The literal text behind the last expression.
  var literalSuffix: String {
    if case .literal(let text)? = pieces.last { text } else { "" }
  }

  /// The expressions in order of appearance.
  var expressions: [String] {
    pieces.compactMap { if case .expression(let text) = $0 { text } else { nil } }
  }

  /// What each expression stands for in a rendered text; the same expression has the same value everywhere.
  ///
  /// - Returns: nil when the text is not a rendering of this template.
  func bindings(rendered text: String) -> [String: String]? {
    Self.bind(pieces[...], Array(text)[...], [:])
  }

  /// The text with each expression replaced by its value; unknown expressions stay.
  func rendered(_ values: [String: String]) -> String {
    pieces.map { piece in
      if case .expression(let text) = piece { values[text] ?? text } else { piece.text }
    }.joined()
  }
}

extension URLTemplate {
  /// Cuts at expression borders. Quoted strings inside an expression may hold `}}`.
  private static func parse(_ characters: [Character]) -> [Piece] {
    var pieces: [Piece] = []
    var literal = ""
    var index = 0
    while index < characters.count {
      if let end = expressionEnd(characters, from: index) {
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        literal = ""
        pieces.append(.expression(String(characters[index..<end])))
        index = end
      } else {
        literal.append(characters[index])
        index += 1
      }
    }
    if !literal.isEmpty { pieces.append(.literal(literal)) }
    return pieces
  }

  /// The position behind an expression that starts here, or nil when none does or it never ends.
  private static func expressionEnd(_ characters: [Character], from start: Int) -> Int? {
    guard start + 1 < characters.count, characters[start] == "{" else { return nil }
    let closing: Character
    switch characters[start + 1] {
    case "{": closing = "}"
    case "%": closing = "%"
    default: return nil
    }
    var quote: Character?
    var index = start + 2
    while index + 1 < characters.count {
      let character = characters[index]
      if let open = quote {
        if character == "\\" { index += 1 } else if character == open { quote = nil }
      } else if character == "'" || character == "\"" {
        quote = character
      } else if character == closing, characters[index + 1] == "}" {
        return index + 2
      }
      index += 1
    }
    return nil
  }

  /// Finds values by shortest match first, going back when the rest does not fit.
  private static func bind(
    _ pieces: ArraySlice<Piece>, _ text: ArraySlice<Character>, _ known: [String: String]
  ) -> [String: String]? {
    guard let piece = pieces.first else { return text.isEmpty ? known : nil }
    let rest = pieces.dropFirst()
    switch piece {
    case .literal(let literal):
      guard text.starts(with: literal) else { return nil }
      return bind(rest, text.dropFirst(literal.count), known)
    case .expression(let expression):
      if let value = known[expression] {
        guard text.starts(with: value) else { return nil }
        return bind(rest, text.dropFirst(value.count), known)
      }
      // A last expression takes all that is left; trying shorter values would only fail.
      for length in (rest.isEmpty ? text.count : 0)...text.count {
        var extended = known
        extended[expression] = String(text.prefix(length))
        if let found = bind(rest, text.dropFirst(length), extended) { return found }
      }
      return nil
    }
  }
}
