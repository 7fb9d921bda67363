import ArgumentParser
import CommandSupport
import TargetSetup

/// The program as shells complete it: the options that can be typed without a command stand at the top, and a step is a
/// command, behind which further steps are typed.
struct CompletedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: TargetSetupCommand.configuration.commandName,
    subcommands: TargetSetupCommand.configuration.subcommands
      + steps(FirstWord.self, StepName.allCases.count + 1))

  @OptionGroup var options: RunOptions

  private static func steps<Place: WordPlace>(_ place: Place.Type, _ left: Int) -> [any ParsableCommand.Type]
  {
    left == 0 ? [] : [CompletedStep<Place>.self] + steps(WordAfter<Place>.self, left - 1)
  }
}

/// A step, or "all", in place of a command.
struct CompletedStep<Place: WordPlace>: ParsableCommand {
  static var configuration: CommandConfiguration {
    guard Place.number > 0 else {
      return CommandConfiguration(commandName: "all", abstract: "All steps, in their order.")
    }
    let step = StepName.allCases[Place.number - 1]
    return CommandConfiguration(commandName: step.rawValue, abstract: step.summary)
  }

  @OptionGroup var run: RunCommand
}
