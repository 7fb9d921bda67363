import ArgumentParser
import Bundle
import Console
import DownloadAll
import Glibc

/// Removes what the program made.
struct CleanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clean", abstract: "Remove the cache and the remains of interrupted downloads.",
    discussion:
      "The bundle itself stays, unless --bundle is given. Nothing that this program did not make is removed.")

  @OptionGroup(title: "Settings") var settings: SettingOptions

  @Flag(help: "Remove the bundle too.")
  var bundle = false

  @Flag(name: [.short, .long], help: "Do not ask before removing the bundle.")
  var yes = false

  @Flag(
    name: [.customShort("n"), .customLong("dry-run")], help: "Show what would be removed; remove nothing.")
  var isDryRun = false

  func run() throws {
    let configuration = try settings.resolve()
    let cleaning = try Cleaning(configuration, includesBundle: bundle)
    if isDryRun {
      for path in cleaning.paths { print("would remove \(path)") }
      for path in cleaning.foreign { print("would leave \(path): it is not part of the bundle") }
      return
    }
    if bundle, !yes, !confirmed("Remove the bundle in \(configuration.outputs)? [y/N] ") {
      throw ValidationError("not confirmed; nothing was removed. Give --yes to remove without a question.")
    }
    for path in try cleaning.execute() { print("removed \(path)") }
    for path in cleaning.foreign { print("left \(path): it is not part of the bundle") }
  }

  private func confirmed(_ question: String) -> Bool {
    guard isatty(STDIN_FILENO) == 1 else { return false }
    printError(question)
    return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
  }
}
