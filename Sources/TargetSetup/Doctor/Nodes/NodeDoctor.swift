import Concurrency
import Diagnosis
import Host

/// Looks at the nodes of an inventory over ssh, from the admin host. Nothing is changed on them.
struct NodeDoctor: Sendable {
  /// How many nodes are asked at once.
  private static let limit = 16

  /// Runs a command; `nil` where it cannot be started.
  let run: Machine.Runner
  /// The time, in seconds since 1970.
  let now: @Sendable () -> Int64
  let servers: [NodeServer]
  let packageServer: String

  /// Looks at all of them.
  ///
  /// - Parameters:
  ///   - files: The inventories, each a file or a folder.
  ///   - program: Ansible's `ansible-inventory`.
  /// - Throws: `CancellationError`. What else goes wrong is a finding.
  func findings(_ files: [String], program: String) async throws -> [Finding] {
    let inventory: NodeInventory
    do {
      inventory = try await NodeInventory.read(files, program: program, run: run)
    } catch {
      try Task.checkCancellation()
      return [TargetDoctor.finding(.ssh, error)]
    }
    var looks: [String: Look] = [:]
    await forEachConcurrently(inventory.nodes, limit: Self.limit, look) { node, look in
      looks[node.name] = look
    }
    try Task.checkCancellation()
    let inOrder = inventory.nodes.compactMap { looks[$0.name] }
    return inOrder.flatMap(\.findings) + Self.doubles(inOrder)
  }

  /// What one node has said.
  private struct Look: Sendable {
    let node: InventoryNode
    var findings: [Finding] = []
    var answers: NodeAnswers?
    var connection: NodeConnection?
  }

  private func look(_ node: InventoryNode) async -> Look {
    var look = Look(node: node)
    let connection: NodeConnection
    do {
      connection = try NodeConnection(node)
    } catch {
      let finding =
        error.isRefused
        ? Finding.error(.ssh, error.detail, next: error.next)
        : Finding.warning(.ssh, error.detail, next: error.next)
      look.findings = [finding.on(node.name)]
      return look
    }
    var arguments: [String] = []
    if let python = node.variable("ansible_python_interpreter"), python.hasPrefix("/") {
      arguments += ["python", python]
    }
    arguments += servers.flatMap { ["server", $0.host, String($0.port)] }
    arguments += NodePort.all(of: node.groups).flatMap { ["port", String($0.number)] }
    let script = String(decoding: PackageResources.look_at_node_sh, as: UTF8.self)
    let start = now()
    let result = await run(connection.sending(script, arguments))
    guard let result, let answers = NodeAnswers(result.standardOutput) else {
      look.findings = [connection.refusal(result).on(node.name)]
      return look
    }
    look.answers = answers
    look.connection = connection
    look.findings =
      NodeFindings(
        node: node, connection: connection, answers: answers, asked: start...max(start, now()),
        servers: servers,
        packageServer: packageServer
      ).all
    return look
  }

  /// Nodes that cannot be told apart: copies of one machine, or one machine under two names.
  private static func doubles(_ looks: [Look]) -> [Finding] {
    let kinds: [(name: String, check: MachineCheck, what: String, next: String)] = [
      ("machine", .hostname, "the machine-id", "rm /etc/machine-id && systemd-machine-id-setup && reboot"),
      ("hostname", .hostname, "the host name", "hostnamectl set-hostname NAME"),
      ("reached", .addresses, "the address", ""),
    ]
    return kinds.flatMap { kind in
      var owners: [String: [Look]] = [:]
      for look in looks {
        if let value = look.answers?.word(kind.name) { owners[value, default: []].append(look) }
      }
      return owners.sorted { $0.key < $1.key }.filter { $0.value.count > 1 }.map { value, owners in
        let names = owners.map(\.node.name)
        let last = owners[owners.count - 1]
        let next =
          kind.next.isEmpty
          ? "another ansible_host for \(last.node.name)"
          : last.connection?.typed(kind.next, asRootOf: last.answers) ?? kind.next
        return Finding.error(
          kind.check, "\(names.joined(separator: " and ")) have \(kind.what) \(value) both", next: next
        ).on(last.node.name)
      }
    }
  }
}
