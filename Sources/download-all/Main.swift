import CommandSupport

/// The entry point.
@main
enum Main {
  static func main() async {
    await Program.run(DownloadAllCommand.self, commandFirst(Array(CommandLine.arguments.dropFirst())))
  }
}

/// The arguments with a command's name in front of the options that were typed before it.
func commandFirst(_ arguments: [String]) -> [String] {
  commandFirst(arguments, of: DownloadAllCommand.self, flags: optionsWithoutValue)
}

private let optionsWithoutValue: Set<String> = [
  "-q", "--quiet", "--json", "--no-progress", "-v", "--verbose", "-n", "--dry-run", "-y", "--yes", "--bundle",
  "--keep-cache", "--only-cache",
  "--flat", "--prove", "--skip-images", "--skip-packages", "--skip-pypi", "--from-cluster", "--no-install",
  "--refresh",
  "--ansible-in-container",
  "-h", "--help", "--version",
]
