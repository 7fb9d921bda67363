/// A configuration file of pip or Ansible: sections of `name = value`, a value going on in lines that begin with blanks
/// (Python's `configparser`, without interpolation).
struct SectionedSettings {
  private var sections: [String: [String: String]] = [:]

  init(_ text: String) {
    var section = ""
    var option: String?
    for line in text.unicodeScalars.split(whereSeparator: { $0 == "\n" || $0 == "\r" }) {
      let isIndented = line.first == " " || line.first == "\t"
      let words = Self.trimmed(String(String.UnicodeScalarView(line)))
      guard !words.isEmpty, !words.hasPrefix("#"), !words.hasPrefix(";") else { continue }
      if isIndented, let option {
        sections[section, default: [:]][option, default: ""] += "\n" + words
      } else if words.hasPrefix("["), let end = words.firstIndex(of: "]") {
        section = String(words[words.index(after: words.startIndex)..<end])
        option = nil
      } else if let mark = words.firstIndex(where: { $0 == "=" || $0 == ":" }) {
        let name = Self.trimmed(String(words[..<mark])).lowercased().replacing("_", with: "-")
        let bare = name.hasPrefix("--") ? String(name.dropFirst(2)) : name
        sections[section, default: [:]][bare] = Self.trimmed(String(words[words.index(after: mark)...]))
        option = bare
      }
    }
  }

  /// The options of one of pip's commands by name, with dashes; its own section wins over `global`.
  func options(of command: String) -> [String: String] {
    (sections["global"] ?? [:]).merging(sections[command] ?? [:]) { $1 }
  }

  /// An option of a section, by its name with dashes; `nil` when it is missing or empty.
  func option(_ name: String, in section: String) -> String? {
    sections[section]?[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func trimmed(_ text: String) -> String {
    String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }
}
