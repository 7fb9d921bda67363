import Console
import Host
import Settings

/// Installs the Python that Ansible needs, from the bundle's repository.
struct PythonStep: Step {
  let name = StepName.python
  let needs: [StepName] = [.offlineRepo]
  let usedFolders = ["debs", "rpms"]

  func check(_ context: SetupContext, _ journal: Journal) async throws -> StepState {
    guard !context.configuration.python.ansibleInContainer else {
      return .notApplicable("Ansible runs in a container, with a Python of its own")
    }
    if let python = try await HostPython.find(on: context.host) {
      guard !HostPackages.wasInterrupted(journal) else {
        return .needed("the installation of \(python.program) was interrupted")
      }
      return .done("\(python.program) is Python \(python.version) with venv")
    }
    guard HostPython.choice(for: context.host.system) != nil else {
      return .needed("there is no suitable Python")
    }
    guard try context.repositories.repository(for: context.host.system) != nil else {
      return .needed(
        "there is no suitable Python, and the bundle has no packages for \(context.host.system.releaseName)")
    }
    return .needed("the Python for Ansible is not installed")
  }

  func apply(_ context: SetupContext, _ journal: Journal) async throws -> String {
    guard let choice = HostPython.choice(for: context.host.system),
      let packages = HostPackages(context.host, say: journal.say)
    else {
      throw StepError(
        "\(context.host.system.prettyName) has no Python of its own for this kubespray's Ansible",
        .installPython)
    }
    guard try context.repositories.repository(for: context.host.system) != nil else {
      throw StepError(
        "the bundle has no packages for \(context.host.system.releaseName), so \(choice.packages.joined(separator: " and ")) "
          + "cannot be installed", .packageTarget(context.host.system.releaseName))
    }
    try await packages.install(choice.packages, journal)
    guard let python = try await HostPython.find(on: context.host) else {
      throw StepError(
        "python3.\(choice.minor) still has no venv after \(choice.packages.joined(separator: " and ")) came from the "
          + "bundle", .verbose)
    }
    return "\(python.program) is Python \(python.version) with venv"
  }

  func beforeUndo(_ context: SetupContext, _ journal: Journal) async throws {
    if let left = try await HostPackages.takeBack(journal, on: context.host) {
      context.say(.warning, left, step: name)
    }
  }
}
