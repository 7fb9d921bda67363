import ArgumentParser
import CommandSupport
import Console
import Synchronization
import TargetSetup

/// Shows what nodes ask for and do not get, while a playbook runs.
struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Show what nodes ask this host for and do not get, while a playbook runs.",
    discussion: """
      Each file, package or image that is not there is shown once, with the
      variable of kubespray that leads to it. Ctrl-C ends it with a table of all
      nodes. Changes nothing.
      """)

  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Option(
    help: ArgumentHelp("Begin there, in words of journalctl: \"10 min ago\", \"today\".", valueName: "time"))
  var since: String?

  @Flag(help: "Show what was asked until now, and end.")
  var once = false

  func run() async throws {
    try requireRoot("target-setup watch")
    let console = output.console()
    let context = try options.context(console, output.events(console))
    let last = LastState()
    let (isJSON, since, isFollowing) = (output.json, since ?? (once ? "today" : nil), !once)
    defer { last.show(console, isJSON: isJSON) }
    try await Interruption.watching(console) {
      try await RequestWatch.run(context, since: since, isFollowing: isFollowing) { state, found in
        last.state.withLock { $0 = state }
        guard !isJSON, let found else { return }
        console.line("404 for \(found.client): \(found.explanation)")
      }
    }
  }
}

/// What was seen so far: it is shown whichever way the watch ends.
private final class LastState: Sendable {
  let state = Mutex<RequestWatch?>(nil)

  func show(_ console: Console, isJSON: Bool) {
    guard let seen = state.withLock({ $0 }) else { return console.finish("nothing was asked") }
    if isJSON {
      try? printJSON(seen)
    } else {
      console.table(
        ["NODE", "ANSWERED", "REFUSED OR MISSING"],
        seen.clients.map { [$0.address, "\($0.answered)", "\($0.refused)"] }, rightAligned: [1, 2])
      console.finish(
        seen.missing.isEmpty
          ? "everything that was asked for was there"
          : "\(seen.missing.count) things that were asked for are not there")
    }
  }
}
