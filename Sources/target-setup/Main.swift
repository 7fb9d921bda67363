import TargetSetupCommands

/// The entry point.
@main
enum Main {
  static func main() async { await TargetSetupProgram.run() }
}
