import ArgumentParser
import CommandSupport
import Console
import TargetSetup

/// Looks at this machine.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look at this machine for what would stop the steps, and say what to do about it.",
    discussion: """
      Before the steps and after them: the bundle, the clock, names, addresses,
      proxy, disks with their file systems and inodes, memory, control groups,
      SELinux, who has the ports, the firewall, packages for this release,
      container clients, file mask, locale, what killed runs have left, and steps
      that were done and are not as they were.

      With --inventory also at each node of an Ansible inventory, by ssh as Ansible
      logs in, without asking for passwords: python3, sudo, clock, disks, memory,
      swap, control groups, whether it reaches the web server and the registry of
      this host, the ports of Kubernetes, names and addresses that two nodes share,
      and where its packages come from.

      One line for each, then the next commands, those for errors first. Changes
      nothing. Exit status 1 when there is an error. As root it sees more.
      """)

  @Option(
    name: [.short, .long],
    help: .init(
      "Look at the nodes of this inventory too; may be repeated, as for ansible-playbook.", valueName: "file"),
    completion: .file())
  var inventory: [String] = []

  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    let console = output.console()
    let doctor = try TargetDoctor(environment: processEnvironment()) {
      try options.context(console) { _ in }
    }
    let inventories = inventory
    let report = try await Interruption.watching(console) {
      try await doctor.report(inventories: inventories)
    }
    try report.show(console, output)
  }
}
