import ArgumentParser
import CommandSupport
import Console
import Settings
import TargetSetup

/// Shows the settings that concern the target.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Show every setting, its value, and where the value came from.")

  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() throws {
    let console = output.console()
    let entries = try options.context(console, output.events(console)).configuration.entries
    if output.json { return try printJSON(entries) }
    console.table(
      ["SETTING", "VALUE", "FROM", "MEANING"], entries.map { [$0.key, $0.value, "\($0.origin)", $0.summary] })
  }
}
