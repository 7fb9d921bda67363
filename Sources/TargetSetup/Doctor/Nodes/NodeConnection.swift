import Diagnosis
import Host

/// How a node is logged in to: by the system's ssh with what the inventory says, as Ansible does it.
struct NodeConnection: Sendable {
  /// The node.
  let node: InventoryNode
  /// Whether it is this machine itself (`ansible_connection: local`).
  let isLocal: Bool
  /// ssh's options and the destination.
  private let words: [String]

  /// The variables whose templates cannot be evaluated here.
  private static let read = [
    "ansible_host", "ansible_ssh_host", "ansible_port", "ansible_ssh_port", "ansible_user",
    "ansible_ssh_user",
    "ansible_ssh_private_key_file", "ansible_private_key_file", "ansible_ssh_common_args",
    "ansible_ssh_extra_args", "ansible_connection",
  ]

  /// How a node is reached.
  ///
  /// - Throws: ``Obstacle`` where it cannot be told.
  init(_ node: InventoryNode) throws(Obstacle) {
    self.node = node
    if let name = Self.read.first(where: { node.variables[$0]?.contains("{{") == true }) {
      throw Obstacle(
        detail: "\(name) is a template, which only a play evaluates, so nothing was looked at",
        next: "ansible -i INVENTORY \(node.name) -m ping")
    }
    let kind = node.variable("ansible_connection") ?? "ssh"
    isLocal = kind == "local"
    guard isLocal || ["ssh", "smart", "paramiko", "ansible.builtin.ssh"].contains(kind) else {
      throw Obstacle(
        detail: "ansible_connection is \(kind), and only ssh is looked through",
        next: "ansible -i INVENTORY \(node.name) -m ping")
    }
    var words: [String] = []
    for arguments in ["ansible_ssh_common_args", "ansible_ssh_extra_args"] {
      guard let split = Self.split(node.variables[arguments] ?? "") else {
        throw Obstacle(
          detail: "\(arguments) has a quote without its end", next: "ansible-inventory --host \(node.name)")
      }
      words += split
    }
    if let port = try Self.value(of: ["ansible_port", "ansible_ssh_port"], node) { words += ["-p", port] }
    let keys = ["ansible_ssh_private_key_file", "ansible_private_key_file"]
    if let key = try Self.value(of: keys, node) { words += ["-i", key] }
    let user = try Self.value(of: ["ansible_user", "ansible_ssh_user"], node)
    let host = try Self.value(of: ["ansible_host", "ansible_ssh_host"], node) ?? node.name
    // Only an inventory in JSON or of a program can have such a name, which is the address then.
    if host.hasPrefix("-") { throw Self.option("the name of the host", host, node) }
    self.words = words + [(user.map { "\($0)@" } ?? "") + host]
  }

  /// What the first of these variables that has a value says.
  ///
  /// - Throws: ``Obstacle`` where ssh would take it for an option: `-oProxyCommand=` runs a command on this machine.
  private static func value(of names: [String], _ node: InventoryNode) throws(Obstacle) -> String? {
    guard let name = names.first(where: { node.variable($0) != nil }), let value = node.variable(name) else {
      return nil
    }
    if value.hasPrefix("-") { throw option(name, value, node) }
    return value
  }

  private static func option(_ what: String, _ value: String, _ node: InventoryNode) -> Obstacle {
    Obstacle(
      detail: "\(what) is \"\(value)\", which ssh takes for an option, so nothing was looked at",
      next: "give \(shellQuoted(node.name)) another one in the inventory", isRefused: true)
  }

  /// The destination, such as `root@10.0.0.7`.
  var destination: String { words.last ?? node.name }

  /// Sends a shell script there.
  func sending(_ script: String, _ arguments: [String]) -> Command {
    let shell = ["sh", "-s", "--"] + arguments
    guard !isLocal else { return Command("sh", Array(shell.dropFirst()), input: script) }
    let options = [
      "BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=5", "ServerAliveCountMax=3",
      "LogLevel=ERROR",
    ]
    return Command(
      "ssh",
      options.flatMap { ["-o", $0] } + words + [shell.map(shellQuoted).joined(separator: " ")], input: script)
  }

  /// How a command is typed on this machine so that it runs there.
  func typed(_ command: String) -> String {
    isLocal ? command : (["ssh", "-t"] + words + [command]).map(shellQuoted).joined(separator: " ")
  }

  /// How a command for root is typed on this machine so that it runs there.
  func typed(_ command: String, asRootOf answers: NodeAnswers?) -> String {
    typed(answers?.word("sudo") == "root" ? command : "sudo sh -c \(shellQuoted(command))")
  }

  /// How its clock is set to that of this machine.
  func settingClock(_ answers: NodeAnswers) -> String {
    let command = (answers.word("sudo") == "root" ? "" : "sudo ") + "date --utc --set @$(date +%s)"
    return isLocal
      ? command : "\((["ssh", "-t"] + words).map(shellQuoted).joined(separator: " ")) \"\(command)\""
  }

  /// Why nobody could log in, with what to do.
  func refusal(_ result: CommandResult?) -> Finding {
    guard let result else {
      return findExecutable("ssh") == nil
        ? .error(.ssh, "there is no ssh on this machine", next: "apt-get install openssh-client")
        : .error(.ssh, "ssh ended before it was told anything", next: typed("true"))
    }
    let said = result.standardError.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
    let text = result.standardError.lowercased()
    let login = (["ssh"] + words).map(shellQuoted).joined(separator: " ")
    let host = destination.split(separator: "@").last.map(String.init) ?? destination
    let next: String =
      if text.contains("identification has changed") {
        "ssh-keygen -R \(host), once you know why its key is another one"
      } else if text.contains("host key verification failed") {
        "\(login) (once, to accept its key)"
      } else if text.contains("permission denied") {
        (["ssh-copy-id"] + words).map(shellQuoted).joined(separator: " ")
      } else if text.contains("could not resolve") || text.contains("name or service not known") {
        "give its address in the inventory: ansible_host=ADDRESS"
      } else if text.contains("refused") {
        "start sshd there, or name its port: ansible_port=PORT"
      } else if text.contains("timed out") || text.contains("no route") || text.contains("unreachable") {
        "ping -c 1 \(host)"
      } else {
        "\(login) -v"
      }
    return .error(
      .ssh, "\(destination) cannot be logged in to: \(said.isEmpty ? "exit status \(result.status)" : said)",
      next: next)
  }

  /// What keeps a node from being looked at.
  struct Obstacle: Error {
    let detail: String
    let next: String
    /// Whether Ansible should not be given it either.
    var isRefused = false
  }

  /// The words of a text as Ansible takes them (Python's `shlex`): quotes keep blanks together; `nil` where one has no
  /// end.
  static func split(_ text: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for letter in text {
      if isEscaped {
        word = (word ?? "") + String(letter)
        isEscaped = false
      } else if letter == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if letter == open { quote = nil } else { word = (word ?? "") + String(letter) }
      } else if letter == "'" || letter == "\"" {
        quote = letter
        word = word ?? ""
      } else if letter.isWhitespace {
        if let word { words.append(word) }
        word = nil
      } else {
        word = (word ?? "") + String(letter)
      }
    }
    if let word { words.append(word) }
    return quote == nil && !isEscaped ? words : nil
  }
}
