import ArgumentParser
import CommandSupport
import Console
import TargetSetup

/// Shows what is typed next.
struct NextCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "next", abstract: "Show the commands that deploy or upgrade a cluster from this host.",
    discussion: """
      These are the lines that "all" ends with. Changes nothing.
      """)

  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    let console = output.console()
    let context = try options.context(console, output.events(console))
    guard let next = NextCommands(context) else {
      throw StepError("kubespray is not extracted on this host", .first(.extract))
    }
    if output.json { return try printJSON(next.lines) }
    Self.show(next.lines, console)
    console.finish()
  }

  /// Shows the commands for people.
  static func show(_ lines: [String], _ console: Console) {
    guard !lines.isEmpty else { return }
    console.line("Next:")
    for line in lines { console.line("  \(line)") }
  }
}
