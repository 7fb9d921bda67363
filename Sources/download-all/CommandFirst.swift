import ArgumentParser

/// The arguments with a command's name in front of the options that were typed before it: people write
/// `download-all --config FILE plan` as well as `download-all plan --config FILE`.
func commandFirst(_ arguments: [String]) -> [String] {
  let commands = DownloadAllCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
  var index = 0
  while index < arguments.count {
    let argument = arguments[index]
    if commands.contains(argument) {
      var reordered = arguments
      reordered.insert(reordered.remove(at: index), at: 0)
      return reordered
    }
    guard argument.hasPrefix("-"), argument != "--" else { return arguments }
    // The value of an option is no command, whatever it says.
    index += takesValue(argument) ? 2 : 1
  }
  return arguments
}

private func takesValue(_ option: String) -> Bool {
  if option.contains("=") || optionsWithoutValue.contains(option) { return false }
  // Short flags may stand together: -qn is -q -n.
  let letters = option.dropFirst()
  return option.hasPrefix("--") || !letters.allSatisfy { optionsWithoutValue.contains("-\($0)") }
}

private let optionsWithoutValue: Set<String> = [
  "-q", "--quiet", "--json", "--no-progress", "-v", "--verbose", "-n", "--dry-run", "-y", "--yes", "--bundle",
  "--keep-cache", "--only-cache",
  "--flat", "--skip-images", "--skip-packages", "--skip-pypi", "--no-install", "--refresh",
  "-h", "--help", "--version",
]
