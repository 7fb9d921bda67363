import Files
import FoundationEssentials
import Host
import SystemPackage

/// One run of Ansible over the working copy: a temporary folder, the process, the results.
///
/// generate_list.sh passes its arguments on unquoted, so every path that it sees lies in a temporary folder
/// without blanks; links lead from there to the tree, the inventory and the variables.
struct EvaluationRun {
  private let folder: FilePath
  private let evaluator: CatalogEvaluator
  private let questions: EvaluationQuestions
  private var arguments: [String] = []

  /// Prepares the folder.
  ///
  /// - Throws: ``CatalogError``, ``KubesprayTreeError`` or `FileError`.
  init(_ evaluator: CatalogEvaluator, _ questions: EvaluationQuestions) throws {
    self.evaluator = evaluator
    self.questions = questions
    folder = try Self.temporaryFolder()
    do {
      try prepare()
    } catch {
      remove()
      throw error
    }
  }

  /// Runs the official script with our playbook in front of its own; where offline.yml is part of the question, our
  /// playbook alone, since the script reads the text of download.yml and never sees an override.
  ///
  /// - Throws: ``CatalogError`` or `CommandError`.
  func execute() async throws -> [HostEvaluation] {
    let tree = evaluator.workingCopy.tree
    // The script leaves its playbook in the tree's top folder when Ansible fails.
    defer { try? removeFile(tree.path.appending("generate_list.yml")) }
    let command =
      questions.offline == nil
      ? Command(
        "bash", ["\(folder)/tree/contrib/offline/generate_list.sh"] + arguments, environment: variables())
      : Command(
        "\(evaluator.environment.path)/bin/ansible-playbook", arguments, environment: variables(),
        workingDirectory: folder.appending("tree"))
    let result = try await command.run()
    guard result.status == 0 else {
      throw CatalogError.evaluationFailed(output: Self.excerpt(result))
    }
    return try results()
  }

  /// Removes the temporary folder; links are removed, not followed.
  func remove() {
    try? removeTree(folder)
  }

  private static func temporaryFolder() throws -> FilePath {
    try createTemporaryFolder(in: isPlain(systemTemporaryFolder) ? systemTemporaryFolder : "/tmp")
  }

