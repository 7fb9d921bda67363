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

      One line for each, then the next commands, those for errors first. Changes
      nothing. Exit status 1 when there is an error. As root it sees more.
      """)

  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    let console = output.console()
    let doctor = try TargetDoctor(environment: processEnvironment()) {
      try options.context(console) { _ in }
    }
    let report = try await Interruption.watching(console) { try await doctor.report() }
    try report.show(console, output)
  }
}
