import Host
import SystemPackage

/// Opens ports in firewalld, where that runs.
enum Firewall {
  private static let kind = "firewall-port"

  /// Opens a port now and for later starts, unless it is open.
  ///
  /// - Throws: ``StepError`` or ``Host/CommandError``.
  static func open(_ port: Int, _ node: Node, _ journal: Journal) async throws {
    guard await isRunning(node) else { return }
    let rule = "\(port)/tcp"
    for permanent in [[], ["--permanent"]] {
      if await node.succeeds(Command("firewall-cmd", permanent + ["--query-port=\(rule)"])) { continue }
      try journal.note(kind, (permanent + [rule]).joined(separator: " "))
      try await node.output(Command("firewall-cmd", permanent + ["--add-port=\(rule)"]))
    }
  }

  /// Closes what this step has opened.
  static func close(_ node: Node, _ journal: Journal) async {
    guard !journal.notes(kind).isEmpty, await isRunning(node) else { return }
    for note in journal.notes(kind) {
      let words = note.split(separator: " ").map(String.init)
      guard let rule = words.last else { continue }
      _ = await node.succeeds(Command("firewall-cmd", words.dropLast() + ["--remove-port=\(rule)"]))
    }
  }

  private static func isRunning(_ node: Node) async -> Bool {
    guard node.exists("/usr/bin/firewall-cmd") else { return false }
    return await node.succeeds(Command("firewall-cmd", ["--state"]))
  }
}
