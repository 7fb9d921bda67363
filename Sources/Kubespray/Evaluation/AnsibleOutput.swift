import FoundationEssentials
import Host

/// What Ansible says when it fails, for people: the lines about failures with their messages, else the last lines.
struct AnsibleOutput {
  private let lines: [Substring]
  private let telling: [String]
  private let warnings: [String]

  init(_ result: CommandResult) {
    // Long ones are broken into lines.
    let parts = result.standardError.split(separator: "[WARNING]: ", omittingEmptySubsequences: false)
    warnings = parts.dropFirst().map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
    lines = (result.standardOutput + "\n" + result.standardError).split(whereSeparator: \.isNewline)
    var telling: [String] = []
    for (index, line) in lines.enumerated() {
      guard let failure = Self.failure(line) else { continue }
      telling.append(([failure] + Self.place(after: line, lines[(index + 1)...])).joined(separator: " "))
    }
    self.telling = telling
  }

  /// The excerpt, of at most eight lines.
  var excerpt: String {
    var seen: Set<String> = []
    let chosen =
      telling.isEmpty ? lines.suffix(8).map(String.init) : telling.filter { seen.insert($0).inserted }
    return chosen.prefix(8).map { "  \(hidingCredentials(Self.shortened($0)))" }.joined(separator: "\n")
  }

  /// A line without its middle, if it is long: Ansible repeats the template at the start, and says the cause at the end.
  private static func shortened(_ line: String) -> String {
    line.count > 600 ? "\(line.prefix(160)) … \(line.suffix(430))" : line
  }

  /// What follows a line about a file that cannot be read: what is wrong with it, and the file with its line.
  private static func place(after line: Substring, _ rest: ArraySlice<Substring>) -> [String] {
    guard line.hasPrefix("ERROR!") || line.hasPrefix("[ERROR]") else { return [] }
    let next = rest.prefix(8)
    guard
      let end = next.firstIndex(where: {
        $0.contains("The error appears to be in") || $0.hasPrefix("Origin: ")
      })
    else { return [] }
    return next[...end].filter { !$0.hasPrefix("JSON:") }.map {
      $0.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
  }

  /// Sources of the inventory that no plugin of Ansible could read, with the reason: Ansible goes on without them.
  var unreadSources: [(path: String, reason: String)] {
    warnings.compactMap { warning in
      guard let match = warning.firstMatch(of: /Unable to parse (.+?) as an inventory source/) else {
        return nil
      }
      let path = String(match.1)
      let reasons = warnings.compactMap { other in
        other.firstMatch(of: /Failed to parse (.+?) with \w+ plugin: (.+)/).flatMap {
          $0.1 == path ? String($0.2) : nil
        }
      }
      return (path, hidingCredentials(String((reasons.first ?? "no plugin knows it").prefix(300))))
    }
  }

  /// The line in readable form when it tells of a failure: `fatal:` of a task, `failed:` of one round of a loop,
  /// `ERROR!` or `[ERROR]` of anything else.
  private static func failure(_ line: Substring) -> String? {
    if line.hasPrefix("fatal: [") || line.hasPrefix("failed: [") { return readable(line) }
    guard
      line.hasPrefix("ERROR") || line.hasPrefix("[ERROR]") || line.contains("FAILED!")
        || line.contains("error:") || line.hasPrefix("error ") || line.contains(": command not found")
    else { return nil }
    return String(line)
  }

  private struct Details: Decodable {
    var message: String?
    var moduleErrors: String?
    var moduleOutput: String?

    enum CodingKeys: String, CodingKey {
      case message = "msg"
      case moduleErrors = "module_stderr"
      case moduleOutput = "module_stdout"
    }
  }

  /// `fatal: [HOST]: FAILED! => {JSON}` with what is said in the JSON.
  private static func readable(_ line: Substring) -> String {
    guard let arrow = line.firstRange(of: "=> {") else { return String(line) }
    let json = line[line.index(before: arrow.upperBound)...]
    guard let details = try? JSONDecoder().decode(Details.self, from: Data(json.utf8)) else {
      return String(line)
    }
    let said = [details.message, details.moduleErrors, details.moduleOutput].compactMap(\.self)
      .map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") }.filter { !$0.isEmpty }
    guard !said.isEmpty else { return String(line) }
    return line[..<arrow.lowerBound] + said.joined(separator: " ")
  }
}
