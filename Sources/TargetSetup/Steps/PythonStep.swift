import Host
import Settings

/// Installs the Python that Ansible needs, from the bundle's repository.
struct PythonStep: Step {
  let name = StepName.python
  let needs: [StepName] = [.offlineRepo]

  func check(_ node: Node, _ journal: Journal) async throws -> StepState {
    guard !node.configuration.python.ansibleInContainer else {
      return .notApplicable("Ansible runs in a container, with a Python of its own")
    }
    if let python = try await node.python() {
      return .done("\(python.program) is Python \(python.version) with venv")
    }
    guard NodePython.choice(for: node.system) != nil else { return .needed("there is no suitable Python") }
    guard try node.repositories.repository(for: node.system) != nil else {
      return .needed(
        "there is no suitable Python, and the bundle has no packages for \(node.system.releaseName)")
    }
    return .needed("the Python for Ansible is not installed")
  }

  func apply(_ node: Node, _ journal: Journal) async throws -> String {
    guard let choice = NodePython.choice(for: node.system), let packages = node.packages else {
      throw StepError(
        "\(node.system.prettyName) has no Python of its own for this kubespray's Ansible. Install Python 3.11 or "
          + "newer with venv by hand, or run Ansible on another machine.")
    }
    guard try node.repositories.repository(for: node.system) != nil else {
      throw StepError(
        "the bundle has no packages for \(node.system.releaseName), so \(choice.packages.joined(separator: " and ")) "
          + "cannot be installed. Make the bundle with this release in packages.targets, or install them by hand."
      )
    }
    try await packages.install(choice.packages) { names in
      for name in names { try journal.note("package", name) }
    }
    guard let python = try await node.python() else {
      throw StepError(
        "python3.\(choice.minor) still has no venv after \(choice.packages.joined(separator: " and ")) came from the "
          + "bundle. Look at what the package manager said (--verbose).")
    }
    return "\(python.program) is Python \(python.version) with venv"
  }

  func beforeUndo(_ node: Node, _ journal: Journal) async throws {
    try await node.removeNotedPackages(journal, step: name)
  }
}
