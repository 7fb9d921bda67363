import FoundationEssentials
import Host

/// What Ansible says when it fails, for people: the lines about failures with their messages, else the last lines.
struct AnsibleOutput {
  private let lines: [Substring]
  private let telling: [String]

  init(_ result: CommandResult) {
    lines = (result.standardOutput + "\n" + result.standardError).split(whereSeparator: \.isNewline)
    telling = lines.compactMap(Self.failure)
  }

  /// The excerpt, of at most eight lines.
  var excerpt: String {
    var seen: Set<String> = []
    let chosen =
      telling.isEmpty ? lines.suffix(8).map(String.init) : telling.filter { seen.insert($0).inserted }
    return chosen.prefix(8).map { "  \(hidingCredentials(String($0.prefix(600))))" }.joined(separator: "\n")
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
