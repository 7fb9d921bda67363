import Files
import Host
import SystemPackage
import Testing

@testable import Kubespray

/// What of a user's settings reaches the programs that evaluate kubespray.
@Suite struct PythonVariablesTests {
  private func removed(_ changes: [String: String?]) -> Set<String> {
    Set(changes.filter { $0.value == nil }.keys)
  }

  @Test func `Where packages come from stays, where they go to does not`() throws {
    try Files.withTemporaryFolder(named: "pip") { folder in
      let file = folder.appending("pip.conf")
      try writeAtomically(
        """
        # comment
        [global]
        index-url = https://user:p%40ss@index.example/simple
        trusted-host =
            index.example
            other.example
        target = /elsewhere
        [install]
        prefix = /elsewhere
        extra_index_url: https://extra.example/simple
        user = true
        [list]
        timeout = 1

        """, to: file)
      let own = [
        "PIP_TARGET": "/x", "PIP_PREFIX": "/x", "PIP_USER": "1", "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_INDEX_URL": "https://own.example/simple", "PIP_CONFIG_FILE": "\(file)", "PIP_DRY_RUN": "1",
        "PIP_PYTHON": "/x", "PYTHONHOME": "/x", "PYTHONPATH": "/x", "PYTHONUSERBASE": "/x",
        "PYTHON": "python3.11",
      ]
      let changes = PythonVariables.pipChanges(own, files: [file])
      #expect(
        removed(changes) == [
          "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_DRY_RUN", "PIP_PYTHON",
          "PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE",
        ])
      #expect(
        changes.compactMapValues(\.self) == [
          "PIP_CONFIG_FILE": "/dev/null", "PYTHONNOUSERSITE": "1",
          "PIP_TRUSTED_HOST": "\nindex.example\nother.example",
          "PIP_EXTRA_INDEX_URL": "https://extra.example/simple",
        ])
      var without = own
      without["PIP_INDEX_URL"] = nil
      #expect(
        PythonVariables.pipChanges(without, files: [file])["PIP_INDEX_URL"]
          == "https://user:p%40ss@index.example/simple")
    }
  }

  @Test func `The file that PIP_CONFIG_FILE names counts, and dev null means none`() throws {
    try Files.withTemporaryFolder(named: "pip") { folder in
      let file = folder.appending("pip.conf")
      try writeAtomically("[global]\nproxy = http://proxy.example\n", to: file)
      let named = PythonVariables.pipChanges(["PIP_CONFIG_FILE": file.string, "HOME": folder.string])
      #expect(named["PIP_PROXY"] == "http://proxy.example")
      try createDirectories(folder.appending(".config/pip"))
      try writeAtomically("[global]\nretries = 7\n", to: folder.appending(".config/pip/pip.conf"))
      #expect(PythonVariables.pipChanges(["HOME": folder.string])["PIP_RETRIES"] == "7")
      let none = PythonVariables.pipChanges(["PIP_CONFIG_FILE": "/dev/null", "HOME": folder.string])
      #expect(none["PIP_RETRIES"] == nil)
    }
  }

  @Test func `Settings of the user's own Ansible are dropped, and a user without a name gets one`() {
    let own = [
      "ANSIBLE_STDOUT_CALLBACK": "yaml", "ANSIBLE_CONFIG": "/x", "ANSIBLE_VAULT_PASSWORD_FILE": "/p",
      "ANSIBLE_INVENTORY": "/x", "PYTHONPATH": "/x",
    ]
    let changes = AnsibleVariables.changes(own, folder: "/work")
    #expect(
      removed(changes) == ["ANSIBLE_STDOUT_CALLBACK", "ANSIBLE_CONFIG", "ANSIBLE_INVENTORY", "PYTHONPATH"])
    #expect(changes["USER"] == "kubespray" && changes["ANSIBLE_HOME"] == "/work")
    #expect(AnsibleVariables.changes(["LOGNAME": "me"], folder: "/work")["USER"] == nil)
  }

  @Test(
    "What Ansible says reaches people",
    arguments: [
      (
        "TASK [x] ****\nfatal: [node1]: FAILED! => {\"changed\": false, \"msg\": \"it is\\nwrong\"}\nok: [node2]\n",
        "  fatal: [node1]: FAILED! it is wrong"
      ),
      (
        "failed: [localhost] (item=files) => {\"ansible_loop_var\": \"item\", \"msg\": \"'x' is undefined\"}\n",
        "  failed: [localhost] (item=files) 'x' is undefined"
      ),
      (
        "fatal: [localhost]: FAILED! => {\"module_stdout\": \"/bin/sh: 1: /opt/bin/python: not found\\r\\n\", \"msg\": \"The module failed\"}\n",
        "  fatal: [localhost]: FAILED! The module failed /bin/sh: 1: /opt/bin/python: not found"
      ),
      ("ERROR! no such file\nplay\n", "  ERROR! no such file"),
      ("[ERROR]: bad\nOrigin: x\n", "  [ERROR]: bad Origin: x"),
      (
        """
        ERROR! We were unable to read either as JSON nor YAML, these are the errors we got from each:
        JSON: Expecting value: line 1 column 1 (char 0)

        Syntax Error while loading YAML.
          found character that cannot start any token
          in "<unicode string>", line 2, column 1

        The error appears to be in '/inv/group_vars/all.yml': line 2, column 1, but may
        be elsewhere
        """,
        "  ERROR! We were unable to read either as JSON nor YAML, these are the errors we got from each: Syntax Error while "
          + "loading YAML. found character that cannot start any token in \"<unicode string>\", line 2, column 1 The error appears "
          + "to be in '/inv/group_vars/all.yml': line 2, column 1, but may"
      ),
      (
        "fatal: [n]: FAILED! => {\"msg\": \"templating \(String(repeating: "x", count: 900)). original message: the cause\"}\n",
        "  fatal: [n]: FAILED! templating \(String(repeating: "x", count: 129)) … \(String(repeating: "x", count: 401)). original message: the cause"
      ),
      ("fatal: [n]: UNREACHABLE! => {not json}\n", "  fatal: [n]: UNREACHABLE! => {not json}"),
      ("one\ntwo\n", "  one\n  two"),
    ])
  func output(said: String, expected: String) {
    #expect(AnsibleOutput(CommandResult(status: 2, standardOutput: said)).excerpt == expected)
  }

  @Test(
    "sources of the inventory that Ansible passes over are known, however its words are broken into lines")
  func unreadSources() {
    let said = """
      [WARNING]:  * Failed to parse /a/my inv/openstack.yml with auto plugin:
      inventory config '/a/my inv/openstack.yml' specifies unknown plugin
      'openstack.cloud.openstack'
      [WARNING]:  * Failed to parse /a/my inv/openstack.yml with ini plugin:
      Invalid host pattern
      [WARNING]: Unable to parse /a/my
      inv/openstack.yml as an inventory source
      [WARNING]: Unable to parse /b as an inventory source
      [WARNING]: Invalid characters were found in group names
      """
    let sources = AnsibleOutput(CommandResult(status: 0, standardError: said)).unreadSources
    #expect(sources.map(\.path) == ["/a/my inv/openstack.yml", "/b"])
    #expect(
      sources.map(\.reason) == [
        "inventory config '/a/my inv/openstack.yml' specifies unknown plugin 'openstack.cloud.openstack'",
        "no plugin knows it",
      ])
  }

  @Test(
    "the home folder in arguments of -e",
    arguments: [
      ("@~/a.yml", "@/home/me/a.yml"), ("@a.yml", "@a.yml"), ("@~x/a.yml", "@~x/a.yml"), ("a=~/b", "a=~/b"),
      ("@~", "@~"),
    ])
  func home(_ argument: String, _ expected: String) {
    #expect(CatalogEvaluator.withHome(argument, home: "/home/me") == expected)
    #expect(CatalogEvaluator.withHome(argument, home: nil) == argument)
  }
}
