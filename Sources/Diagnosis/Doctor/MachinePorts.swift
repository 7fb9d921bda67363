import Host
import SystemPackage

/// A server of this machine that others are to reach.
public struct ServerPort: Sendable {
  /// What it is, such as `the web server`.
  let title: String
  /// Its TCP port.
  public let port: Int
  /// The address that it listens on; `nil` for all.
  let bind: String?
  /// Whether it runs already: the port is its own then.
  public let isRunning: Bool
  /// What chooses another port.
  let option: String

  /// A server.
  public init(_ title: String, port: Int, bind: String?, isRunning: Bool, option: String) {
    self.title = title
    self.port = port
    self.bind = bind
    self.isRunning = isRunning
    self.option = option
  }
}

extension Machine {
  /// Whether the port of a server is free, or its own.
  public func port(of server: ServerPort) -> Finding {
    let (title, port) = (server.title, server.port)
    guard !server.isRunning else { return .ok(.ports, "\(port): \(title) listens there") }
    guard let owner = PortOwner.find(port: port, bind: server.bind, proc: path("/proc")) else {
      return .ok(.ports, "\(port): free for \(title)")
    }
    let stop =
      owner.process.flatMap(unit).map { "systemctl disable --now \($0)" }
      ?? owner.process.map { "kill \($0)" } ?? "ss -ltnp 'sport = :\(port)' (as root)"
    return .error(
      .ports, "\(port), which \(title) is to listen on, is taken by \(owner.description)",
      next: "\(stop), or another port: \(server.option)")
  }

  /// The unit of systemd that a process belongs to.
  private func unit(of process: Int32) -> String? {
    lines(FilePath("/proc/\(process)/cgroup")).compactMap { line in
      line.split(separator: "/").last.map(String.init).flatMap { $0.hasSuffix(".service") ? $0 : nil }
    }.first
  }

  /// Whether other machines reach the servers of this one.
  ///
  /// - Parameters:
  ///   - servers: The servers whose TCP ports nodes ask.
  ///   - opensFirewalld: Whether the set-up opens the ports of firewalld by itself, and has not run yet.
  public func firewall(_ servers: [ServerPort], opensFirewalld: Bool) async -> Finding {
    let ports = servers.map(\.port)
    if let closed = closedByUFW(ports) {
      return .error(
        .firewall, "ufw is on and lets nobody ask port \(Self.list(closed))",
        next: closed.map { "ufw allow \($0)/tcp" }.joined(separator: " && "))
    }
    if hasProgram("firewall-cmd"), await succeeds("firewall-cmd", ["--state"]) {
      var closed: [Int] = []
      for port in ports where await !succeeds("firewall-cmd", ["--query-port=\(port)/tcp"]) {
        closed.append(port)
      }
      if closed.isEmpty { return .ok(.firewall, "firewalld lets port \(Self.list(ports)) be asked") }
      let detail = "firewalld runs, and port \(Self.list(closed)) is closed"
      if opensFirewalld { return .ok(.firewall, "\(detail); the set-up opens it") }
      let options = closed.map { "--add-port=\($0)/tcp" }.joined(separator: " ")
      return .error(
        .firewall, detail, next: "firewall-cmd --permanent \(options) && firewall-cmd --reload")
    }
    if let closed = await closedByTables(ports) {
      return .error(
        .firewall, "iptables drops what asks port \(Self.list(closed))",
        next: closed.map { "iptables -I INPUT -p tcp --dport \($0) -j ACCEPT" }.joined(separator: " && "))
    }
    return .ok(.firewall, "nothing that keeps nodes from port \(Self.list(ports))")
  }

  private static func list(_ ports: [Int]) -> String { ports.map(String.init).joined(separator: " and ") }

  private func succeeds(_ program: String, _ arguments: [String]) async -> Bool {
    await run(Command(program, arguments))?.status == 0
  }

  /// The ports that ufw has no rule for; `nil` where it is off. Each rule has a line of comment in a fixed form
  /// (ufw, `src/backend.py`, "### tuple ###").
  private func closedByUFW(_ ports: [Int]) -> [Int]? {
    guard lines("/etc/ufw/ufw.conf").contains(where: { $0.lowercased().hasPrefix("enabled=yes") }),
      !lines("/etc/default/ufw").contains(where: { $0.hasPrefix("DEFAULT_INPUT_POLICY=\"ACCEPT\"") })
    else { return nil }
    let rules = lines("/etc/ufw/user.rules").filter { $0.hasPrefix("### tuple ### allow") }
      .map { $0.split(separator: " ").dropFirst(4).map(String.init) }
    let closed = ports.filter { port in
      !rules.contains { words in
        guard words.count > 1, ["tcp", "any"].contains(words[0]) else { return false }
        return words[1] == "any" || words[1].split(separator: ",").contains { holds($0, port) }
      }
    }
    return closed.isEmpty ? nil : closed
  }

  /// Whether a port or a range such as `80:90` holds a port.
  private func holds(_ text: Substring, _ port: Int) -> Bool {
    let ends = text.split(separator: ":").compactMap { Int($0) }
    guard let first = ends.first, let last = ends.last else { return false }
    return first <= port && port <= last
  }

  /// The ports that the rules of iptables name nowhere, where they drop what they do not name; `nil` where they do not.
  private func closedByTables(_ ports: [Int]) async -> [Int]? {
    guard isRoot, hasProgram("iptables"), let result = await run(Command("iptables", ["-S", "INPUT"])),
      result.status == 0
    else { return nil }
    let rules = result.standardOutput.split(separator: "\n")
    let last = rules.last ?? ""
    guard
      rules.contains("-P INPUT DROP") || last == "-A INPUT -j DROP" || last.hasPrefix("-A INPUT -j REJECT")
    else { return nil }
    let open = rules.filter { $0.hasSuffix("-j ACCEPT") }
    if open.contains("-A INPUT -j ACCEPT") { return nil }
    let closed = ports.filter { port in !open.contains { names($0, port) } }
    return closed.isEmpty ? nil : closed
  }

  /// Whether a rule of iptables names a port.
  private func names(_ rule: Substring, _ port: Int) -> Bool {
    let words = rule.split(separator: " ")
    return zip(words, words.dropFirst()).contains { option, value in
      (option == "--dport" || option == "--dports")
        && value.split(separator: ",").contains { holds($0, port) }
    }
  }
}
