import CommandSupport
import Console
import DownloadAll

/// The entry point.
@main
enum Main {
  static func main() async {
    await Program.run(
      DownloadAllCommand.self, completed: CompletedCommand.self, Array(CommandLine.arguments.dropFirst())
    ) {
      Problem.all($0)
    }
  }
}
