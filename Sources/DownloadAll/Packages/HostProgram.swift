import Bundle
import Files
import FoundationEssentials
import Host
import Kubespray
import Mirrors
import Settings
import SystemPackage

/// A program that a stage runs on this machine, and the packages that bring it.
struct HostProgram: Sendable {
  /// What is looked for.
  let name: String
  /// The packages of Debian and Ubuntu.
  let debian: [String]
  /// The packages of the RHEL family.
  let redHat: [String]
  /// What it is needed for, to complete "which is needed to".
  let purpose: String
  /// Whether it is there. The program counts, not the package: it may have come otherwise.
  let isPresent: @Sendable () async -> Bool

  init(
    _ name: String, debian: String, redHat: String, _ purpose: String,
    isPresent: (@Sendable () async -> Bool)? = nil
  ) {
    self.name = name
    self.debian = debian.split(separator: " ").map(String.init)
    self.redHat = redHat.split(separator: " ").map(String.init)
    self.purpose = purpose
    self.isPresent = isPresent ?? { findExecutable(name) != nil }
  }

  /// The packages for a machine of that family; none where nobody knows them.
  func packages(_ family: OSRelease.Family) -> [String] {
    switch family {
    case .debian: debian
    case .redHat: redHat
    case .suse, .other: []
    }
  }
}

extension HostProgram {
  /// What the selected stages need with these settings, present or not.
  ///
  /// - Throws: `OSReleaseError` or `UnsupportedTarget`.
  static func needed(_ job: Job, _ kubespray: KubesprayWorkshop, _ memory: ProgramMemory) throws
    -> [HostProgram]
  {
    var programs: [HostProgram] = []
    let settings = job.configuration
    let system = try OSRelease.current()
    let collectsPackages = job.includes(.repo) && !settings.packages.skip
    let collectsWheels = job.includes(.pypi) && !settings.pypi.skip
    if job.includes(.py) {
      programs.append(HostProgram("bash", debian: "bash", redHat: "bash", "run kubespray's generate_list.sh"))
    }
    if job.includes(.kubespray), kubespray.usesGit {
      programs.append(HostProgram("git", debian: "git", redHat: "git", "fetch kubespray.source"))
    }
    if job.includes(.kubespray), kubespray.hasPatches {
      programs.append(HostProgram("patch", debian: "patch", redHat: "patch", "apply local patches"))
    }
    if job.includes(.py) || collectsWheels, settings.python.executable == nil {
      programs.append(python(system, memory))
    }
    if [StageName.kubespray, .py, .pypi, .files, .images, .repo].contains(where: job.includes) {
      programs.append(certificates)
    }
    guard collectsPackages else { return programs }
    let families = Set(try PackageTargets(settings.packages, system: system).choices.map(\.target.family))
    if families.contains(.debian) { programs += debianTools }
    if families.contains(.redHat) || families.contains(.suse) { programs += rpmTools }
    return programs + [gpg]
  }

  private static let gpg = HostProgram(
    "gpg", debian: "gpg gpg-agent", redHat: "gnupg2", "sign the repositories"
  ) { findExecutable("gpg") != nil && findExecutable("gpg-agent") != nil }

  private static let debianTools = [
    HostProgram("apt-get", debian: "apt", redHat: "apt", "resolve Debian packages"),
    HostProgram("xz", debian: "xz-utils", redHat: "xz", "index Debian packages"),
  ]

  private static let rpmTools = [
    HostProgram("dnf", debian: "dnf", redHat: "python3-dnf", "resolve RPM packages") {
      RPMRepository.hasSolver
    },
    HostProgram("createrepo_c", debian: "createrepo-c", redHat: "createrepo_c", "index RPM packages"),
  ]

  private static let certificates = HostProgram(
    "ca-certificates", debian: "ca-certificates", redHat: "ca-certificates", "check servers' certificates"
  ) {
    let given = ["SSL_CERT_FILE", "CURL_CA_BUNDLE"].contains {
      ProcessInfo.processInfo.environment[$0] != nil
    }
    let files = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]
    return given || files.contains { fileExists(FilePath($0)) }
  }

  /// A Python that kubespray's Ansible accepts. Where the release's own is too old, a newer one of the release.
  private static func python(_ system: OSRelease, _ memory: ProgramMemory) -> HostProgram {
    let minor = (try? PackageTarget(system))?.pythonMinor ?? 11
    // python3 of Ubuntu 22.04 is 3.10 (packages.ubuntu.com/jammy/python3).
    let isNamed = system.id == "ubuntu" && system.versionID == "22.04"
    return HostProgram(
      "python3", debian: isNamed ? "python3.\(minor) python3.\(minor)-venv" : "python3 python3-venv",
      redHat: "python3.\(minor)", "run Ansible and pip"
    ) { await HostPython.isPossible(minor: 10, memory: memory) }
  }
}
