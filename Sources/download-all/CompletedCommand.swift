import ArgumentParser

/// The program as shells complete it: what can be typed without a command stands beside the commands.
struct CompletedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: DownloadAllCommand.configuration.commandName,
    subcommands: DownloadAllCommand.configuration.subcommands)

  @OptionGroup var run: RunCommand
}
