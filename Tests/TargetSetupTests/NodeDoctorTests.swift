import Diagnosis
import Files
import Foundation
import Host
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// One thing that is wrong with a node, and what has to be said of it.
struct NodeFault: Sendable, CustomTestStringConvertible {
  let name: String
  let check: MachineCheck
  var level: Finding.Level = .error
  let tells: String
  let next: String
  /// More variables of node2.
  var variables: [String: String] = [:]
  /// Files of node2, below its folder; a program of its own is in `bin`.
  let files: [String: String]

  var testDescription: String { name }
}

private let faults: [NodeFault] = [
  NodeFault(
    name: "a key that is not allowed", check: .ssh,
    tells: "admin@10.0.0.12 cannot be logged in to: Permission denied",
    next: "ssh-copy-id -p 2222 admin@10.0.0.12", files: ["refuses": "Permission denied (publickey).\n"]),
  NodeFault(
    name: "a host whose key nobody has accepted", check: .ssh, tells: "Host key verification failed",
    next: "ssh -p 2222 admin@10.0.0.12 (once", files: ["refuses": "Host key verification failed.\n"]),
  NodeFault(
    name: "a host with another key than before", check: .ssh, tells: "cannot be logged in to",
    next: "ssh-keygen -R 10.0.0.12",
    files: ["refuses": "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.\n"]),
  NodeFault(
    name: "no sshd", check: .ssh, tells: "Connection refused", next: "start sshd",
    files: ["refuses": "ssh: connect to host 10.0.0.12 port 2222: Connection refused\n"]),
  NodeFault(
    name: "a name that nobody knows", check: .ssh, tells: "Could not resolve", next: "ansible_host=ADDRESS",
    files: ["refuses": "ssh: Could not resolve hostname node2: Name or service not known\n"]),
  NodeFault(
    name: "a node that is off", check: .ssh, tells: "No route to host", next: "ping -c 1 10.0.0.12",
    files: ["refuses": "ssh: connect to host 10.0.0.12 port 2222: No route to host\n"]),
  NodeFault(
    name: "an address that only a play evaluates", check: .ssh, level: .warning,
    tells: "ansible_host is a template",
    next: "ansible -i INVENTORY node2 -m ping", variables: ["ansible_host": "{{ lookup('env', 'X') }}"],
    files: [:]),
  NodeFault(
    name: "an address that is an option of ssh", check: .ssh,
    tells: "ansible_host is \"-oProxyCommand=touch x\"",
    next: "give node2 another one in the inventory",
    variables: ["ansible_host": "-oProxyCommand=touch x"], files: [:]),
  NodeFault(
    name: "a user that is an option of ssh", check: .ssh, tells: "ansible_user is \"-oProxyCommand=x\"",
    next: "in the inventory", variables: ["ansible_user": "-oProxyCommand=x"], files: [:]),
  NodeFault(
    name: "a port that is an option of ssh", check: .ssh, tells: "ansible_port is \"-oProxyCommand=touch x\"",
    next: "in the inventory", variables: ["ansible_port": "-oProxyCommand=touch x"], files: [:]),
  NodeFault(
    name: "a node that is a container", check: .ssh, level: .warning, tells: "ansible_connection is docker",
    next: "-m ping", variables: ["ansible_connection": "docker"], files: [:]),
  NodeFault(
    name: "Python of long ago", check: .python, tells: "Python 3.6 is too old",
    next: "apt-get install -y python3",
    files: ["bin/python3": "echo 3.6\n"]),
  NodeFault(
    name: "a Python that does not run", check: .python, tells: "does not run", next: "python3 --version",
    files: ["bin/python3": "exit 127\n"]),
  NodeFault(
    name: "sources of openSUSE", check: .packageSources, level: .warning,
    tells: "beside the bundle other sources are asked: /etc/zypp/repos.d/oss.repo", next: "offline-repo.yml",
    files: [
      "etc/apt/sources.list.d/kubespray-offline.sources": "",
      "etc/zypp/repos.d/kubespray-offline.repo":
        "[kubespray-offline]\nbaseurl=http://10.0.0.5/rpms/leap/?credentials=kubespray-offline\n",
      "etc/zypp/repos.d/oss.repo": "[oss]\nenabled=1\n",
    ]),
  NodeFault(
    name: "sudo with a password", check: .sudo, level: .warning, tells: "asks admin for a password",
    next: "NOPASSWD", files: ["bin/sudo": "exit 1\n"]),
  NodeFault(
    name: "a clock that is behind", check: .clock, tells: "3600 s behind",
    next: "\"sudo date --utc --set @$(date +%s)\"",
    files: ["bin/date": "echo 1799996400\n"]),
  NodeFault(
    name: "a full /var", check: .disk, tells: "/var has 1.0 GB free", next: "df -h /var",
    files: ["bin/df": "echo Filesystem\necho /dev/vda 9 9 1000000 99% /var\n"]),
  NodeFault(
    name: "little memory for a control plane", check: .memory, tells: "wants 1500",
    next: "minimal_master_memory_mb",
    files: ["proc/meminfo": "MemTotal:        1048576 kB\n"]),
  NodeFault(
    name: "swap", check: .swap, level: .warning, tells: "/dev/vda2", next: "swapoff -a",
    files: ["proc/swaps": "Filename Type Size Used Priority\n/dev/vda2 partition 1 0 -2\n"]),
  NodeFault(
    name: "no control group for memory", check: .cgroups, tells: "no control group for memory",
    next: "cgroup_enable=memory", files: ["sys/fs/cgroup/cgroup.controllers": "cpu pids\n"]),
  NodeFault(
    name: "a firewall between", check: .servers, tells: "does not reach the registry 10.0.0.5:35000",
    next: "ip route get 10.0.0.5", files: ["bin/bash": "[ \"$4\" != 35000 ]\n"]),
  NodeFault(
    name: "a port that is taken", check: .ports,
    tells: "6443, on which the API server is to listen, is taken by haproxy",
    next: "ss -ltnp sport = :6443",
    files: [
      "proc/net/tcp": "  sl\n   0: 00000000:192B 00000000:0000 0A 0 0 0 0 0 4711\n",
      "bin/ss": "echo 'LISTEN 0 9 0.0.0.0:6443 0.0.0.0:* users:((\"haproxy\",pid=7,fd=3))'\n",
    ]),
  NodeFault(
    name: "an address of another node", check: .addresses, tells: "ip is 10.9.9.9 in the inventory",
    next: "ip=10.0.0.12", variables: ["ip": "10.9.9.9"], files: [:]),
  NodeFault(
    name: "two nodes of one name", check: .hostname, tells: "node1 and node2 have the host name node1 both",
    next: "hostnamectl set-hostname NAME", files: ["bin/hostname": "echo node1\n"]),
  NodeFault(
    name: "copies of one machine", check: .hostname,
    tells: "node1 and node2 have the machine-id 10.0.0.11 both",
    next: "systemd-machine-id-setup", files: ["etc/machine-id": "10.0.0.11\n"]),
  NodeFault(
    name: "one machine under two names", check: .addresses,
    tells: "node1 and node2 have the address 10.0.0.11 both",
    next: "another ansible_host for node2", files: ["address": "10.0.0.11"]),
  NodeFault(
    name: "packages from the admin host of before", check: .packageSources,
    tells: "packages come from http://10.0.0.99/debs", next: "offline-repo.yml",
    files: ["etc/apt/sources.list.d/kubespray-offline.sources": "URIs: http://10.0.0.99/debs/local/\n"]),
  NodeFault(
    name: "packages from elsewhere too", check: .packageSources, level: .warning,
    tells: "/etc/apt/sources.list.d/docker.list", next: "offline-repo.yml",
    files: ["etc/apt/sources.list.d/docker.list": "deb https://download.docker.com x y\n"]),
  NodeFault(
    name: "packages from the internet", check: .packageSources, level: .warning,
    tells: "do not come from the bundle yet",
    next: "offline-repo.yml",
    files: [
      "etc/apt/sources.list.d/kubespray-offline.sources": "",
      "etc/apt/sources.list": "deb http://deb.debian.org/debian bookworm main\n",
    ]),
]

