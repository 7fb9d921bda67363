import ArgumentParser
import CommandSupport
import Console
import Settings

/// Shows the settings.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Show every setting, its value, and where the value came from.")

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() throws {
    let entries = try settings.resolve().entries
    if output.json { return try printJSON(entries) }
    output.console().table(
      ["SETTING", "VALUE", "FROM", "MEANING"], entries.map { [$0.key, $0.value, "\($0.origin)", $0.summary] })
  }
}
