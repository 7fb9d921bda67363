import ArgumentParser
import CommandSupport
import Console
import TargetSetup

/// Takes steps back.
struct UndoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "undo", abstract: "Take steps back: \"all\", or those named.",
    discussion: """
      Services are stopped, what a step brought is removed, and what was there
      before comes back byte for byte. A file that was changed since is not
      thrown away: it stays, or is kept below /var/lib/kubespray-offline/changed.
      """)

  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Argument(help: .init("all, or steps by name.", valueName: "step"), completion: .steps)
  var steps: [String] = []

  func validate() throws { _ = try stepArguments(steps, all: []) }

  func run() async throws {
    let names = try stepArguments(steps, all: StepName.allCases.filter(\.needsRoot))
    try requireRoot("target-setup undo \(steps.joined(separator: " "))")
    let console = output.console()
    let context = try options.context(console)
    let reports = try await Interruption.watching(console) {
      try await withTicking(console) { try await SetupRun(context).undo(names) }
    }
    try show(reports, console, output)
    console.finish(reports.allSatisfy { $0.outcome == .already } ? "nothing to undo" : "taken back")
  }
}
