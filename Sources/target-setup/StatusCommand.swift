import ArgumentParser
import CommandSupport
import Console
import Host
import TargetSetup

/// Shows what is done.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show the state of each step and the addresses that are served.",
    discussion: "Changes nothing. As root it sees more: who holds a port, which images are there.")

  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    let console = output.console()
    let context = try options.context(console, output.events(console))
    if !Privilege.isRoot {
      console.emit(
        .message(.warning, "without root containerd and what only root may read cannot be seen", stage: nil))
    }
    let report = try await Interruption.watching(console) { try await StatusReport(context) }
    if output.json { return try printJSON(report) }
    console.table(
      ["STEP", "STATE", "UNDO", "DETAIL"],
      report.steps.map { [$0.step.rawValue, $0.state, $0.isUndoable ? "yes" : "-", $0.detail] })
    console.table(
      ["SERVICE", "ADDRESS", "ANSWERS"],
      report.services.map { [$0.name, $0.address, $0.answers ? "yes" : "no"] })
    console.finish()
  }
}
