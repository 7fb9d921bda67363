import Diagnosis
import Files
import Host
import SystemPackage
import TestSupport
import Testing

/// One thing that is wrong with a machine, and what has to be said of it.
struct SeededFault: Sendable, CustomTestStringConvertible {
  let name: String
  let level: Finding.Level
  /// What the finding tells.
  let tells: String
  /// What is to be typed next.
  let next: String
  var files: [String: String?] = [:]
  var answers: [String: CommandResult] = [:]
  var change: @Sendable (inout Machine) -> Void = { _ in }
  let look: @Sendable (Machine) async -> [Finding]

  var testDescription: String { name }
}

/// What is looked for in a file system with these numbers.
private func space(_ bytes: Int64 = 50 << 30, inodes: Int64 = 1_000_000, readOnly: Bool = false)
  -> @Sendable (FilePath) -> FileSystemSpace?
{
  { _ in
    FileSystemSpace(
      availableBytes: bytes, totalBytes: 100 << 30, isReadOnly: readOnly, availableInodes: inodes)
  }
}

private let bundleUse = FolderUse(
  "/srv/outputs", "the bundle", needed: 4 << 30, ample: (10 << 30, "download-all plan"), runsPrograms: true,
  largestFile: 5 << 30)
private func room(_ machine: Machine) -> [Finding] { machine.room(for: bundleUse) { "\($0 >> 20) MiB" } }
private func mounts(_ line: String) -> [String: String?] {
  ["/proc/self/mountinfo": "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n\(line)\n"]
}
/// Port 80 and 35000 (0x88B8) taken on all addresses by the socket 4711.
private let listening = """
    sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
     0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1

  """
private let web = ServerPort(
  "the web server", port: 80, bind: nil, isRunning: false, option: "--nginx-port PORT")
private let registry = ServerPort(
  "the registry", port: 35_000, bind: nil, isRunning: false, option: "--registry-port PORT")