  /// Whether a shell passes the path through unquoted.
  private static func isPlain(_ path: FilePath) -> Bool {
    path.string.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "/._-+@,=".utf8.contains(byte)
    }
  }

  private mutating func prepare() throws {
    let tree = evaluator.workingCopy.tree
    for name in ["out", "tmp", "lookup_plugins"] { try createDirectories(folder.appending(name)) }
    try link("tree", to: tree.path)
    for (name, content) in EvaluationScripts.files {
      try writeAtomically(content, to: folder.appending(name))
    }

    let request = EvaluationRequest(
      names: try tree.declaredNames() + ["kube_version"],
      composed: questions.images.map {
        .init(template: $0.template, defaults: $0.defaults.string, condition: $0.condition)
      },
      charts: questions.charts, packages: questions.packages, settings: questions.settings,
      output: folder.appending("out").string)
    let requestFile = folder.appending("request.json")
    try writeAtomically(Array(try JSONEncoder().encode(request)), to: requestFile)
    let scripts = EvaluationScripts(
      evaluator, systemFamily: (try? OSRelease.current())?.family == .redHat ? "RedHat" : "Debian")
    let variables = scripts.variables.merging(["kubespray_offline_request": requestFile.string]) { $1 }
    let variablesFile = folder.appending("variables.json")
    try writeAtomically(Array(try JSONEncoder().encode(variables)), to: variablesFile)
    arguments += ["-e", "@\(variablesFile)"]

    if let inventory = evaluator.inventory {
      let overlay = try questions.offline.map { try InventoryOverlay(inventory, offline: $0) }
      let place = try overlay?.write(in: folder.appending("inventory"))
      arguments += ["-i", try place ?? reachable(inventory, as: "inventory")]
    } else if let offline = questions.offline {
      let file = folder.appending("offline.yml")
      try writeAtomically(offline, to: file)
      arguments += ["-e", "@\(file)"]
    }
    if !evaluator.extraVariables.isEmpty {
      let file = folder.appending("extra.json")
      try writeAtomically(ExtraVariables.json(evaluator.extraVariables), to: file)
      arguments += ["-e", "@\(file)"]
    }
    for (index, file) in evaluator.extraVariableFiles.enumerated() {
      arguments += ["-e", "@" + (try reachable(file, as: "extra\(index)"))]
    }
    arguments += scripts.playbooks.map { folder.appending($0).string }
  }

  /// A path without blanks to a file or folder of the user's. Ansible looks for group_vars beside an inventory
  /// file, so the folder is linked and not the file.
  private func reachable(_ path: FilePath, as name: String) throws -> String {
    let absolute = try realPath(path)
    if folderExists(absolute) {
      try link(name, to: absolute)
      return folder.appending(name).string
    }
    guard let file = absolute.lastComponent, Self.isPlain(FilePath(file.string)) else {
      throw CatalogError.unusablePath(absolute)
    }
    try link(name, to: absolute.removingLastComponent())
    return folder.appending(name).appending(file.string).string
  }

  private func link(_ name: String, to target: FilePath) throws {
    try createLink(folder.appending(name), to: try realPath(target).string)
  }

  /// The environment of the script. Settings of the user's own Ansible would change the result or the place
  /// of temporary files, so they are dropped, except how to open vaults.
  private func variables() -> [String: String?] {
    var variables: [String: String?] = [:]
    let own = ProcessInfo.processInfo.environment
    for name in own.keys where name.hasPrefix("ANSIBLE_") && !name.hasPrefix("ANSIBLE_VAULT_") {
      variables.updateValue(nil, forKey: name)
    }
    variables.updateValue(nil, forKey: "DOWNLOAD_YML")
    let temporary = folder.appending("tmp").string
    let settings = [
      "PATH": "\(evaluator.environment.path)/bin:\(own["PATH"] ?? "/usr/bin:/bin")",
      "VIRTUAL_ENV": evaluator.environment.path.string,
      "LC_ALL": "C.UTF-8",
      "PYTHONDONTWRITEBYTECODE": "1",
      "ANSIBLE_CONFIG": evaluator.workingCopy.tree.path.appending("ansible.cfg").string,
      "ANSIBLE_CACHE_PLUGIN": "memory",  // kubespray's ansible.cfg keeps facts in /tmp for a day
      "ANSIBLE_GATHERING": "explicit",  // our playbook sets the facts that the variables ask for
      "ANSIBLE_DEPRECATION_WARNINGS": "false",
      "ANSIBLE_LOCALHOST_WARNING": "false",
      "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
      "ANSIBLE_NOCOLOR": "1",
      "ANSIBLE_RETRY_FILES_ENABLED": "false",
      "ANSIBLE_HOME": temporary,
      "ANSIBLE_LOCAL_TEMP": temporary,
      "ANSIBLE_REMOTE_TEMP": temporary,
      "ANSIBLE_PYTHON_INTERPRETER": evaluator.environment.python.string,
    ]
    for (name, value) in settings { variables.updateValue(value, forKey: name) }
    return variables
  }

  private func results() throws -> [HostEvaluation] {
    let output = folder.appending("out")
    let names = try listFolder(output)
    guard !names.isEmpty else {
      if let inventory = evaluator.inventory { throw CatalogError.noHosts(inventory) }
      throw CatalogError.unreadableResult("there is none.")
    }
    return try names.map { name in
      let data = Data(try readBytes(output.appending(name)))
      do {
        return try JSONDecoder().decode(HostEvaluation.self, from: data)
      } catch {
        throw CatalogError.unreadableResult("\(name): \(error)")
      }
    }
  }

  /// What went wrong, out of Ansible's two outputs: the lines about failures, else the last ones.
  private static func excerpt(_ result: CommandResult) -> String {
    let lines = (result.standardOutput + "\n" + result.standardError).split(whereSeparator: \.isNewline)
    let telling = lines.filter {
      $0.hasPrefix("fatal:") || $0.hasPrefix("ERROR") || $0.hasPrefix("[ERROR]") || $0.contains("FAILED!")
        || $0.contains("error:")
    }
    return (telling.isEmpty ? lines.suffix(8) : telling.prefix(8)).map { "  \($0.prefix(600))" }
      .joined(separator: "\n")
  }
}

/// Extra variables as a JSON object for `-e @FILE`.
enum ExtraVariables {
  static func json(_ variables: [String: String]) -> String {
    let members = variables.sorted { $0.key < $1.key }.map { name, value in
      "\(quoted(name)): \(isJSON(value) ? value : quoted(value))"
    }
    return "{\(members.joined(separator: ", "))}\n"
  }

  /// Numbers stay text: Ansible would read the version 1.30 as 1.3.
  private static func isJSON(_ value: String) -> Bool {
    if value == "true" || value == "false" { return true }
    guard value.first == "[" || value.first == "{", !value.hasPrefix("{{") else { return false }
    return (try? JSONDecoder().decode(AnyJSON.self, from: Data(value.utf8))) != nil
  }

  private static func quoted(_ text: String) -> String {
    let data = (try? JSONEncoder().encode(text)) ?? Data("\"\"".utf8)
    return String(decoding: data, as: UTF8.self)
  }

  /// Accepts any well-formed value.
  private struct AnyJSON: Decodable {
    init(from decoder: any Decoder) throws {}
  }
}
