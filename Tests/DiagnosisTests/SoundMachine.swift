import Diagnosis
import Files
import Host
import SystemPackage
import TestSupport

/// A machine in a folder with which nothing is wrong.
enum SoundMachine {
  /// Its files. Those in `/proc` are as the kernel writes them.
  static let files: [String: String] = [
    "/etc/os-release": "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian 12\"\nVERSION_CODENAME=bookworm\n",
    "/etc/hosts": "127.0.0.1 localhost\n127.0.1.1 admin\n",
    "/etc/resolv.conf": "nameserver 10.0.0.2\n",
    "/etc/apt/sources.list": "deb http://deb.example.com/debian bookworm main\n",
    "/etc/ssl/certs/ca-certificates.crt": "-----BEGIN CERTIFICATE-----\n",
    "/proc/sys/kernel/hostname": "admin\n",
    "/proc/7/comm": "chronyd\n",
    "/proc/8/status": "Name:\tsh\nUmask:\t0022\n",
    "/proc/self/status": "Name:\tus\nUmask:\t0022\nPPid:\t8\n",
    "/proc/self/limits": "Limit  Soft Limit  Hard Limit  Units\nMax open files  1024  524288  files\n",
    "/proc/self/mountinfo": "20 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n",
    "/proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n",
    "/proc/filesystems": "nodev\tproc\nnodev\toverlay\n\text4\n",
    "/proc/net/tcp": "  sl  local_address\n",
    "/sys/fs/cgroup/cgroup.controllers": "cpu memory pids\n",
    "/tmp/.keep": "", "/run/systemd/system/.keep": "",
    "/var/lib/dpkg/status": "Status: install ok installed\n",
  ]

  /// It, with other files and answers of commands.
  static func machine(
    in root: FilePath, _ changes: [String: String?] = [:],
    answers: [String: CommandResult] = [:]
  ) throws -> Machine {
    for (path, text) in files.merging(changes.mapValues { $0 ?? absent }, uniquingKeysWith: { $1 })
    where text != absent {
      try put(text, at: root.appending(FilePath(path).components))
    }
    return Machine(
      root: root, environment: ["LANG": "C.UTF-8"],
      interfaces: NetworkInterfaces(
        routed: "10.0.0.5", addresses: [.init(interface: "eth0", text: "10.0.0.5")]),
      now: 1_790_000_000, isRoot: true,
      space: { _ in
        FileSystemSpace(
          availableBytes: 50 << 30, totalBytes: 100 << 30, isReadOnly: false, availableInodes: 1_000_000)
      },
      run: { answers[$0.description] })
  }

  private static let absent = "\u{0}"
}