private let faults: [SeededFault] = [
  SeededFault(
    name: "the clock is before the bundle was made", level: .error, tells: "the bundle was made",
    next: "chronyc makestep", look: { [$0.clock(after: (1_800_000_000, "the bundle was made"))] }),
  SeededFault(
    name: "the clock is not that of servers", level: .error, tells: "certificates cannot be judged",
    next: "date --utc --set '2026-09-21T", look: { [$0.clock(after: nil, skew: -3600)] }),
  SeededFault(
    name: "nobody keeps the clock", level: .warning, tells: "no program keeps the clock",
    next: "apt-get install chrony", files: ["/proc/7/comm": "sh\n"], look: { [$0.clock(after: nil)] }),
  SeededFault(
    name: "nobody keeps the clock, and systemd could", level: .warning, tells: "no program keeps the clock",
    next: "timedatectl set-ntp true", files: ["/proc/7/comm": "sh\n", "/usr/bin/timedatectl": ""],
    look: { [$0.clock(after: nil)] }),
  SeededFault(
    name: "no name server", level: .error, tells: "no name server", next: "nameserver ADDRESS",
    files: ["/etc/resolv.conf": "search example.com\n"], look: { [$0.names(needsInternet: true)] }),
  SeededFault(
    name: "localhost is unknown", level: .error, tells: "localhost", next: "127.0.0.1 localhost",
    files: ["/etc/hosts": "10.0.0.5 admin\n"], look: { [$0.names(needsInternet: false)] }),
  SeededFault(
    name: "the machine does not know its own name", level: .warning, tells: "admin",
    next: "echo '127.0.1.1 admin' >> /etc/hosts", files: ["/etc/hosts": "127.0.0.1 localhost\n"],
    look: { [$0.names(needsInternet: false)] }),
  SeededFault(
    name: "a closed network asks a name server of the internet", level: .warning, tells: "8.8.8.8",
    next: "sed -i '/8.8.8.8/d' /etc/resolv.conf", files: ["/etc/resolv.conf": "nameserver 8.8.8.8\n"],
    look: { [$0.names(needsInternet: false)] }),
  SeededFault(
    name: "a proxy for http alone", level: .warning, tells: "https_proxy is not",
    next: "export https_proxy=http://***@proxy:3128",
    change: { $0.environment["http_proxy"] = "http://me:secret@proxy:3128" },
    look: { [$0.proxy(isNeeded: true)] }),
  SeededFault(
    name: "a proxy for this machine's own servers", level: .warning, tells: "no_proxy lacks 10.0.0.5",
    next: "export no_proxy=10.1.0.0/16,10.0.0.5",
    change: {
      $0.environment["https_proxy"] = "http://proxy:3128"
      $0.environment["no_proxy"] = "10.1.0.0/16"
    }, look: { [$0.proxy(isNeeded: false, own: ["10.0.0.5"])] }),
  SeededFault(
    name: "a CA file that is not there", level: .error, tells: "/etc/company.pem, which cannot be read",
    next: "unset SSL_CERT_FILE", change: { $0.environment["SSL_CERT_FILE"] = "/etc/company.pem" },
    look: { [$0.authorities(isNeeded: true)] }),
  SeededFault(
    name: "a CA file in the form DER", level: .error, tells: "no certificate in the form PEM",
    next: "openssl x509 -inform der -in /etc/company.pem", files: ["/etc/company.pem": "0\u{82}\u{3}"],
    change: { $0.environment["CURL_CA_BUNDLE"] = "/etc/company.pem" },
    look: { [$0.authorities(isNeeded: true)] }),
  SeededFault(
    name: "no authorities at all", level: .error, tells: "no certificates of authorities",
    next: "apt-get install ca-certificates", files: ["/etc/ssl/certs/ca-certificates.crt": nil],
    look: { [$0.authorities(isNeeded: true)] }),
  SeededFault(
    name: "an empty file of authorities", level: .error, tells: "has no certificates in it",
    next: "update-ca-certificates --fresh", files: ["/etc/ssl/certs/ca-certificates.crt": ""],
    look: { [$0.authorities(isNeeded: true)] }),
  SeededFault(
    name: "no address", level: .error, tells: "no interface has an address", next: "ip address",
    change: { $0.interfaces = NetworkInterfaces(routed: nil, addresses: []) }, look: { [$0.network()] }),
  SeededFault(
    name: "no default route", level: .warning, tells: "no default route", next: "ip route add default via",
    change: {
      $0.interfaces = NetworkInterfaces(routed: nil, addresses: [.init(interface: "eth0", text: "10.0.0.5")])
    }, look: { [$0.network()] }),
  SeededFault(
    name: "a full disk", level: .error, tells: "100 MiB free and needs 4096 MiB", next: "df -h /srv",
    files: mounts("21 20 8:2 / /srv rw - xfs /dev/sdb1 rw"), change: { $0.space = space(100 << 20) },
    look: room),
  SeededFault(
    name: "a disk that may be too small", level: .warning, tells: "may be too little",
    next: "download-all plan",
    change: { $0.space = space(5 << 30) }, look: room),
  SeededFault(
    name: "no inodes", level: .error, tells: "12 more files", next: "df -i /",
    change: { $0.space = space(inodes: 12) }, look: room),
  SeededFault(
    name: "a disk for reading", level: .error, tells: "read-only", next: "mount -o remount,rw /srv",
    files: mounts("21 20 8:2 / /srv ro - xfs /dev/sdb1 ro"), look: room),
  SeededFault(
    name: "FAT, and a file that is too large for it", level: .error, tells: "no file over 4 GiB",
    next: "mkfs.exfat DEVICE", files: mounts("21 20 8:17 / /srv/outputs rw - vfat /dev/sdb1 rw"), look: room),
  SeededFault(
    name: "a disk from which no program may be run", level: .error, tells: "mounted noexec",
    next: "mount -o remount,exec /srv", files: mounts("21 20 8:2 / /srv rw,noexec - ext4 /dev/sdb1 rw"),
    look: room),
  SeededFault(
    name: "/tmp from which no program may be run", level: .warning, tells: "/tmp is mounted noexec",
    next: "export TMPDIR=/var/tmp", files: mounts("21 20 0:40 / /tmp rw,nosuid,noexec - tmpfs tmpfs rw"),
    look: { [$0.temporaryFolder()] }),
  SeededFault(
    name: "no folder for temporary files", level: .error, tells: "is not there",
    next: "mkdir -m 1777 /data/tmp",
    change: { $0.environment["TMPDIR"] = "/data/tmp" }, look: { [$0.temporaryFolder()] }),
  SeededFault(
    name: "little memory", level: .warning, tells: "97 MiB are free", next: "ps -eo rss,pid,args",
    files: ["/proc/meminfo": "MemAvailable: 100000 kB\n"],
    look: { [$0.memory(needed: 1 << 30) { "\($0 >> 20) MiB" }] }),
  SeededFault(
    name: "no control groups", level: .error, tells: "no control groups",
    next: "mount -t cgroup2 none /sys/fs/cgroup",
    files: ["/sys/fs/cgroup/cgroup.controllers": nil], look: { [$0.controlGroups()] }),
  SeededFault(
    name: "memory is not counted", level: .warning, tells: "does not count memory",
    next: "cgroup_enable=memory",
    files: ["/sys/fs/cgroup/cgroup.controllers": "cpu pids\n"], look: { [$0.controlGroups()] }),
  SeededFault(
    name: "no overlay", level: .error, tells: "no overlay file system", next: "modprobe overlay",
    files: ["/proc/filesystems": "\text4\n"],
    answers: ["modprobe --dry-run overlay": CommandResult(status: 1)], look: { [await $0.overlay()] }),
  SeededFault(
    name: "no systemd", level: .warning, tells: "nothing starts them at a boot", next: "set up again",
    files: ["/run/systemd/system/.keep": nil], look: { [$0.services(next: "set up again")] }),
  SeededFault(
    name: "SELinux without restorecon", level: .error, tells: "enforcing",
    next: "dnf install policycoreutils",
    files: ["/sys/fs/selinux/enforce": "1", "/etc/os-release": "ID=rocky\nVERSION_ID=9\n"],
    look: { [$0.securityLabels()] }),
  SeededFault(
    name: "SELinux without restorecon on SUSE", level: .error, tells: "enforcing",
    next: "zypper install policycoreutils",
    files: ["/sys/fs/selinux/enforce": "1", "/etc/os-release": "ID=opensuse-leap\nVERSION_ID=16.0\n"],
    look: { [$0.securityLabels()] }),
  SeededFault(
    name: "SELinux after the next boot", level: .warning, tells: "after the next boot",
    next: "touch /.autorelabel",
    files: ["/etc/selinux/config": "SELINUX=enforcing\n"], look: { [$0.securityLabels()] }),
  SeededFault(
    name: "fapolicyd", level: .warning, tells: "fapolicyd runs", next: "fapolicyd-cli --file add",
    files: ["/proc/99/comm": "fapolicyd\n"], look: { [$0.executionPolicy()].compactMap(\.self) }),
  SeededFault(
    name: "somebody else's web server", level: .error, tells: "taken by apache2 (process 42)",
    next: "systemctl disable --now apache2.service, or another port: --nginx-port PORT",
    files: [
      "/proc/net/tcp": listening, "/proc/42/comm": "apache2\n",
      "/proc/42/cgroup": "0::/system.slice/apache2.service\n", "/proc/42/fd/3": "socket:[4711]",
    ], look: { [$0.port(of: web)] }),
  SeededFault(
    name: "a port whose owner cannot be seen", level: .error, tells: "taken by another process",
    next: "ss -ltnp 'sport = :80'", files: ["/proc/net/tcp": listening], look: { [$0.port(of: web)] }),
  SeededFault(
    name: "ufw", level: .error, tells: "ufw is on and lets nobody ask port 35000",
    next: "ufw allow 35000/tcp",
    files: [
      "/etc/ufw/ufw.conf": "ENABLED=yes\n",
      "/etc/ufw/user.rules": "### tuple ### allow tcp 22,80:90 0.0.0.0/0 any 0.0.0.0/0 in\n",
    ], look: { [await $0.firewall([web, registry], opensFirewalld: true)] }),
  SeededFault(
    name: "firewalld after the set-up", level: .error, tells: "port 35000 is closed",
    next: "firewall-cmd --permanent --add-port=35000/tcp && firewall-cmd --reload",
    files: ["/usr/bin/firewall-cmd": ""],
    answers: [
      "firewall-cmd --state": CommandResult(status: 0),
      "firewall-cmd --query-port=80/tcp": CommandResult(status: 0),
      "firewall-cmd --query-port=35000/tcp": CommandResult(status: 1),
    ], look: { [await $0.firewall([web, registry], opensFirewalld: false)] }),
  SeededFault(
    name: "iptables", level: .error, tells: "iptables drops what asks port 35000",
    next: "iptables -I INPUT -p tcp --dport 35000 -j ACCEPT", files: ["/usr/sbin/iptables": ""],
    answers: [
      "iptables -S INPUT": CommandResult(
        status: 0,
        standardOutput: "-P INPUT DROP\n-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT\n")
    ], look: { [await $0.firewall([web, registry], opensFirewalld: true)] }),
  SeededFault(
    name: "apt knows no source", level: .error, tells: "no source", next: "bookworm main",
    files: ["/etc/apt/sources.list": "# deb http://x y z\n"], look: { [$0.packageSources()] }),
  SeededFault(
    name: "apt knows the CD alone", level: .error, tells: "the CD of the installation",
    next: "apt-get update",
    files: ["/etc/apt/sources.list": "deb cdrom:[Debian 12]/ bookworm main\n"],
    look: { [$0.packageSources()] }),
  SeededFault(
    name: "dnf knows no repository", level: .error, tells: "no repository", next: "dnf config-manager",
    files: [
      "/etc/os-release": "ID=rocky\nVERSION_ID=9\n",
      "/etc/yum.repos.d/rocky.repo": "[baseos]\nbaseurl=http://x/\nenabled=0\n",
    ], look: { [$0.packageSources()] }),
  SeededFault(
    name: "zypper knows no repository", level: .error, tells: "no repository", next: "zypper modifyrepo",
    files: [
      "/etc/os-release": "ID=opensuse-leap\nID_LIKE=\"suse opensuse\"\nVERSION_ID=16.0\n",
      "/etc/zypp/repos.d/oss.repo": "[oss]\nenabled=0\nbaseurl=http://x/\n",
      "/etc/zypp/services.d/openSUSE.service": "[openSUSE]\nenabled = 0\n",
    ], look: { [$0.packageSources()] }),
  SeededFault(
    name: "SLES without a subscription", level: .error, tells: "no repository", next: "SUSEConnect",
    files: ["/etc/os-release": "ID=sles\nVERSION_ID=16.0\n"], look: { [$0.packageSources()] }),
  SeededFault(
    name: "zypper is at work", level: .warning, tells: "zypper (process 56)", next: "tail --pid=56",
    files: ["/proc/56/comm": "zypper\n"], look: { [$0.packageManager()] }),
  SeededFault(
    name: "the database of zypper's packages is gone", level: .error, tells: "database",
    next: "rpm --rebuilddb",
    files: ["/etc/os-release": "ID=opensuse-leap\nVERSION_ID=16.0\n"], look: { [$0.packageManager()] }),
  SeededFault(
    name: "RHEL without a subscription", level: .error, tells: "no repository",
    next: "subscription-manager register",
    files: ["/etc/os-release": "ID=rhel\nVERSION_ID=9\n"], look: { [$0.packageSources()] }),
  SeededFault(
    name: "dpkg was interrupted", level: .error, tells: "half installed", next: "dpkg --configure -a",
    files: ["/var/lib/dpkg/status": "Status: install ok half-configured\n"], look: { [$0.packageManager()] }),
  SeededFault(
    name: "dpkg was killed while it wrote", level: .error, tells: "half installed",
    next: "dpkg --configure -a",
    files: ["/var/lib/dpkg/updates/0001": "Package: x\n"], look: { [$0.packageManager()] }),
  SeededFault(
    name: "unattended upgrades", level: .warning, tells: "unattended-upgr (process 55)",
    next: "systemctl stop unattended-upgrades", files: ["/proc/55/comm": "unattended-upgr\n"],
    look: { [$0.packageManager()] }),
  SeededFault(
    name: "a mask that hides files", level: .warning, tells: "0077", next: "umask 022",
    files: ["/proc/8/status": "Umask:\t0077\n"], look: { [$0.fileMask()] }),
  SeededFault(
    name: "a locale without UTF-8", level: .warning, tells: "UTF-8", next: "export LC_ALL=C.UTF-8",
    change: { $0.environment["LC_ALL"] = "C" }, look: { [await $0.locale()] }),
  SeededFault(
    name: "a locale that was not made", level: .warning, tells: "de_DE.UTF-8 is not made",
    next: "export LC_ALL=C.UTF-8",
    answers: ["locale -a": CommandResult(status: 0, standardOutput: "C\nC.utf8\nPOSIX\n")],
    change: { $0.environment["LANG"] = "de_DE.UTF-8" }, look: { [await $0.locale()] }),
  SeededFault(
    name: "few files may be open", level: .warning, tells: "at most 256", next: "ulimit -n 4096",
    files: ["/proc/self/limits": "Max open files  256  256  files\n"], look: { [$0.openFiles()] }),
  SeededFault(
    name: "what a launcher has left", level: .warning, tells: "/run/.target-setup.999", next: "rm -rf",
    files: ["/run/.target-setup.999/lib": ""],
    look: { machine in
      [machine.leftovers(machine.abandoned(named: ".target-setup.", in: ["/run", "/tmp"]), next: "rm -rf")]
    }),
]

