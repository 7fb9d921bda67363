import Bundle
import Console
import Diagnosis

/// A server of the admin host that nodes are to reach.
struct NodeServer: Sendable, Equatable {
  /// What it is.
  let title: String
  /// Its address for other machines, an IPv6 address without brackets.
  let host: String
  /// Its TCP port.
  let port: Int
  /// The step that starts it, where it does not run yet.
  let stepToDo: StepName?
}

/// What is to be said of a node, by what it has answered.
struct NodeFindings: Sendable {
  let node: InventoryNode
  let connection: NodeConnection
  let answers: NodeAnswers
  /// The time on this machine when the node was asked and when it had answered, in seconds since 1970.
  let asked: ClosedRange<Int64>
  let servers: [NodeServer]
  /// Where the nodes' packages come from once they are prepared, such as `http://10.0.0.5`.
  let packageServer: String

  /// All of it.
  var all: [Finding] {
    let found =
      [
        Finding.ok(.ssh, "logged in as \(answers.word("user") ?? connection.destination)"), python, sudo,
        clock,
      ] + disks + [memory, swap, controlGroups] + servers.map(reaching) + ports + [address, sources]
    return found.map { $0.on(node.name) }
  }

  /// A command for root on the node, as it is typed here.
  private func root(_ command: String) -> String { connection.typed(command, asRootOf: answers) }

  /// What installs python3 there.
  private var installing: String {
    switch answers.word("packages") {
    case "dnf": root("dnf install -y python3")
    case "zypper": root("zypper --non-interactive install python3")
    default: root("apt-get install -y python3")
    }
  }

  private var python: Finding {
    guard let version = answers.word("python"), version != "missing" else {
      return .error(.python, "there is no python3, which Ansible needs", next: installing)
    }
    let parts = version.split(separator: ".").compactMap { Int($0) }
    guard parts.count == 2 else {
      return .error(.python, "python3 does not run", next: connection.typed("python3 --version"))
    }
    guard parts[0] > 3 || (parts[0] == 3 && parts[1] >= 7) else {
      // Ansible-core, support matrix: 2.17 wants 3.7 on the nodes, 2.18 3.8.
      return .error(.python, "Python \(version) is too old for Ansible's modules", next: installing)
    }
    return .ok(.python, "Python \(version)")
  }

  private var sudo: Finding {
    let user = answers.word("user") ?? "the user"
    let allow = "echo '\(user) ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/\(user)"
    switch answers.word("sudo") {
    case "root": return .ok(.sudo, "root")
    case "yes": return .ok(.sudo, "sudo without a password")
    case "missing":
      return .error(
        .sudo, "\(user) is not root, and there is no sudo", next: "ansible_user=root in the inventory")
    default:
      if node.variable("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass") != nil {
        return .ok(.sudo, "sudo with the password of the inventory")
      }
      return .warning(
        .sudo, "sudo asks \(user) for a password: plays need --ask-become-pass",
        next: connection.typed(allow))
    }
  }

  private var clock: Finding {
    guard let time = answers.number("time") else {
      return .warning(.clock, "it does not tell its time", next: connection.typed("date"))
    }
    let skew = time < asked.lowerBound ? time - asked.lowerBound : max(0, time - asked.upperBound)
    guard abs(skew) > 60 else { return .ok(.clock, "the same time as here") }
    return .error(
      .clock,
      "it is \(ManifestTime.text(time)) there, \(abs(skew)) s \(skew > 0 ? "ahead of" : "behind") this machine: "
        + "certificates and etcd do not bear it",
      next: connection.settingClock(answers))
  }

  private var disks: [Finding] {
    // Images and etcd; programs of CNI. Below the first number it does not work, below the second not for long.
    let needs: [(folder: String, least: Int64, ample: Int64)] = [
      ("/var", 5 << 30, 20 << 30), ("/opt", 512 << 20, 1 << 30),
    ]
    return needs.compactMap { folder, least, ample -> Finding? in
      guard let words = answers.all("disk").first(where: { $0.first == folder }), words.count > 2,
        let free = Int64(words[1])?.multipliedReportingOverflow(by: 1024), !free.overflow
      else { return nil }
      let text = "\(folder) has \(ByteCount.format(free.partialValue)) free (file system \(words[2]))"
      let next = connection.typed("df -h \(words[2])")
      if free.partialValue < least { return .error(.disk, text, next: next) }
      return free.partialValue < ample ? .warning(.disk, text, next: next) : .ok(.disk, text)
    }
  }

  private var isControlPlane: Bool { node.groups.contains("kube_control_plane") }

  private var memory: Finding {
    // minimal_master_memory_mb and minimal_node_memory_mb of kubespray, by which its play stops.
    let least: Int64 = isControlPlane ? 1500 : 1024
    guard let memory = answers.number("memory") else {
      return .warning(.memory, "it does not tell its memory", next: connection.typed("free -m"))
    }
    let text = "\(memory / 1024) MiB of memory"
    guard memory / 1024 < least else { return .ok(.memory, text) }
    let variable = isControlPlane ? "minimal_master_memory_mb" : "minimal_node_memory_mb"
    return .error(
      .memory, "\(text), and kubespray wants \(least)", next: "give it more, or set \(variable) in group_vars"
    )
  }

