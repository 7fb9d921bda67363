import Host
import SystemPackage

/// The Python that runs Ansible on a machine.
struct NodePython: Sendable, Equatable {
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
    case (.redHat, _, _) where system.majorVersion == 9: Choice(minor: 11, packages: ["python3.11"])
    case (.redHat, _, _) where system.majorVersion == 10: Choice(minor: 12, packages: ["python3"])
    default: nil
    }
  }

  /// The Python of a machine that can make virtual environments with pip in them.
  ///
  /// - Parameters:
  ///   - minors: The minor versions that will do, best first.
  ///   - run: Runs a command on the machine.
  static func find(
    minors: [Int], run: @Sendable (Command) async throws -> CommandResult
  ) async throws -> NodePython? {
    for minor in minors {
      let program = "python3.\(minor)"
      // Debian leaves ensurepip out of Python itself, and then venv makes no pip.
      let code = "import ensurepip, venv, platform; print(platform.python_version())"
      do {
        let result = try await run(Command(program, ["-I", "-c", code]))
        let version = result.standardOutput.split(whereSeparator: \.isWhitespace).first
        if result.status == 0, let version { return NodePython(program: program, version: String(version)) }
      } catch CommandError.executableNotFound {
        continue
      }
    }
    return nil
  }
}
