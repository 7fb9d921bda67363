/// Writing values so that every YAML reader, Ansible's among them, reads back the same text.
extension YAML {
  /// A text as a scalar of one line: plain where that is safe, otherwise in double quotes.
  ///
  /// Texts that YAML 1.1 could take for a number, a truth value, null or a date are quoted.
  public static func scalar(_ text: String) -> String { isSafePlain(text) ? text : quoted(text) }

  /// A text in double quotes, with everything escaped that is not printable.
  public static func quoted(_ text: String) -> String {
    var result = "\""
    for character in text.unicodeScalars {
      switch character {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case " "..."~", "\u{a1}"..."\u{2027}", "\u{202a}"..."\u{fefe}", "\u{10000}"...:
        result.unicodeScalars.append(character)
      default:
        let hex = String(character.value, radix: 16, uppercase: true)
        result += "\\U" + String(repeating: "0", count: 8 - hex.count) + hex
      }
    }
    return result + "\""
  }

  /// Whether a text begins with a letter or a slash, holds nothing that has a meaning in YAML, and is not a word
  /// of YAML 1.1.
  private static func isSafePlain(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, first.isASCII else { return false }
    guard first.properties.isAlphabetic || first == "/" else { return false }
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]
    return !words.contains(text.lowercased())
      && text.utf8.allSatisfy { byte in
        byte < 0x80 && Unicode.Scalar(byte).properties.isAlphabetic || (0x30...0x39).contains(byte)
          || "-_./@+".utf8.contains(byte)
      }
  }
}