@Suite struct NodeDoctorTests {
  @Test func `Nothing is wrong with nodes that are prepared`() async throws {
    try await withFolder { folder in
      let found = try await Nodes(folder).findings()
      #expect(found.filter { $0.level != .ok }.isEmpty, "\(found.filter { $0.level != .ok })")
      #expect(Set(found.compactMap(\.node)) == ["node1", "node2", "node3"])
      #expect(found.count { $0.check == .ports } == 7)
    }
  }

  @Test(arguments: faults)
  func `A fault of a node is found, and what to type is said`(_ fault: NodeFault) async throws {
    try await withFolder { folder in
      let nodes = try Nodes(folder, variables: fault.variables)
      for (path, content) in fault.files { try nodes.put(content, path, "10.0.0.12") }
      let found = try await nodes.findings()
      #expect(
        found.contains {
          $0.node == "node2" && $0.check == fault.check && $0.level == fault.level
            && $0.detail.contains(fault.tells) && $0.next?.contains(fault.next) == true
        }, "\(found.filter { $0.level != .ok })")
      #expect(found.allSatisfy { $0.node == "node2" || $0.level == .ok })
    }
  }

  @Test func `What the cluster itself listens on is no fault`() async throws {
    try await withFolder { folder in
      let nodes = try Nodes(folder)
      try nodes.put(
        "  sl\n   0: 00000000:280A 00000000:0000 0A 0 0 0 0 0 4711\n", "proc/net/tcp6", "10.0.0.13")
      try nodes.put("echo 'x users:((\"kubelet\",pid=7,fd=3))'\n", "bin/ss", "10.0.0.13")
      let found = try await nodes.findings()
      #expect(found.contains { $0.node == "node3" && $0.detail == "10250 is kubelet's already" })
      #expect(found.allSatisfy { $0.level == .ok })
    }
  }

  @Test func `An inventory that Ansible does not read is a finding`() async throws {
    try await withFolder { folder in
      let nodes = try Nodes(folder)
      try nodes.program("exit 4", "ansible-inventory")
      let found = try await nodes.findings()
      #expect(
        found.count == 1 && found[0].level == .error
          && found[0].detail.contains("does not read the inventory"))
      #expect(found[0].next?.contains("--list") == true)
    }
  }

  @Test func `An inventory without hosts is a finding`() async throws {
    try await withFolder { folder in
      let nodes = try Nodes(folder)
      try nodes.program(
        "echo '{\"_meta\": {\"hostvars\": {}}, \"all\": {\"children\": [\"ungrouped\"]}}'",
        "ansible-inventory")
      let found = try await nodes.findings()
      #expect(found.count == 1 && found[0].detail.contains("there is no host in the inventory"))
    }
  }

  @Test(arguments: [
    (
      name: "-oProxyCommand=x", variables: [:],
      tells: "the name of the host is \"-oProxyCommand=x\", which ssh takes for an option"
    ),
    (
      name: "node1", variables: ["ansible_ssh_user": "-l"],
      tells: "ansible_ssh_user is \"-l\", which ssh takes for an option"
    ),
    (
      name: "node1", variables: ["ansible_user": "me", "ansible_ssh_host": "-oProxyCommand=x"],
      tells: "ansible_ssh_host is \"-oProxyCommand=x\", which ssh takes for an option"
    ),
    (
      name: "node1", variables: ["ansible_private_key_file": "-F/tmp/x"],
      tells: "ansible_private_key_file is \"-F/tmp/x\", which ssh takes for an option"
    ),
  ])
  func `ssh gets no option as a name`(name: String, variables: [String: String], tells: String) throws {
    let error = #expect(throws: NodeConnection.Obstacle.self) {
      try NodeConnection(InventoryNode(name: name, variables: variables, groups: []))
    }
    #expect(
      error?.detail.hasPrefix(tells) == true && error?.isRefused == true, "\(error?.detail ?? "nothing")")
  }

  @Test func `ssh is given what the inventory says`() throws {
    let node = InventoryNode(
      name: "node1",
      variables: [
        "ansible_host": "10.0.0.7", "ansible_user": "me", "ansible_ssh_private_key_file": "/root/my key",
        "ansible_ssh_common_args": "-o ProxyCommand='ssh -W %h:%p bastion' -J jump",
      ], groups: [])
    let connection = try NodeConnection(node)
    let command = connection.sending("true", ["port", "22"])
    #expect(
      command.arguments.suffix(8) == [
        "-o", "ProxyCommand=ssh -W %h:%p bastion", "-J", "jump", "-i", "/root/my key", "me@10.0.0.7",
        "sh -s -- port 22",
      ])
    #expect(command.arguments.contains("BatchMode=yes"))
    #expect(connection.typed("df -h").hasPrefix("ssh -t -o 'ProxyCommand=ssh -W %h:%p bastion'"))
    #expect(NodeConnection.split("-o 'x") == nil)
  }
}

