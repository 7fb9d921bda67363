import Diagnosis
import Host
import SystemPackage

/// What a container may do and use beside serving its files.
struct ContainerLimits: Sendable {
  /// A user and a group by their numbers.
  struct User: Sendable, Equatable {
    /// The account that distroless images call "nonroot": neither a host's own users nor systemd's reach it.
    static let unprivileged = User(id: 65_532, group: 65_532)

    let id: UInt32
    let group: UInt32
  }

  /// The capabilities that containerd gives by default (`containerd/oci/spec.go`, `defaultUnixCaps`).
  private static let defaultCapabilities = [
    "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
    "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
  ]

  /// As whom it runs; `nil` means as the image says.
  var user: User?
  /// Those of the default capabilities that it needs.
  var capabilities: Set<String> = []
  /// Folders in memory that it may write to; everything else is read-only but for the mounts.
  var scratch: [String] = ["/tmp"]
  /// The most memory that it gets, in bytes. The page cache of what it serves counts and is given back.
  var memory: Int64
  /// The most processes and threads.
  var processes = 512

  /// Options of `ctr run` for them, as far as this `ctr` and this machine have them.
  ///
  /// - Parameter help: What `ctr run --help` says.
  func options(_ host: TargetHost, help: String) -> [String] {
    let known = Set(help.split { $0.isWhitespace || $0 == "," })
    var words: [String] = []
    if known.contains("--read-only") {
      words.append("--read-only")
      for folder in scratch {
        words += [
          "--mount", "type=tmpfs,src=tmpfs,dst=\(folder),options=nosuid:nodev:noexec:mode=1777:size=64m",
        ]
      }
    }
    if known.contains("--cap-drop") {
      for name in Self.defaultCapabilities where !capabilities.contains(name) {
        words += ["--cap-drop", "CAP_\(name)"]
      }
    }
    if known.contains("--seccomp"), host.exists("/proc/sys/kernel/seccomp") || host.root == "/" {
      words.append("--seccomp")
    }
    // Where the kernel does not count memory, runc refuses to limit it.
    if known.contains("--memory-limit"), host.machine.countsMemory {
      words += ["--memory-limit", "\(memory)"]
    }
    // ctr has it since containerd 1.7; before, the container is root without any capability.
    if let user, known.contains("--user") { words += ["--user", "\(user.id):\(user.group)"] }
    return words
  }
}
