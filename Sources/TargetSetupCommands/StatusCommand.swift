import ArgumentParser
import CommandSupport
import Console
import Host
import TargetSetup

/// Shows what is done.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show the state of each step and the addresses that are served.",
    discussion: "Changes nothing. As root it shows more: who holds a port, which images are there.")

  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    let console = output.console()
    let context = try options.context(console, output.events(console))
    if !Privilege.isRoot {
      console.emit(
        .message(
          .warning, "not running as root: containerd's state and root-only files are not shown", stage: nil))
    }
    let report = try await Interruption.watching(console) { try await StatusReport(context) }
    if output.json { return try printJSON(report) }
    console.table(["TRUST"], report.trust.lines.map { [$0] })
    Self.show(report.steps, report.services, console)
    console.table(
      ["KUBESPRAY", "ADDRESS", "HAS", "IS SERVED FROM", "IS THERE"],
      report.releases.map {
        [
          $0.kubespray, $0.address ?? "/files, behind newer bundles", $0.parts.joined(separator: " "),
          $0.folder,
          $0.isThere ? "yes" : "no",
        ]
      })
    console.table(
      ["PRUNED", "OF", "WHAT", "SIZE"],
      report.pruned.map { [$0.time, $0.release, $0.what, ByteCount.format($0.bytes)] }, rightAligned: [3])
    if report.isPruningUnfinished {
      let text = "a pruning was begun and stopped: target-setup prune --apply ends it"
      console.emit(.message(.warning, text, stage: nil))
    }
    CertificateCommand.show(report.access, console)
    NextCommand.show(report.next, console)
    console.finish()
  }

  /// Shows the state for people.
  static func show(_ steps: [StepStatus], _ services: [StatusReport.Service], _ console: Console) {
    console.table(
      ["STEP", "STATE", "UNDO", "DETAIL"],
      steps.map { [$0.step.rawValue, $0.state, $0.isUndoable ? "yes" : "-", $0.detail] })
    console.table(
      ["SERVICE", "ADDRESS", "ANSWERS"],
      services.map { [$0.name, $0.address, $0.answers ? "yes" : "no"] })
  }
}