/// Three nodes in a folder, a stand-in for ssh that runs there what it is sent, and one for Ansible.
private struct Nodes {
  private let folder: FilePath

  init(_ folder: FilePath, variables: [String: String] = [:]) throws {
    self.folder = folder
    try program("cat '\(folder.appending("inventory.json"))'", "ansible-inventory")
    try program(
      """
      while :; do case $1 in -o | -p | -i) shift 2 ;; *) break ;; esac; done
      node='\(folder.appending("nodes"))'/${1#*@}
      shift
      if [ -f "$node/refuses" ]; then cat >/dev/null; cat "$node/refuses" >&2; exit 255; fi
      echo 'Only for those who may.'
      SSH_CONNECTION="10.0.0.5 999 $(cat "$node/address") 22" LOOK_BELOW=$node PATH=$node/bin:$PATH exec sh -c "$*"
      """, "ssh")
    var hosts: [String: [String: String]] = [:]
    for number in 1...3 {
      let address = "10.0.0.1\(number)"
      hosts["node\(number)"] = ["ansible_host": address, "ip": address, "ansible_user": "admin"]
      if number == 2 { hosts["node2"]?["ansible_port"] = "2222" }
      try prepare(address, "node\(number)")
    }
    hosts["node2"]?.merge(variables) { $1 }
    let data = try JSONEncoder().encode(hosts)
    try writeAtomically(
      """
      {"_meta": {"hostvars": \(String(decoding: data, as: UTF8.self))},
       "all": {"children": ["ungrouped", "k8s_cluster", "etcd"]},
       "k8s_cluster": {"children": ["kube_control_plane", "kube_node"]},
       "kube_control_plane": {"hosts": ["node1", "node2"]}, "kube_node": {"hosts": ["node3"]},
       "etcd": {"hosts": ["node1", "node2"]}}
      """, to: folder.appending("inventory.json"))
  }

