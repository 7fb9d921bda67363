import Diagnosis
import Files
import Host
import SystemPackage

extension TargetDoctor {
  /// What is to be said of the nodes of these inventories; nothing where there is no inventory.
  func nodes(_ inventories: [String], _ servers: [NodeServer]) async throws -> [Finding] {
    guard !inventories.isEmpty else { return [] }
    guard let program = inventoryProgram else {
      return [
        .error(
          .programs, "there is no ansible-inventory on this host, which reads inventories",
          next: "target-setup ansible")
      ]
    }
    let doctor = NodeDoctor(
      run: machine.run, now: now, servers: servers, packageServer: setUp?.addresses.webServer ?? "")
    return try await doctor.findings(inventories, program: program)
  }

  /// That of the environment with kubespray's Ansible, or the system's own.
  private var inventoryProgram: String? {
    if let setUp, let source = try? TreeSource(setUp) {
      let program = source.environment.appending("bin/ansible-inventory")
      if setUp.host.exists(program) { return setUp.host.path(program).string }
    }
    let search = machine.environment["PATH"]
    return findExecutable("ansible-inventory", path: search)?.string
  }

  /// The servers of this host that nodes ask.
  func nodeServers(_ servers: [ServerPort]) -> [NodeServer] {
    guard let setUp else { return [] }
    // The web server first, as servers() has them.
    return zip(servers, [("the web server", StepName.nginx), ("the registry", .registry)]).map {
      server, kind in
      NodeServer(
        title: kind.0, host: setUp.addresses.address, port: server.port,
        stepToDo: server.isRunning ? nil : kind.1)
    }
  }
}
