import Files

/// What one look at a machine has found.
public struct Finding: Sendable, Equatable, Encodable {
  /// How much it matters.
  public enum Level: String, Sendable, Encodable {
    /// Nothing is wrong.
    case ok
    /// It works, and something may go wrong with it.
    case warning
    /// It will not work like this.
    case error
  }

  /// What was looked at, in a word that stays the same from release to release.
  public let check: MachineCheck
  /// How much it matters.
  public let level: Level
  /// What was found.
  public let detail: String
  /// What to do about it, a command where there is one; `nil` when nothing is wrong.
  public let next: String?
  /// The node of the cluster that was looked at, by its name in the inventory; `nil` for this machine.
  public private(set) var node: String?

  /// Nothing is wrong.
  public static func ok(_ check: MachineCheck, _ detail: String) -> Finding {
    Finding(check: check, level: .ok, detail: detail, next: nil)
  }

  /// Something may go wrong.
  public static func warning(_ check: MachineCheck, _ detail: String, next: String) -> Finding {
    Finding(check: check, level: .warning, detail: detail, next: next)
  }

  /// The same finding, made on a node.
  public func on(_ node: String) -> Finding {
    var finding = self
    finding.node = node
    return finding
  }

  /// It will not work like this.
  public static func error(_ check: MachineCheck, _ detail: String, next: String) -> Finding {
    Finding(check: check, level: .error, detail: detail, next: next)
  }
}

/// What a machine is looked at for.
public enum MachineCheck: String, Sendable, Encodable {
  case rights, system, bundle, run, clock, names, addresses, proxy, authorities, hosts, programs, disk
  case fileSystem = "file-system"
  case programsOnDisk = "no-exec"
  case memory, cgroups, overlay, selinux, firewall, ports
  case packageSources = "package-sources"
  case packageManager = "package-manager"
  case clients, umask, locale, services
  case openFiles = "open-files"
  case leftovers, steps
  case ssh, python, sudo, swap, servers, hostname
}

/// All that was found on a machine.
public struct MachineReport: Sendable, Encodable {
  /// The findings, in the order in which they were made.
  public let findings: [Finding]
  /// How many of them are errors.
  public let errors: Int
  /// How many of them are warnings.
  public let warnings: Int

  /// A report.
  public init(_ findings: [Finding]) {
    self.findings = findings
    errors = findings.count { $0.level == .error }
    warnings = findings.count { $0.level == .warning }
  }

  /// What to do, errors first, each once.
  public var next: [String] {
    var seen: Set<String> = []
    return [Finding.Level.error, .warning].flatMap { level in findings.filter { $0.level == level } }
      .compactMap(\.next).filter { seen.insert($0).inserted }
  }

  /// How it stands, in a sentence.
  public var summary: String {
    return errors + warnings == 0
      ? "nothing is wrong with this machine, as far as can be seen"
      : "\(counted(errors, "error")), \(counted(warnings, "warning"))"
  }
}
