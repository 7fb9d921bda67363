import Files
import FoundationEssentials
import Host
import SystemPackage

/// One run of Ansible over the working copy: a temporary folder, the process, the results.
///
/// generate_list.sh does not quote the paths that it works with, so it is called through a temporary folder without
/// blanks, from where a link leads to the tree. The arguments of Ansible go around it; see `pass-arguments.sh`.
struct EvaluationRun {
  private let temporary: WorkFolder
  private var folder: FilePath { temporary.path }
  private let evaluator: CatalogEvaluator
  private let questions: EvaluationQuestions
  private let key: CatalogKey
  private var arguments: [String] = []
  private var unread: [(path: String, reason: String)] = []

  /// Prepares the folder.
  ///
  /// - Throws: ``CatalogError``, ``KubesprayTreeError`` or `FileError`.
  init(_ evaluator: CatalogEvaluator, _ questions: EvaluationQuestions) throws {
    self.evaluator = evaluator
    self.questions = questions
    key = try CatalogKey(evaluator)
    temporary = try Self.temporaryFolder()
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
  mutating func execute() async throws -> [HostEvaluation] {
    let tree = evaluator.workingCopy.tree
    // The script leaves its playbook in the tree's top folder when Ansible fails.
    defer { try? removeFile(tree.path.appending("generate_list.yml")) }
    var variables = AnsibleVariables.changes(for: evaluator, folder: folder.appending("tmp").string)
    let command: Command
    if questions.offline == nil {
      let file = folder.appending("arguments")
      try writeAtomically(arguments.flatMap { Array($0.utf8) + [0] }, to: file)
      variables.updateValue(folder.appending(EvaluationScripts.argumentsScript).string, forKey: "BASH_ENV")
      variables.updateValue(file.string, forKey: "KUBESPRAY_OFFLINE_ARGUMENTS")
      command = Command(
        "bash", ["\(folder)/tree/contrib/offline/generate_list.sh"], environment: variables)
    } else {
      command = Command(
        evaluator.environment.program.string, arguments, environment: variables,
        workingDirectory: folder.appending("tree"))
    }
    let result = try await command.run()
    let output = AnsibleOutput(result)
    guard result.status == 0 else {
      throw CatalogError.evaluationFailed(output: output.excerpt, closed: key.closed)
    }
    let own = folder.string
    unread = output.unreadSources.filter { !$0.path.hasPrefix(own) }
    return try results()
  }

  /// The encrypted files that were left out.
  var closed: [String] { key.closed }

  /// What people should know of the files of the inventory.
  var warnings: [String] {
    var warnings = key.closed.map {
      "\($0) is encrypted and nothing is there to open it (ANSIBLE_VAULT_PASSWORD_FILE): its variables count as not set."
    }
    warnings += key.ownSettings.map { "\($0) is for the machines without internet and is left out." }
    warnings += key.flattened.map {
      "\($0) of the inventory is a file, where Ansible looks for a folder of variables: it reads nothing of it. It may "
        + "be a link that was copied as text."
    }
    warnings += unread.map {
      "\($0.path) of the inventory is not read by Ansible, so hosts and variables in it count as not there: \($0.reason)"
    }
    return warnings
  }

  /// Removes the temporary folder; links are removed, not followed.
  func remove() { temporary.remove() }

  private static func temporaryFolder() throws -> WorkFolder {
    try WorkFolder(in: isPlain(systemTemporaryFolder) ? systemTemporaryFolder : "/tmp")
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
    try writeAtomically("", to: folder.appending("tmp").appending(AnsibleVariables.noInventory))
    for (name, content) in EvaluationScripts.files {
      try writeAtomically(content, to: folder.appending(name))
    }

    let request = EvaluationRequest(
      names: try tree.declaredNames() + ["kube_version"], defaults: tree.downloadDefaults.string,
      composed: questions.images.map {
        .init(template: $0.template, defaults: $0.defaults.string, condition: $0.condition)
      },
      charts: questions.charts, packages: questions.packages, settings: questions.settings,
      checks: questions.checksInventory ? tree.inventoryChecks.map(\.string) : [],
      output: folder.appending("out").string)
    let requestFile = folder.appending("request.json")
    try writeAtomically(Array(try JSONEncoder().encode(request)), to: requestFile)
    let scripts = EvaluationScripts(
      evaluator, systemFamily: (try? OSRelease.current())?.family == .redHat ? "RedHat" : "Debian")
    let variables = scripts.variables.merging(["kubespray_offline_request": requestFile.string]) { $1 }
    let variablesFile = folder.appending("variables.json")
    try writeAtomically(Array(try JSONEncoder().encode(variables)), to: variablesFile)
    arguments += ["-e", "@\(variablesFile)"]
    try addInventory()
    if !evaluator.extraVariables.isEmpty {
      let file = folder.appending("extra.json")
      try writeAtomically(ExtraVariables.json(evaluator.extraVariables), to: file)
      arguments += ["-e", "@\(file)"]
    }
    let here = try currentFolder()
    for text in evaluator.extraArguments {
      // The script changes the folder.
      arguments += [
        "-e", text.hasPrefix("@") ? "@" + here.pushing(FilePath(String(text.dropFirst()))).string : text,
      ]
    }
    for file in evaluator.extraVariableFiles { arguments += ["-e", "@\(here.pushing(file))"] }
    // The last wins.
    let connection = folder.appending("connection.json")
    let local = AnsibleVariables.connection(
      evaluator.environment, folder: folder.appending("tmp").string)
    try writeAtomically(ExtraVariables.json(local), to: connection)
    arguments += ["-e", "@\(connection)"]
    arguments += scripts.playbooks.map { folder.appending($0).string }
  }

  private mutating func addInventory() throws {
    guard let inventory = evaluator.inventory else {
      guard let offline = questions.offline else { return }
      let file = folder.appending("offline.yml")
      try writeAtomically(offline, to: file)
      arguments += ["-e", "@\(file)"]
      return
    }
    let leftOut = key.closed + key.ownSettings
    guard questions.offline != nil || !leftOut.isEmpty else {
      arguments += ["-i", try reachable(inventory)]
      return
    }
    let overlay = try InventoryOverlay(inventory, offline: questions.offline, leavingOut: leftOut)
    arguments += ["-i", try overlay.write(in: folder.appending("inventory"))]
  }

  /// A path that Ansible takes for one: a comma makes it a list of hosts.
  private func reachable(_ path: FilePath) throws -> String {
    let absolute = try currentFolder().pushing(path)
    guard absolute.string.contains(",") else { return absolute.string }
    if folderExists(absolute) {
      try link("inventory", to: absolute)
      return folder.appending("inventory").string
    }
    guard let file = absolute.lastComponent, !file.string.contains(",") else {
      throw CatalogError.unusablePath(absolute)
    }
    try link("inventory", to: absolute.removingLastComponent())
    return folder.appending("inventory").appending(file.string).string
  }

  private func link(_ name: String, to target: FilePath) throws {
    try createLink(folder.appending(name), to: try realPath(target).string)
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
