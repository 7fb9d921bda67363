/// A place in a file, counted from 1; columns count characters.
public struct YAMLPosition: Hashable, Sendable {
  /// The line, from 1.
  public let line: Int
  /// The character in the line, from 1.
  public let column: Int

  /// Makes a position.
  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

/// Something wrong in a YAML file: `config/config.yml:12:5: message`.
public struct YAMLError: Error, Hashable, CustomStringConvertible {
  /// The file's name as the user knows it.
  public let source: String
  /// Where in the file; nil when it is about the file as a whole.
  public let position: YAMLPosition?
  /// What is wrong.
  public let message: String

  /// Makes an error about a place, or about the whole file when no position is given.
  public init(source: String, position: YAMLPosition? = nil, _ message: String) {
    self.source = source
    self.position = position
    self.message = message
  }

  /// `file:line:column: message`, the form that editors can jump to.
  public var description: String {
    guard let position else { return "\(source): \(message)" }
    return "\(source):\(position.line):\(position.column): \(message)"
  }
}
