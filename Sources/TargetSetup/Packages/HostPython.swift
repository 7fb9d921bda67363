import Host
import SystemPackage

/// The Python of the host that runs Ansible.
struct HostPython: Sendable, Equatable {
  /// How it is called, such as `python3.11`.
  let program: String
  /// Its version, such as `3.11.2`.
  let version: String

  /// What to install on a release: the minor version of Python 3, and the packages that bring it with `venv`.
  struct Choice: Sendable, Equatable {
    let minor: Int
    let packages: [String]
  }

  /// The choice for a release; `nil` where no Python of its own can run the Ansible of supported kubesprays.
  static func choice(for system: OSRelease) -> Choice? {
    switch (system.family, system.id, system.versionID) {
    case (.debian, "debian", "12"): Choice(minor: 11, packages: ["python3.11", "python3.11-venv"])
    case (.debian, "debian", "13"): Choice(minor: 13, packages: ["python3.13", "python3.13-venv"])
    case (.debian, "ubuntu", "22.04"): Choice(minor: 11, packages: ["python3.11", "python3.11-venv"])
    case (.debian, "ubuntu", "24.04"): Choice(minor: 12, packages: ["python3.12", "python3.12-venv"])
    case (.debian, "ubuntu", "26.04"): Choice(minor: 14, packages: ["python3.14", "python3.14-venv"])
    case (.redHat, _, _) where system.majorVersion == 9: Choice(minor: 11, packages: ["python3.11"])
    case (.redHat, _, _) where system.majorVersion == 10: Choice(minor: 12, packages: ["python3"])
    case (.redHat, "fedora", _): Choice(minor: 14, packages: ["python3.14"])
    // Both parts of it, with ensurepip and venv, under the name of its version.
    case (.suse, _, let version) where version.hasPrefix("15."): Choice(minor: 11, packages: ["python311"])
    case (.suse, _, let version) where version.hasPrefix("16."): Choice(minor: 13, packages: ["python313"])
    default: nil
    }
  }

  /// The Python of a host that can make virtual environments with pip in them, and run kubespray's Ansible.
  static func find(on host: TargetHost) async throws -> HostPython? {
    let choice = choice(for: host.system).map { [$0.minor] } ?? []
    let minors = choice + [13, 12, 11, 14].filter { !choice.contains($0) }
    for minor in minors {
      let program = "python3.\(minor)"
      // Debian leaves ensurepip out of Python itself, and then venv makes no pip.
      let code = "import ensurepip, venv, platform; print(platform.python_version())"
      do {
        let result = try await host.run(Command(program, ["-I", "-c", code]))
        let version = result.standardOutput.split(whereSeparator: \.isWhitespace).first
        if result.status == 0, let version { return HostPython(program: program, version: String(version)) }
      } catch CommandError.executableNotFound {
        continue
      }
    }
    return nil
  }
}
