import CommandSupport
import Console
import TargetSetup

/// The entry point.
@main
enum Main {
  static func main() async {
    setOrdinaryFileMask()
    LauncherFolder.remove()
    await Program.run(TargetSetupCommand.self, Array(CommandLine.arguments.dropFirst())) {
      Problem.all($0)
    }
  }
}
