import FoundationEssentials
import Host

/// A host of an Ansible inventory.
struct InventoryNode: Sendable, Equatable {
  /// Its name there.
  let name: String
  /// Its variables that are texts, numbers or truth values, as texts; templates stand as they are.
  let variables: [String: String]
  /// The groups that it is in, by way of others too.
  let groups: Set<String>

  /// The first of these variables that has a value.
  func variable(_ names: String...) -> String? {
    names.lazy.compactMap { variables[$0] }.first { !$0.isEmpty }
  }
}

/// The hosts of an inventory, as `ansible-inventory --list` prints them.
struct NodeInventory: Sendable {
  /// The hosts, by name.
  let nodes: [InventoryNode]

  /// Reads what the program has printed.
  ///
  /// - Throws: `DecodingError`.
  init(json: String) throws {
    let groups = try JSONDecoder().decode([String: Group].self, from: Data(json.utf8))
    let variables = groups["_meta"]?.hostvars ?? [:]
    var memberships: [String: Set<String>] = Dictionary(
      uniqueKeysWithValues: variables.keys.map { ($0, []) })
    for name in groups.keys where name != "_meta" {
      for host in Self.hosts(of: name, groups) { memberships[host, default: []].insert(name) }
    }
    nodes = memberships.keys.sorted().map { host in
      InventoryNode(
        name: host, variables: (variables[host] ?? [:]).compactMapValues(\.text),
        groups: memberships[host] ?? [])
    }
  }

  private static func hosts(of group: String, _ groups: [String: Group]) -> Set<String> {
    var seen: Set<String> = []
    var waiting = [group]
    var hosts: Set<String> = []
    while let name = waiting.popLast() {
      guard seen.insert(name).inserted, let group = groups[name] else { continue }
      hosts.formUnion(group.hosts ?? [])
      waiting += group.children ?? []
    }
    return hosts
  }

  /// Asks Ansible.
  ///
  /// - Parameters:
  ///   - files: The inventories, each a file or a folder; a later one wins.
  ///   - program: Ansible's `ansible-inventory`.
  ///   - run: Runs a command.
  /// - Throws: ``StepError`` where the program does not read them.
  static func read(_ files: [String], program: String, run: (Command) async -> CommandResult?) async throws
    -> NodeInventory
  {
    let arguments = files.flatMap { ["-i", $0] } + ["--list"]
    let command = Command(program, arguments, environment: ["ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"])
    guard let result = await run(command), result.status == 0 else {
      throw StepError(
        "Ansible does not read the inventory \(files.joined(separator: ", "))",
        .tryCommand(command.description))
    }
    let inventory = try? NodeInventory(json: result.standardOutput)
    // A file that no plugin reads is a warning for Ansible, and an inventory without hosts.
    guard let inventory, !inventory.nodes.isEmpty else {
      throw StepError(
        "there is no host in the inventory \(files.joined(separator: ", "))", .tryCommand(command.description)
      )
    }
    return inventory
  }

  private struct Group: Decodable {
    let hosts: [String]?
    let children: [String]?
    let hostvars: [String: [String: Value]]?
  }

  /// A variable; lists and tables have no text.
  private struct Value: Decodable {
    let text: String?

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self.text = text
      } else if let isTrue = try? container.decode(Bool.self) {
        text = isTrue ? "true" : "false"
      } else if let number = try? container.decode(Int.self) {
        text = String(number)
      } else {
        text = nil
      }
    }
  }
}
