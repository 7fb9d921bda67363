import ArgumentParser
import Cache
import CommandSupport
import Console
import DownloadAll
import Files
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
        download-all clean --shelves               what the cache holds, and how much
        download-all clean --shelf environments    one shelf of the cache
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Flag(help: "Remove the bundle too.")
  var bundle = false

  @Flag(help: "Leave the cache.")
  var keepCache = false

  @Flag(help: "Remove the cache and nothing else.")
  var onlyCache = false

  @Flag(help: "List the shelves of the cache with their sizes; remove nothing.")
  var shelves = false

  @Option(
    name: .customLong("shelf"),
    help: .init("Remove this shelf of the cache and nothing else; may be repeated.", valueName: "name"),
    completion: .list(CacheShelf.allCases.map(\.rawValue)))
  var chosenShelves: [CacheShelf] = []

  @Flag(name: [.short, .long], help: "Do not ask.")
  var yes = false

  @Flag(
    name: [.customShort("n"), .customLong("dry-run")], help: "Show what would be removed; remove nothing.")
  var isDryRun = false

  func validate() throws {
    if onlyCache, bundle || keepCache {
      throw ValidationError("--only-cache cannot be combined with --bundle or --keep-cache")
    }
    if shelves || !chosenShelves.isEmpty, bundle || keepCache || onlyCache {
      throw ValidationError(
        "--shelves and --shelf cannot be combined with --bundle, --keep-cache or --only-cache")
    }
  }

  func run() throws {
    let configuration = try settings.resolve()
    let console = output.console()
    if shelves || !chosenShelves.isEmpty { return try cleanShelves(configuration.cache, console) }
    for (index, release) in try ReleaseChain(configuration).configurations.enumerated() {
      try clean(release, includesCache: index == 0 && !keepCache, console)
    }
  }

  private func clean(_ configuration: Configuration, includesCache: Bool, _ console: Console) throws {
    let cleaning = try Cleaning(
      configuration, includesBundle: bundle, includesCache: includesCache, includesRemains: !onlyCache)
    guard !cleaning.paths.isEmpty else { return try report([], left: [], size: 0, console) }
    if !isDryRun {
      let names = cleaning.paths.prefix(4).map(\.string).joined(separator: ", ")
      let rest = cleaning.paths.count > 4 ? " and " + counted(cleaning.paths.count - 4, "more file") : ""
      try ask("\(names)\(rest), \(ByteCount.format(cleaning.size))")
    }
    let removed = isDryRun ? cleaning.paths : try cleaning.execute()
    let left = cleaning.foreign.map { "\($0): it is not part of the bundle" }
    try report(removed, left: left, size: cleaning.size, console)
  }

  private func cleanShelves(_ folder: FilePath, _ console: Console) throws {
    guard CacheTag.marks(folder) else { throw NotOurs(folder: folder) }
    let cache = try Cache(folder)
    let usage = cache.usage().filter { chosenShelves.isEmpty || chosenShelves.contains($0.shelf) }
    if shelves { return try list(usage, console) }
    let size = usage.reduce(0) { $0 + $1.size }
    let removed = usage.filter { $0.size > 0 }.map { cache.folder(of: $0.shelf) }
    guard !removed.isEmpty, !isDryRun else { return try report(removed, left: [], size: size, console) }
    try ask("\(removed.map(\.string).joined(separator: ", ")), \(ByteCount.format(size))")
    let left = usage.flatMap { cache.clear($0.shelf) }.map { "\($0): another run uses it" }
    try report(removed, left: left, size: size, console)
  }

  private func list(_ usage: [ShelfUsage], _ console: Console) throws {
    if output.json { return try printJSON(usage) }
    console.table(
      ["SHELF", "ENTRIES", "SIZE", "HOLDS"],
      usage.map { [$0.shelf.rawValue, "\($0.entries)", ByteCount.format($0.size), $0.shelf.summary] },
      rightAligned: [1, 2])
  }

  /// - Throws: `ValidationError` when nobody can be asked, `ExitCode` when the answer is no.
  private func ask(_ what: String) throws {
    guard !yes else { return }
    guard Terminal.isInput else {
      throw ValidationError(
        "nothing was removed: there is no terminal to ask on. Give --yes to remove \(what)")
    }
    Terminal.writeError("Remove \(what)? [y/N] ")
    guard ["y", "yes"].contains(readLine()?.lowercased() ?? "") else {
      Terminal.writeError("nothing was removed\n")
      throw ExitCode(.failed)
    }
  }

  private func report(_ removed: [FilePath], left: [String], size: Int64, _ console: Console) throws {
    if output.json {
      return try printJSON(
        Outcome(removed: removed.map(\.string), left: left, size: size, isDryRun: isDryRun))
    }
    let verbs = isDryRun ? ("would remove", "would leave") : ("removed", "left")
    for path in removed { console.emit(.message(.info, "\(verbs.0) \(path)", stage: nil)) }
    for text in left { console.emit(.message(.warning, "\(verbs.1) \(text)", stage: nil)) }
    console.finish(removed.isEmpty ? "there is nothing to remove" : "\(verbs.0) \(ByteCount.format(size))")
  }

  /// What was done, for `--json`.
  private struct Outcome: Encodable {
    let removed: [String]
    let left: [String]
    let size: Int64
    let isDryRun: Bool
  }
}

extension CacheShelf: ExpressibleByArgument {}