@Suite struct SeededFaultTests {
  @Test(arguments: faults)
  func `A fault is found, and what to type is said`(_ fault: SeededFault) async throws {
    try await withFolder { root in
      var machine = try SoundMachine.machine(in: root, fault.files, answers: fault.answers)
      try replaceSockets(root, fault.files)
      fault.change(&machine)
      let found = await fault.look(machine)
      let wrong = found.filter { $0.level != .ok }
      #expect(
        wrong.contains {
          $0.level == fault.level && $0.detail.contains(fault.tells) && $0.next?.contains(fault.next) == true
        }, "\(found)")
    }
  }

  @Test func `A sound machine has none of them`() async throws {
    try await withFolder { root in
      let machine = try SoundMachine.machine(
        in: root, ["/usr/bin/firewall-cmd": ""],
        answers: [
          "locale -a": CommandResult(status: 0, standardOutput: "C.utf8\n"),
          "firewall-cmd --state": CommandResult(status: 252),
        ])
      var found = [
        machine.clock(after: (1_700_000_000, "the bundle was made"), skew: 2),
        machine.names(needsInternet: true),
        machine.names(needsInternet: false), machine.proxy(isNeeded: true, own: ["10.0.0.5"]),
        machine.authorities(isNeeded: true), machine.network(), machine.temporaryFolder(),
        machine.memory(needed: 1 << 30) { "\($0)" }, machine.controlGroups(), await machine.overlay(),
        machine.services(next: ""), machine.securityLabels(), machine.port(of: web), machine.packageSources(),
        await machine.firewall([web, registry], opensFirewalld: false), machine.packageManager(),
        machine.fileMask(), await machine.locale(), machine.openFiles(), machine.distribution(),
        machine.leftovers(machine.abandoned(named: ".target-setup.", in: ["/run", "/tmp"]), next: ""),
      ]
      found += room(machine)
      let report = MachineReport(found)
      #expect(report.errors + report.warnings == 0, "\(found.filter { $0.level != .ok })")
      #expect(machine.executionPolicy() == nil)
      #expect(report.next.isEmpty)
    }
  }

  @Test func `What to do against errors comes first, and each once`() {
    let report = MachineReport([
      .warning(.umask, "0077", next: "umask 022"), .error(.disk, "full", next: "df -h /"),
      .ok(.clock, "right"), .error(.ports, "taken", next: "df -h /"),
    ])
    #expect(report.next == ["df -h /", "umask 022"])
    #expect(report.summary == "2 errors, 1 warning")
  }

  /// Descriptors of processes are links.
  private func replaceSockets(_ root: FilePath, _ files: [String: String?]) throws {
    for (path, text) in files where path.contains("/fd/") {
      let place = root.appending(FilePath(path).components)
      try removeFile(place)
      try createLink(place, to: text ?? "")
    }
  }

}
