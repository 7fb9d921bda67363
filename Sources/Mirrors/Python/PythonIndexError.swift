import Host
import SystemPackage

/// Why there is no Python index.
public enum PythonIndexError: Error, CustomStringConvertible {
  /// No version of Python was asked for.
  case noPythons
  /// The requirement file cannot be read.
  case unreadable(FilePath)
  /// pip found no solution; what it said, with the Python and the architecture.
  case unresolvable([(machine: String, text: String)], [FilePath])
  /// The private pip could not be fetched; what pip said.
  case noPip(String)
  /// Wheels could not be installed into a folder; what pip said.
  case notInstalled(String)
  /// The resolver stopped for another reason; what it said.
  case broken(String)
  /// The resolver's answer could not be understood.
  case strangeAnswer(String)
  /// Two different files of one name.
  case ambiguous(name: String, urls: [String])
  /// The resolution is not one of this mirror.
  case foreign(path: String)

  /// A sentence for people.
  public var description: String {
    switch self {
    case .noPythons: "no version of Python was asked for"
    case .unreadable(let file): "the requirements \(file) cannot be read"
    case .unresolvable(let failures, let files):
      failures.map { machine, text in
        let wanted = files.map(\.string).joined(separator: ", ")
        return
          "pip finds no wheels for \(wanted.isEmpty ? "the extra requirements" : wanted) that \(machine) can "
          + "install:\n\(Self.lastLines(text))"
      }.joined(separator: "\n")
    case .noPip(let text):
      "a recent pip (\(PrivatePip.versions)) cannot be installed from the index that pip is configured for:\n"
        + "\(Self.lastLines(text))"
    case .notInstalled(let text):
      "the wheels in the bundle cannot be installed into a folder for an image:\n\(Self.lastLines(text))"
    case .broken(let text):
      "the program that asks pip stopped:\n\(Self.lastLines(text))"
    case .strangeAnswer(let text):
      "the program that asks pip gave an answer that cannot be understood: \(hidingCredentials(text))"
    case .ambiguous(let name, let urls):
      "two different files are called \(name): \(urls.map(hidingCredentials).joined(separator: " and "))"
    case .foreign(let path):
      "\(path) is not a file of a Python index"
    }
  }

  /// What pip said in the end, indented, each line once, without credentials.
  private static func lastLines(_ text: String) -> String {
    var seen: Set<Substring> = []
    let lines = text.split(whereSeparator: \.isNewline).filter {
      $0.contains { !$0.isWhitespace } && seen.insert($0).inserted
    }
    return hidingCredentials(lines.suffix(10).map { "  \($0)" }.joined(separator: "\n"))
  }
}