  private func prepare(_ address: String, _ name: String) throws {
    let files = [
      "address": address, "etc/machine-id": "\(address)\n", "proc/meminfo": "MemTotal: 4194304 kB\n",
      "proc/swaps": "Filename Type Size Used Priority\n",
      "sys/fs/cgroup/cgroup.controllers": "cpu memory pids\n",
      "etc/apt/sources.list.d/kubespray-offline.sources": "Types: deb\nURIs: http://10.0.0.5/debs/local/\n",
      "bin/id": "[ \"$1\" = -un ] && echo admin || echo 1000\n", "bin/hostname": "echo \(name)\n",
      "bin/sudo": "shift; [ \"$1\" != true ] || exit 0; exec \"$@\"\n", "bin/python3": "echo 3.11\n",
      "bin/date": "echo 1800000000\n", "bin/bash": "exit 0\n", "bin/timeout": "shift; exec \"$@\"\n",
      "bin/ip": "echo '2: eth0    inet \(address)/24 brd x scope global eth0'\n", "bin/ss": "",
      "bin/apt-get": "",
      "bin/df": "echo Filesystem\necho /dev/vda 9 9 99000000 9% /\n",
    ]
    for (path, content) in files { try put(content, path, address) }
  }

  /// A file of a node; one in `bin` is a program.
  func put(_ content: String, _ path: String, _ address: String) throws {
    let place = folder.appending("nodes").appending(address).appending(FilePath(path).components)
    try createDirectories(place.removingLastComponent())
    let isProgram = path.hasPrefix("bin/")
    let permissions = FilePermissions(rawValue: isProgram ? 0o755 : 0o644)
    try writeAtomically((isProgram ? "#!/bin/sh\n" : "") + content, to: place, permissions: permissions)
  }

  /// A program of the admin host.
  func program(_ text: String, _ name: String) throws {
    let place = folder.appending("tools").appending(name)
    try createDirectories(place.removingLastComponent())
    try writeAtomically("#!/bin/sh\n\(text)\n", to: place, permissions: FilePermissions(rawValue: 0o755))
  }

  func findings() async throws -> [Finding] {
    let tools = folder.appending("tools")
    let path = "\(tools):/usr/bin:/bin"
    let doctor = NodeDoctor(
      run: { command in
        let environment = command.environment.merging(["PATH": path]) { $1 }
        return try? await Command(
          command.executable, command.arguments, environment: environment, input: command.input
        ).run()
      }, now: { 1_800_000_000 },
      servers: [
        NodeServer(title: "the web server", host: "10.0.0.5", port: 80, stepToDo: nil),
        NodeServer(title: "the registry", host: "10.0.0.5", port: 35_000, stepToDo: nil),
      ], packageServer: "http://10.0.0.5")
    return try await doctor.findings(["hosts.ini"], program: tools.appending("ansible-inventory").string)
  }
}
