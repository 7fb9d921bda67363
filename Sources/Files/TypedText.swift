import SystemPackage

/// A text that people write, with any editor, on any system: lists, sources of packages, files of a checkout.
///
/// It is UTF-8, with a byte order mark or without. Its lines end by LF, CR LF or CR, the last one perhaps by nothing.
public struct TypedText: Sendable, Equatable {
  /// A line.
  public struct Line: Sendable, Equatable {
    /// Its number; the first line has 1.
    public let number: Int
    /// What is in it, without its end.
    public let text: String

    /// What stands between blanks, up to a word that begins with `#` and so is a comment.
    public var words: [String] {
      let words = text.unicodeScalars.split(whereSeparator: TypedText.isBlank).map(String.init)
      return Array(words.prefix { $0.utf8.first != UInt8(ascii: "#") })
    }
  }

  /// The text without a byte order mark, in which every line ends by a line feed, as here.
  public let content: String

  /// Takes a text that is in memory.
  public init(_ text: String) {
    var scalars = text.unicodeScalars[...]
    if scalars.first == Self.mark { scalars.removeFirst() }
    guard scalars.contains("\r") else {
      content = String(scalars)
      return
    }
    // To Swift "\r\n" is one Character, and another one than "\n".
    var plain = String.UnicodeScalarView()
    var isAfterReturn = false
    for scalar in scalars {
      if scalar == "\r" || scalar != "\n" || !isAfterReturn { plain.append(scalar == "\r" ? "\n" : scalar) }
      isAfterReturn = scalar == "\r"
    }
    content = String(plain)
  }

  /// Reads a file of at most `limit` bytes. Single bytes that are not UTF-8, such as those of a comment in Latin-1, become
  /// U+FFFD.
  ///
  /// - Throws: ``FileError``, or ``TextEncodingError`` for UTF-16.
  public init(reading path: FilePath, limit: Int = .max) throws {
    try self.init(try readBytes(path, limit: limit), of: path)
  }

  /// Takes the bytes of a file.
  ///
  /// - Throws: ``TextEncodingError`` for UTF-16.
  public init(_ bytes: [UInt8], of path: FilePath) throws(TextEncodingError) {
    guard !Self.isWide(bytes) else { throw TextEncodingError(path: path) }
    self.init(String(decoding: bytes, as: UTF8.self))
  }

  /// The lines; a line feed at the end of the text begins none.
  public var lines: [Line] {
    var lines = content.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.enumerated().map { Line(number: $0 + 1, text: String($1)) }
  }

  /// Whether bytes are UTF-16 or UTF-32: by their mark, or by the zero bytes that they have for every letter of English.
  public static func isWide(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) || bytes.contains(0)
  }

  /// White space, which includes the blank that keeps words together, and what has no width: they come along when text
  /// is copied from a page.
  static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || scalar == mark || ("\u{200b}"..."\u{200d}").contains(scalar)
      || scalar == "\u{2060}"
  }

  /// The byte order mark.
  private static let mark: Unicode.Scalar = "\u{feff}"
}

/// A file that should be text in UTF-8 and is in UTF-16, as some editors and shells of Windows write it.
public struct TextEncodingError: Error, Equatable, CustomStringConvertible {
  /// The file.
  public let path: FilePath

  /// A file in another encoding.
  public init(path: FilePath) { self.path = path }

  /// What is wrong, for a sentence that names the file already.
  public var reason: String { "it is in UTF-16 or has zero bytes, where text in UTF-8 is expected" }

  /// A sentence for people.
  public var description: String { "\(path): \(reason)" }
}

/// The text of a file that people wrote, as ``TypedText/content``.
///
/// - Throws: As ``TypedText/init(reading:limit:)``.
public func readTypedText(_ path: FilePath, limit: Int = .max) throws -> String {
  try TypedText(reading: path, limit: limit).content
}
