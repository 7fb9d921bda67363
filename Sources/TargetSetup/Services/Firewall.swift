import Host
import SystemPackage

/// Opens ports in firewalld, where that runs.
enum Firewall {
  /// Opens a port now and for later starts, unless it is open.
  ///
  /// - Throws: ``StepError`` or ``Host/CommandError``.
  static func open(_ port: Int, _ host: TargetHost, _ journal: Journal) async throws {
    guard await isRunning(host) else { return }
    let rule = "\(port)/tcp"
    for permanent in [[], ["--permanent"]] {
      if await host.succeeds(Command("firewall-cmd", permanent + ["--query-port=\(rule)"])) { continue }
      try journal.note(.firewallPort, (permanent + [rule]).joined(separator: " "))
      try await host.output(Command("firewall-cmd", permanent + ["--add-port=\(rule)"]))
    }
  }

  /// Closes what this step has opened.
  static func close(_ host: TargetHost, _ journal: Journal) async {
    guard !journal.notes(.firewallPort).isEmpty, await isRunning(host) else { return }
    for note in journal.notes(.firewallPort) {
      let words = note.split(separator: " ").map(String.init)
      guard let rule = words.last else { continue }
      _ = await host.succeeds(Command("firewall-cmd", words.dropLast() + ["--remove-port=\(rule)"]))
    }
  }

  private static func isRunning(_ host: TargetHost) async -> Bool {
    guard host.exists("/usr/bin/firewall-cmd") else { return false }
    return await host.succeeds(Command("firewall-cmd", ["--state"]))
  }
}
