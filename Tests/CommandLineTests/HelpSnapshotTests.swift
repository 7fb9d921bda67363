import ArgumentParser
import Snapshot
import Testing

@testable import DownloadAllCommands
@testable import TargetSetupCommands

/// The help of both programs and of each of their commands, word for word.
@Suite struct HelpSnapshotTests {
  @Test(arguments: [
    ("download-all", DownloadAllCommand.self as any ParsableCommand.Type),
    ("target-setup", TargetSetupCommand.self),
  ])
  func helpIsAsItWas(_ name: String, _ root: any ParsableCommand.Type) throws {
    var text = root.helpMessage(columns: 80)
    for command in root.configuration.subcommands {
      let name = command.configuration.commandName ?? ""
      text += "\n\n==== \(name) ====\n\n" + helpMessage(of: command, in: root)
    }
    let difference = try Snapshot.difference(text + "\n", "help-\(name)")
    #expect(difference == nil, "\(difference ?? "")")
  }

  private func helpMessage(
    of command: any ParsableCommand.Type, in root: any ParsableCommand.Type
  ) -> String {
    func message<Root: ParsableCommand>(_ root: Root.Type) -> String {
      root.helpMessage(for: command, columns: 80)
    }
    return message(root)
  }
}
