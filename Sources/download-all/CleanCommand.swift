import ArgumentParser
import Bundle
import CommandSupport
import Console
import DownloadAll
import Glibc
import Settings
import SystemPackage

/// Removes what the program made.
struct CleanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clean", abstract: "Remove the cache and the remains of interrupted downloads.",
    discussion: """
      Says what and how much, and asks first; without a terminal, --yes is needed.
      The bundle itself stays, unless --bundle is given. Nothing that this program
      did not make is removed.

        download-all clean                         the cache, and parts of files
        download-all clean --only-cache            the cache only; partial downloads are kept and resumed
        download-all clean --bundle --keep-cache   the bundle; a new one is quick
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Flag(help: "Remove the bundle too.")
  var bundle = false

  @Flag(help: "Leave the cache.")
  var keepCache = false

  @Flag(help: "Remove the cache and nothing else.")
  var onlyCache = false

  @Flag(name: [.short, .long], help: "Do not ask.")
  var yes = false

  @Flag(
    name: [.customShort("n"), .customLong("dry-run")], help: "Show what would be removed; remove nothing.")
  var isDryRun = false

  func validate() throws {
    if onlyCache, bundle || keepCache {
      throw ValidationError("--only-cache cannot be combined with --bundle or --keep-cache")
    }
  }

  func run() throws {
    let configuration = try settings.resolve()
    let console = output.console()
    let cleaning = try Cleaning(
      configuration, includesBundle: bundle, includesCache: !keepCache, includesRemains: !onlyCache)
    if isDryRun {
      for path in cleaning.paths { console.line("would remove \(path)") }
      for path in cleaning.foreign { console.line("would leave \(path): it is not part of the bundle") }
      return
    }
    guard !cleaning.paths.isEmpty else { return console.line("there is nothing to remove") }
    let names = cleaning.paths.prefix(4).map(\.string).joined(separator: ", ")
    let rest = cleaning.paths.count > 4 ? " and \(cleaning.paths.count - 4) more files" : ""
    let what = "\(names)\(rest), \(ByteCount.format(cleaning.size))"
    if !yes {
      guard isatty(STDIN_FILENO) == 1 else {
        throw ValidationError(
          "nothing was removed: there is no terminal to ask on. Give --yes to remove \(what)")
      }
      guard confirmed("Remove \(what)? [y/N] ") else {
        Terminal.writeError("nothing was removed\n")
        throw ExitCode(.failed)
      }
    }
    for path in try cleaning.execute() { console.line("removed \(path)") }
    for path in cleaning.foreign { console.line("left \(path): it is not part of the bundle") }
  }

  private func confirmed(_ question: String) -> Bool {
    Terminal.writeError(question)
    return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
  }
}
