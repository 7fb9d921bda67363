import Host
import SystemPackage

extension Machine {
  /// Whether it is a distribution that is known.
  public func distribution() -> Finding {
    guard let system else {
      return .error(
        .system, "there is no /etc/os-release, so it is not known which distribution this is",
        next:
          "ln -s ../usr/lib/os-release /etc/os-release, after the distribution's release package is installed"
      )
    }
    return .ok(.system, "\(system.prettyName), \(Architecture.current.rawValue)")
  }

  /// Whether enough memory is free.
  ///
  /// - Parameters:
  ///   - needed: The bytes below which processes will be ended.
  ///   - size: Writes a number of bytes for people.
  public func memory(needed: Int64, size: (Int64) -> String) -> Finding {
    let line = lines("/proc/meminfo").first { $0.hasPrefix("MemAvailable:") }
    guard let words = line?.split(separator: " "), words.count > 1, let kilobytes = Int64(words[1]) else {
      return .ok(.memory, "how much is free is not told")
    }
    let available = kilobytes << 10
    guard available >= needed else {
      return .warning(
        .memory, "\(size(available)) are free, less than \(size(needed)): the kernel may end what runs",
        next: "ps -eo rss,pid,args --sort=-rss | head")
    }
    return .ok(.memory, "\(size(available)) are free")
  }

  /// Whether containers can be limited.
  public func controlGroups() -> Finding {
    let mounts: [FilePath] = [
      "/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids",
    ]
    guard mounts.contains(where: exists) else {
      return .error(
        .cgroups, "no control groups are mounted, and containers need them",
        next: "mount -t cgroup2 none /sys/fs/cgroup")
    }
    let isSecond = exists("/sys/fs/cgroup/cgroup.controllers")
    guard countsMemory else {
      return .warning(
        .cgroups, "the kernel does not count memory for groups: the servers run without a limit",
        next: "add cgroup_enable=memory to the kernel's command line, and boot again")
    }
    return .ok(.cgroups, isSecond ? "version 2" : "version 1")
  }

  /// Whether the memory of a group can be limited.
  public var countsMemory: Bool {
    if exists("/sys/fs/cgroup/memory/memory.limit_in_bytes") { return true }
    return (text("/sys/fs/cgroup/cgroup.controllers") ?? "").split { $0.isWhitespace }.contains("memory")
  }

  /// Whether containerd can lay the layers of images over each other.
  public func overlay() async -> Finding {
    let types = lines("/proc/filesystems").map { $0.split(whereSeparator: \.isWhitespace).last ?? "" }
    if types.contains("overlay") { return .ok(.overlay, "the kernel has it") }
    // A module that is loaded when it is needed.
    if let result = await run(Command("modprobe", ["--dry-run", "overlay"])), result.status == 0 {
      return .ok(.overlay, "the kernel loads it when it is needed")
    }
    return .error(
      .overlay, "the kernel has no overlay file system, and containers need it", next: "modprobe overlay")
  }

  /// Whether what is written gets the labels that the policy wants.
  public func securityLabels() -> Finding {
    let isConfigured = lines("/etc/selinux/config").contains { $0.hasPrefix("SELINUX=enforcing") }
    guard let state = text("/sys/fs/selinux/enforce") else {
      guard isConfigured else { return .ok(.selinux, "off") }
      return .warning(
        .selinux, "off now and enforcing after the next boot: what is written until then has no labels",
        next: "touch /.autorelabel")
    }
    guard state.hasPrefix("1") else { return .ok(.selinux, "permissive") }
    guard hasProgram("restorecon") else {
      return .error(
        .selinux, "enforcing, and restorecon, which gives files their labels, is not there",
        next: installing("policycoreutils", "policycoreutils"))
    }
    return .ok(.selinux, "enforcing; files get their labels by restorecon")
  }

  /// Whether fapolicyd lets programs run that came with no package.
  public func executionPolicy() -> Finding? {
    guard processes().contains(where: { $0.name == "fapolicyd" }) else { return nil }
    return .warning(
      .rights, "fapolicyd runs, and ends programs that came with no package",
      next: "fapolicyd-cli --file add FOLDER --trust-file kubespray-offline && fapolicyd-cli --update")
  }

  /// Whether files that are made here can be read by others.
  public func fileMask() -> Finding {
    // Programs may set their own; what holds for the user's other commands is the mask of whoever has started this one.
    let parent = value("PPid:", "/proc/self/status").flatMap {
      value("Umask:", FilePath("/proc/\($0)/status"))
    }
    guard let mask = parent ?? value("Umask:", "/proc/self/status"), let bits = Int(mask, radix: 8) else {
      return .ok(.umask, "it is not told")
    }
    guard bits & 0o055 == 0 else {
      return .warning(
        .umask, "\(mask): others cannot read what your commands write, and Ansible gives nodes such files",
        next: "umask 022")
    }
    return .ok(.umask, mask)
  }

  private func value(_ name: String, _ file: FilePath) -> String? {
    lines(file).first { $0.hasPrefix(name) }.map { $0.dropFirst(name.count).filter { !$0.isWhitespace } }
  }

  /// Whether Ansible will start: it wants a locale with UTF-8.
  public func locale() async -> Finding {
    let all = variable("LC_ALL")
    let name = all ?? variable("LC_CTYPE") ?? variable("LANG") ?? "C"
    let next = "export LC_ALL=C.UTF-8"
    // Python takes UTF-8 where nothing else is asked for (PEP 538), but not against LC_ALL.
    if all == nil, ["C", "POSIX"].contains(name) { return .ok(.locale, name) }
    func simple(_ text: some StringProtocol) -> String { text.lowercased().filter { $0 != "-" } }
    guard simple(name).contains("utf8") else {
      return .warning(.locale, "\(name): Ansible starts only in a locale with UTF-8", next: next)
    }
    let known = await run(Command("locale", ["-a"])).map {
      $0.standardOutput.split(separator: "\n").map(simple)
    }
    guard known?.contains(simple(name)) ?? true else {
      return .warning(
        .locale, "\(name) is not made on this machine, and Ansible does not start in it", next: next)
    }
    return .ok(.locale, name)
  }

  /// Whether this process may open enough files and connections.
  public func openFiles() -> Finding {
    let line = lines("/proc/self/limits").first { $0.hasPrefix("Max open files") }
    let words = line?.split(separator: " ") ?? []
    guard words.count > 3, let most = Int(words[3]) else { return .ok(.openFiles, "no limit") }
    guard most >= 512 else {
      return .warning(.openFiles, "at most \(most) files can be open at once", next: "ulimit -n 4096")
    }
    return .ok(.openFiles, "\(most)")
  }
}