  private var swap: Finding {
    let areas = answers.words("swap")
    guard !areas.isEmpty else { return .ok(.swap, "no swap") }
    return .warning(
      .swap,
      "swap is on (\(areas.joined(separator: ", "))): kubelet does not start with it; kubespray switches it off",
      next: root("swapoff -a && sed -i '/[[:space:]]swap[[:space:]]/s/^/#/' /etc/fstab"))
  }

  private var controlGroups: Finding {
    let words = answers.all("cgroups").first ?? []
    let lacking = ["cpu", "memory", "pids"].filter { !words.contains($0) }
    guard let version = words.first, lacking.isEmpty else {
      return .error(
        .cgroups, "the kernel has no control group for \(lacking.joined(separator: ", "))",
        next: "cgroup_enable=memory on the kernel's command line, and a restart")
    }
    guard version != "1" else {
      return .warning(
        .cgroups, "control groups of version 1, which kubelet 1.35 and later refuse (failCgroupV1)",
        next: "systemd.unified_cgroup_hierarchy=1 on the kernel's command line, and a restart")
    }
    return .ok(.cgroups, "control groups of version \(version)")
  }
}

// MARK: Network

extension NodeFindings {
  private func reaching(_ server: NodeServer) -> Finding {
    let words = answers.all("server").first {
      $0.count == 3 && $0[0] == server.host && $0[1] == "\(server.port)"
    }
    let place = "\(server.title) \(server.host):\(server.port)"
    switch words?.last {
    case "yes": return .ok(.servers, "it reaches \(place)")
    case "no":
      if let step = server.stepToDo {
        return .warning(.servers, "\(place) does not run yet", next: "target-setup \(step.rawValue)")
      }
      return .error(
        .servers, "it does not reach \(place): a firewall between, or no route",
        next: connection.typed("ip route get \(server.host)"))
    default:
      return .warning(
        .servers, "it has nothing to ask \(place) with (bash, python3 or curl)",
        next: installing)
    }
  }

  private var ports: [Finding] {
    NodePort.all(of: node.groups).map { port in
      guard let words = answers.all("listens").first(where: { $0.first == "\(port.number)" }) else {
        return .ok(.ports, "\(port.number) is free for \(port.owner)")
      }
      let owner = words.dropFirst().joined(separator: " ")
      if owner.contains(port.program) { return .ok(.ports, "\(port.number) is \(port.owner)'s already") }
      let isKnown = owner != "?" && !owner.isEmpty
      return .error(
        .ports,
        "\(port.number), on which \(port.owner) is to listen, is taken by \(isKnown ? owner : "another program")",
        next: root("ss -ltnp sport = :\(port.number)"))
    }
  }

  private var address: Finding {
    let addresses = answers.words("address")
    if let wanted = node.variable("ip"), !wanted.contains("{{"), !addresses.isEmpty,
      !addresses.contains(wanted)
    {
      return .error(
        .addresses, "ip is \(wanted) in the inventory, and it has \(addresses.joined(separator: ", "))",
        next: "ip=\(addresses[0]) in the inventory")
    }
    return .ok(
      .addresses, addresses.isEmpty ? "it does not tell its addresses" : addresses.joined(separator: ", "))
  }

  private var sources: Finding {
    let found = answers.all("source")
    let others = found.filter { $0.first == "other" }.compactMap { $0.dropFirst().first }
    let play = "ansible-playbook -i INVENTORY --become offline-repo.yml"
    guard let bundle = found.first(where: { $0.first == "bundle" })?.dropFirst().first else {
      let text = others.isEmpty ? "none" : others.joined(separator: ", ")
      return .warning(.packageSources, "packages do not come from the bundle yet (\(text))", next: play)
    }
    guard bundle == packageServer || bundle.hasPrefix(packageServer + "/") else {
      return .error(
        .packageSources, "packages come from \(bundle), and this machine is \(packageServer)", next: play)
    }
    guard others.isEmpty else {
      return .warning(
        .packageSources, "beside the bundle other sources are asked: \(others.joined(separator: ", "))",
        next: play)
    }
    return .ok(.packageSources, bundle)
  }
}

/// A port that a part of the cluster listens on.
struct NodePort: Sendable {
  let number: Int
  /// Whose it is, for people.
  let owner: String
  /// The name of its process.
  let program: String

  /// Those of a node in these groups.
  static func all(of groups: Set<String>) -> [NodePort] {
    var ports: [NodePort] = []
    if groups.contains("kube_control_plane") {
      ports.append(NodePort(number: 6443, owner: "the API server", program: "kube-apiserver"))
    }
    if groups.contains("etcd") { ports.append(NodePort(number: 2379, owner: "etcd", program: "etcd")) }
    if !groups.isDisjoint(with: ["kube_control_plane", "kube_node", "k8s_cluster"]) {
      ports.append(NodePort(number: 10_250, owner: "kubelet", program: "kubelet"))
    }
    return ports
  }
}
