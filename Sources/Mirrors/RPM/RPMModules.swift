/// The documents about modules, as a repository publishes them: YAML, one after another.
enum RPMModules {
  /// The documents of such a text, each with its marks.
  static func documents(_ text: String) -> [String] {
    var documents: [String] = []
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for line in text.hasSuffix("\n") ? lines.dropLast() : lines[...] {
      if line == "---" || documents.isEmpty { documents.append("") }
      documents[documents.count - 1] += line + "\n"
    }
    return documents.filter { $0.contains { !$0.isWhitespace } }
  }
}
