import DownloadAllCommands

/// The entry point.
@main
enum Main {
  static func main() async { await DownloadAllProgram.run() }
}
