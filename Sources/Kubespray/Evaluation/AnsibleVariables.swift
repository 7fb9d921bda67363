import Files
import FoundationEssentials
import Host
import SystemPackage

/// The environment of Ansible. Settings of the user's own Ansible would change the result, what it looks like, or the
/// place of temporary files, so they are dropped, except how to open vaults.
enum AnsibleVariables {
  /// Changes to the environment of this process for any program of Ansible.
  ///
  /// - Parameter folder: Where it may write.
  static func changes(
    _ own: [String: String] = ProcessInfo.processInfo.environment, folder: String
  ) -> [String: String?] {
    var changes = PythonVariables.changes(own)
    for name in own.keys where name.hasPrefix("ANSIBLE_") && !name.hasPrefix("ANSIBLE_VAULT_") {
      changes.updateValue(nil, forKey: name)
    }
    // A user without a name, as in a container; Ansible's connection to this machine insists on one.
    if !["LOGNAME", "USER", "LNAME", "USERNAME"].contains(where: { own[$0]?.isEmpty == false }) {
      changes.updateValue("kubespray", forKey: "USER")
    }
    let settings = [
      "LC_ALL": "C.UTF-8",
      "PYTHONDONTWRITEBYTECODE": "1",
      "ANSIBLE_HOME": folder,
      "ANSIBLE_LOCAL_TEMP": folder,
      "ANSIBLE_REMOTE_TEMP": folder,
      "ANSIBLE_NOCOLOR": "1",
    ]
    for (name, value) in settings { changes.updateValue(value, forKey: name) }
    return changes
  }

  /// An empty file in that folder.
  static let noInventory = "no-inventory"

  /// Changes for an evaluation.
  static func changes(
    _ own: [String: String] = ProcessInfo.processInfo.environment, for evaluator: CatalogEvaluator,
    folder: String
  ) -> [String: String?] {
    var changes = changes(own, folder: folder)
    changes.updateValue(nil, forKey: "DOWNLOAD_YML")
    let settings = [
      "PATH": "\(evaluator.environment.path)/bin:\(own["PATH"] ?? "/usr/bin:/bin")",
      "VIRTUAL_ENV": evaluator.environment.path.string,
      "ANSIBLE_CONFIG": evaluator.workingCopy.tree.path.appending("ansible.cfg").string,
      "ANSIBLE_INVENTORY": "\(folder)/\(noInventory)",  // not that of this machine, where none is given
      "ANSIBLE_CACHE_PLUGIN": "memory",  // kubespray's ansible.cfg keeps facts in /tmp for a day
      "ANSIBLE_GATHERING": "explicit",  // our playbook sets the facts that the variables ask for
      "ANSIBLE_BECOME": "false",
      "ANSIBLE_STDOUT_CALLBACK": "default",  // its lines are read
      "ANSIBLE_STRATEGY": "linear",
      "ANSIBLE_DEPRECATION_WARNINGS": "false",
      "ANSIBLE_LOCALHOST_WARNING": "false",
      "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
      "ANSIBLE_RETRY_FILES_ENABLED": "false",
      "ANSIBLE_PYTHON_INTERPRETER": evaluator.environment.python.string,
    ]
    for (name, value) in settings { changes.updateValue(value, forKey: name) }
    let vault = VaultSecrets(own, tree: evaluator.workingCopy.tree.path)
    for (name, value) in vault.variables { changes.updateValue(value, forKey: name) }
    return changes
  }

