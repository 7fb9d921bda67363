import DownloadAllCommands
import TargetSetupCommands

/// The entry point of the file that is both programs: the name under which it was started says which.
@main
enum Main {
  static func main() async {
    // Swift reads the name in /proc. Where that is not mounted, target-setup says so.
    let name = CommandLine.arguments.first?.split(separator: "/").last ?? "target-setup"
    if name == "target-setup" { await TargetSetupProgram.run() }
    await DownloadAllProgram.run()
  }
}
