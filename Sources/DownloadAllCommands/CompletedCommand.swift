import ArgumentParser
import Bundle
import CommandSupport

/// The program as shells complete it: the options that can be typed without a command stand at the top, and a stage is a
/// command, behind which further stages are typed.
struct CompletedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: DownloadAllCommand.configuration.commandName,
    subcommands: DownloadAllCommand.configuration.subcommands
      + stages(FirstWord.self, StageName.allCases.count))

  @OptionGroup var options: RunOptions

  private static func stages<Place: WordPlace>(_ place: Place.Type, _ left: Int) -> [any ParsableCommand.Type]
  {
    left == 0 ? [] : [CompletedStage<Place>.self] + stages(WordAfter<Place>.self, left - 1)
  }
}

/// A stage in place of a command.
struct CompletedStage<Place: WordPlace>: ParsableCommand {
  static var configuration: CommandConfiguration {
    let stage = StageName.allCases[Place.number]
    return CommandConfiguration(commandName: stage.rawValue, abstract: stage.summary)
  }

  @OptionGroup var run: RunCommand
}