  /// Extra variables that make every host this machine, whatever an inventory says of how its nodes are reached: nothing
  /// is done on a node, and a missing password or interpreter of one is no reason to stop.
  static func connection(_ environment: PythonEnvironment, folder: String) -> [String: String] {
    var variables = [
      "ansible_connection": "local", "ansible_python_interpreter": environment.python.string,
      "ansible_become": "false", "ansible_remote_tmp": folder, "ansible_user": "root", "ansible_port": "22",
      "ansible_become_user": "root",
      "ansible_shell_type": "sh", "ansible_shell_executable": "/bin/sh",
      // The older name of each counts before the newer one (ansible-core, constants.py, MAGIC_VARIABLE_MAPPING). So the address
      // of a host is not looked at, and templates of kubespray still see what the inventory says of ansible_host.
      "ansible_ssh_host": "localhost", "ansible_ssh_user": "root", "ansible_ssh_port": "22",
      "ansible_ssh_timeout": "10", "ansible_ssh_pipelining": "false", "ansible_become_method": "sudo",
    ]
    // Also those that are themselves templates of what a closed vault has.
    for name in [
      "become_pass", "become_password", "sudo_pass", "su_pass", "password", "ssh_pass",
      "ssh_password", "ssh_private_key_file", "private_key_file", "become_exe", "become_flags",
      "ssh_common_args",
      "ssh_extra_args", "sftp_extra_args", "scp_extra_args",
    ] {
      variables["ansible_\(name)"] = ""
    }
    return variables
  }
}

/// How the vaults of an inventory are opened: Ansible's own variables, or its configuration file (Ansible's
/// documentation, "Ansible Configuration Settings").
struct VaultSecrets {
  /// The variables, with paths that hold wherever Ansible is started.
  private(set) var variables: [String: String] = [:]
  /// The password files, each with the setting that names it.
  private(set) var files: [(path: FilePath, setting: String)] = []

  /// Whether any vault can be opened.
  var isEmpty: Bool { variables.isEmpty }

  private static let names = ["ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_IDENTITY_LIST"]

  /// - Parameters:
  ///   - own: The environment of this process.
  ///   - tree: The kubespray tree, whose ansible.cfg may say it too.
  init(_ own: [String: String] = ProcessInfo.processInfo.environment, tree: FilePath? = nil) {
    let here = (try? currentFolder()) ?? "/"
    for name in Self.names {
      if let value = own[name], !value.isEmpty { add(name, value, setting: name, beside: here) }
    }
    for file in Self.configurationFiles(own, tree) where isEmpty {
      guard !folderExists(file), let text = try? readText(file, limit: 1 << 20) else { continue }
      let settings = SectionedSettings(text)
      for name in Self.names {
        let option = name.dropFirst("ANSIBLE_".count).lowercased().replacing("_", with: "-")
        guard let value = settings.option(option, in: "defaults").map(Self.withoutComment) else { continue }
        let folder = here.pushing(file).removingLastComponent()
        let setting = "\(option.replacing("-", with: "_")) in \(file)"
        add(name, value, setting: setting, beside: folder)
      }
    }
  }

  private static func withoutComment(_ value: String) -> String {
    guard let comment = value.firstRange(of: " ;") else { return value }
    return String(value[..<comment.lowerBound])
  }

  private mutating func add(_ name: String, _ value: String, setting: String, beside folder: FilePath) {
    func absolute(_ source: Substring) -> String {
      if source.hasPrefix("prompt") || source.hasPrefix("~") || source.isEmpty { return String(source) }
      let path = folder.pushing(FilePath(String(source)))
      files.append((path, setting))
      return path.string
    }
    if name == Self.names[0] {
      variables[name] = absolute(value[...])
      return
    }
    let sources = value.split(separator: ",").map { part -> String in
      let source = part.drop { $0 == " " }
      guard let at = source.firstIndex(of: "@") else { return absolute(source) }
      return source[...at] + absolute(source[source.index(after: at)...])
    }
    variables[name] = sources.joined(separator: ",")
  }

  /// The configuration files that Ansible might read where kubespray is used. Of a folder in which anybody may write it
  /// takes none.
  private static func configurationFiles(_ own: [String: String], _ tree: FilePath?) -> [FilePath] {
    var files: [FilePath] = []
    if let named = own["ANSIBLE_CONFIG"], !named.isEmpty { files.append(FilePath(named)) }
    if let tree { files.append(tree.appending("ansible.cfg")) }
    if let here = try? FileInfo("."), !here.permissions.contains(.otherWrite) { files.append("ansible.cfg") }
    if let home = own["HOME"], !home.isEmpty { files.append(FilePath(home).appending(".ansible.cfg")) }
    return files + ["/etc/ansible/ansible.cfg"]
  }
}
