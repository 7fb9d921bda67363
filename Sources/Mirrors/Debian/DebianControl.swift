/// A paragraph of a Packages file: what an archive says about one version of a package.
///
/// Source: Debian policy, chapter 5; deb822(5).
struct DebianControl: Sendable {
  /// The paragraph without the empty line after it.
  let text: String
  /// The values, continuation lines included, by name as it is written.
  private let fields: [Substring: Substring]

  init(_ text: String) {
    var fields: [Substring: Substring] = [:]
    var name: Substring = ""
    var start = text.startIndex
    var end = text.startIndex
    for line in text.split(separator: "\n") {
      if line.first == " " || line.first == "\t" {
        end = line.endIndex
        continue
      }
      if !name.isEmpty { fields[name] = text[start..<end] }
      let colon = line.firstIndex(of: ":") ?? line.endIndex
      name = line[..<colon]
      start = colon == line.endIndex ? colon : line.index(after: colon)
      end = line.endIndex
    }
    if !name.isEmpty { fields[name] = text[start..<end] }
    self.text = text
    self.fields = fields
  }

  /// The value of a field without the blanks around it; empty when there is none.
  subscript(_ name: String) -> String {
    guard let value = fields[Substring(name)] else { return "" }
    return String(value.drop { $0.isWhitespace }.trimmingSuffix { $0.isWhitespace })
  }

  /// The packages that a field such as `Depends` names, of all alternatives.
  func relations(_ field: String) -> [Relation] {
    fields[Substring(field)]?.split { $0 == "," || $0 == "|" }.compactMap(Relation.init) ?? []
  }

  /// A package named by another: `libc6 (>= 2.36)`.
  struct Relation: Equatable {
    /// The package, without the `:any` or `:amd64` behind it.
    let name: String
    /// `<<`, `<=`, `=`, `>=`, `>>`, or empty for any version.
    let comparison: String
    /// The version compared with; empty for any version.
    let version: String

    init?(_ text: Substring) {
      let name = text.drop { $0.isWhitespace }.prefix { !$0.isWhitespace && $0 != ":" && $0 != "(" }
      guard !name.isEmpty else { return nil }
      self.name = String(name)
      guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close else {
        comparison = ""
        version = ""
        return
      }
      let inside = text[text.index(after: open)..<close]
      comparison = inside.filter { "<>=".contains($0) }
      version = inside.filter { !"<>=".contains($0) && !$0.isWhitespace }
    }
  }
}

extension Substring {
  fileprivate func trimmingSuffix(_ isBlank: (Character) -> Bool) -> Substring {
    var rest = self
    while let last = rest.last, isBlank(last) { rest.removeLast() }
    return rest
  }
}
