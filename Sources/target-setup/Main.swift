import CommandSupport
import Glibc
import TargetSetup

/// The entry point.
@main
enum Main {
  static func main() async {
    umask(0o022)
    Launcher.tidy()
    await Program.run(TargetSetupCommand.self, commandFirst(Array(CommandLine.arguments.dropFirst())))
  }
}

/// The arguments with a command's name in front of the options that were typed before it.
func commandFirst(_ arguments: [String]) -> [String] {
  commandFirst(arguments, of: TargetSetupCommand.self, flags: optionsWithoutValue)
}

private let optionsWithoutValue: Set<String> = [
  "-q", "--quiet", "--json", "--no-progress", "-v", "--verbose", "--skip-verify", "--force", "--insecure",
  "--take-node", "-n", "--dry-run", "--artifactory", "-h", "--help", "--version",
]
