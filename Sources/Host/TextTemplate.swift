/// A text in another language, kept in a file of its own, in which `@name@` stands for a value.
///
/// The file stays what editors, linters and readers know. A value is quoted as the language wants it; a part of the
/// language itself, such as the words of a command line, is given as ``filled(_:verbatim:)``'s `verbatim`.
public struct TextTemplate: Sendable {
  private let text: String
  private let quoting: @Sendable (String) -> String

  /// - Parameters:
  ///   - bytes: The file's content, as the package manager embeds it.
  ///   - quoting: Makes of a value what the language reads back as exactly that value.
  public init(_ bytes: [UInt8], quoting: @escaping @Sendable (String) -> String = { $0 }) {
    text = String(decoding: bytes, as: UTF8.self)
    self.quoting = quoting
  }

  /// The text with all places filled in. What a value has in it is never taken for a place.
  ///
  /// - Parameters:
  ///   - values: The values by name. A line with a place whose value is `nil` is left out.
  ///   - verbatim: Parts of the language by name, put in as they are.
  /// - Precondition: Every place of the text has a value.
  public func filled(_ values: [String: String?], verbatim: [String: String] = [:]) -> String {
    let all = values.mapValues { $0.map(quoting) }.merging(verbatim.mapValues(Optional.some)) { $1 }
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .compactMap { Self.filled($0, all) }.joined(separator: "\n")
  }

  private static func filled(_ line: Substring, _ values: [String: String?]) -> String? {
    var result = ""
    var rest = line
    while let mark = rest.firstIndex(of: "@") {
      let name = rest[rest.index(after: mark)...].prefix { $0.isASCII && $0.isLetter }
      guard !name.isEmpty, name.endIndex < rest.endIndex, rest[name.endIndex] == "@" else {
        result += rest[...mark]
        rest = rest[rest.index(after: mark)...]
        continue
      }
      guard let value = values[String(name)] else {
        preconditionFailure("no value for @\(name)@ in: \(line)")
      }
      guard let value else { return nil }
      result += rest[..<mark] + value
      rest = rest[rest.index(after: name.endIndex)...]
    }
    return result + rest
  }
}
