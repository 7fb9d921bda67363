import CommandSupport
import Console
import Glibc
import TargetSetup

/// The entry point.
@main
enum Main {
  static func main() async {
    umask(0o022)
    LauncherFolder.remove()
    await Program.run(TargetSetupCommand.self, Array(CommandLine.arguments.dropFirst())) {
      Problem.all($0)
    }
  }
}
