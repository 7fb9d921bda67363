import Files
import SystemPackage

/// Reading what apt reads (apt's `sourcelist.cc`, `strutl.cc` and `tagfile.cc`; sources.list(5)).
extension AptSource {
  /// The sources of binary packages in a file of either form.
  static func parse(_ text: String, file: FilePath) -> [AptSource] {
    let lines = TypedText(text).lines.map(\.text)
    return isDeb822(text) ? paragraphs(lines, file) : lines.compactMap { oneLine($0, file) }
  }

  /// Whether a file declares its sources in paragraphs; apt wants to see that by its name, `.sources`.
  static func isDeb822(_ text: String) -> Bool {
    !TypedText(text).lines.contains { ["deb", "deb-src"].contains($0.words.first) }
  }

  /// The text without the lines that declare source packages: nothing of them is asked for, and they may be gone.
  static func withoutSourcePackages(_ text: String) -> String {
    TypedText(text).lines.filter { $0.words.first != "deb-src" }.map { $0.text + "\n" }.joined()
  }

  /// Whether apt takes a name in the folder of sources: it passes over others (`GetListOfFilesInDir`).
  static func isFileName(_ name: String, _ endings: [String]) -> Bool {
    guard name.utf8.first != UInt8(ascii: "."), endings.contains(where: name.hasSuffix) else { return false }
    return name.unicodeScalars.allSatisfy {
      $0.isASCII
        && ($0.properties.isAlphabetic || $0.properties.numericType != nil
          || "_-:.".unicodeScalars.contains($0))
    }
  }

  /// What apt takes for yes (`StringToBool`).
  static func isYes(_ text: String) -> Bool {
    ["yes", "true", "with", "on", "enable", "1"].contains(text.lowercased())
  }

  private static func isNo(_ text: String) -> Bool {
    ["no", "false", "without", "off", "disable", "0"].contains(text.lowercased())
  }

  /// The words of a value; words that are separated by commas in the form of one line are separated by blanks in paragraphs.
  static func words(_ text: String) -> [String] {
    text.unicodeScalars.split { $0.properties.isWhitespace }.map(String.init)
  }

  // MARK: Paragraphs

  private static func paragraphs(_ lines: [String], _ file: FilePath) -> [AptSource] {
    let kept = lines.filter { $0.utf8.first != UInt8(ascii: "#") }
    return kept.split { words($0).isEmpty }.compactMap { paragraph(Array($0), file) }
  }

  private static func paragraph(_ lines: [String], _ file: FilePath) -> AptSource? {
    var fields: [(name: String, value: String)] = []
    for line in lines {
      let first = line.utf8.first
      if first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") {
        if !fields.isEmpty { fields[fields.count - 1].value += "\n" + line }
      } else {
        let name = String(line.unicodeScalars.prefix { $0 != ":" })
        fields.append((name, String(line.unicodeScalars.dropFirst(name.unicodeScalars.count + 1))))
      }
    }
    // Names have no case, and the last field of a name counts.
    func field(_ name: String) -> String {
      fields.last { $0.name.lowercased() == name }.map { trimmed($0.value) } ?? ""
    }
    guard words(field("types")).contains("deb"), !isNo(field("enabled")) else { return nil }
    let fixed = ["types", "uris", "suites", "components", "enabled"]
    var options: [String: String] = [:]
    for (name, value) in fields where !fixed.contains(name.lowercased()) {
      options[names[name.lowercased()] ?? name] = trimmed(value)
    }
    return AptSource(
      uris: words(field("uris")), suites: words(field("suites")), components: words(field("components")),
      options: options, file: file)
  }

  private static func trimmed(_ text: String) -> String {
    var scalars = text.unicodeScalars[...]
    while scalars.first?.properties.isWhitespace == true { scalars.removeFirst() }
    while scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
    return String(scalars)
  }

  // MARK: One line

  /// `deb [arch=amd64 signed-by=/…] http://… bookworm main`
  private static func oneLine(_ line: String, _ file: FilePath) -> AptSource? {
    var reader = QuotedWords(line)
    guard reader.next() == "deb" else { return nil }
    var options: [String: String] = [:]
    for option in reader.takeOptions() {
      let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
        String.init)
      guard parts.count == 2, let last = parts[0].last else { continue }
      let suffix = ["+": "-Add", "-": "-Remove"][last]
      let name = (suffix == nil ? parts[0] : String(parts[0].dropLast())).lowercased()
      guard let known = shortNames[name] ?? names[name] else { continue }
      options[known + (suffix ?? "")] = parts[1].split(separator: ",").joined(separator: " ")
    }
    guard let uri = reader.next(), let suite = reader.next() else { return nil }
    var components: [String] = []
    while let component = reader.next() { components.append(component) }
    return AptSource(uris: [uri], suites: [suite], components: components, options: options, file: file)
  }

  /// The names in one line that are others than in paragraphs.
  private static let shortNames = ["arch": "Architectures", "lang": "Languages", "target": "Targets"]

  /// The names of sources.list(5) as it writes them, by themselves in lower case.
  private static let names: [String: String] = {
    let own = [
      "Architectures", "Languages", "Targets", "PDiffs", "By-Hash", "Allow-Insecure", "Allow-Weak",
      "Allow-Downgrade-To-Insecure", "Trusted", "Signed-By", "Check-Valid-Until", "Valid-Until-Min",
      "Valid-Until-Max", "Check-Date", "Date-Max-Future", "InRelease-Path", "Snapshot", "Include", "Exclude",
    ]
    let all = own.flatMap { [$0, $0 + "-Add", $0 + "-Remove"] }
    return Dictionary(uniqueKeysWithValues: all.map { ($0.lowercased(), $0) })
  }()
}

/// The words of a line as apt separates them (`ParseQuoteWord`): blanks in quotation marks and in brackets do not
/// separate, and `#` outside of brackets begins a comment.
private struct QuotedWords {
  private var rest: ArraySlice<UInt8>

  init(_ line: String) {
    let bytes = Array(line.utf8)
    var end = 0
    while end < bytes.count, bytes[end] != UInt8(ascii: "#") {
      if bytes[end] == UInt8(ascii: "["), let close = bytes[end...].firstIndex(of: UInt8(ascii: "]")) {
        end = close
      }
      end += 1
    }
    rest = bytes[..<min(end, bytes.count)]
  }

  /// The next word, without its quotation marks; blanks in it are escaped.
  mutating func next() -> String? {
    skipBlanks()
    var word: [UInt8] = []
    var isQuoted = false
    var isBracketed = false
    guard !rest.isEmpty else { return nil }
    while let byte = rest.first, isQuoted || isBracketed || !Self.isBlank(byte) {
      rest.removeFirst()
      switch byte {
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: "["):
        isBracketed = true
        word.append(byte)
      case UInt8(ascii: "]"):
        isBracketed = false
        word.append(byte)
      default: word += Self.isBlank(byte) ? Array("%20".utf8) : [byte]
      }
    }
    return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
  }

  /// The words between brackets, if these are next.
  mutating func takeOptions() -> [String] {
    skipBlanks()
    guard rest.first == UInt8(ascii: "["), let close = rest.firstIndex(of: UInt8(ascii: "]")) else {
      return []
    }
    let inside = rest[..<close].dropFirst()
    rest = rest[(close + 1)...]
    return AptSource.words(String(decoding: inside, as: UTF8.self))
  }

  private mutating func skipBlanks() { rest = rest.drop(while: Self.isBlank) }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
}
