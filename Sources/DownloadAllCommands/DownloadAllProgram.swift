import CommandSupport
import Console
import DownloadAll

/// The program with internet.
public enum DownloadAllProgram {
  /// Does what was typed, and ends this process.
  public static func run() async -> Never {
    await Program.run(
      DownloadAllCommand.self, completed: CompletedCommand.self, Array(CommandLine.arguments.dropFirst())
    ) {
      Problem.all($0)
    }
  }
}
