import ArgumentParser
import CommandSupport
import Console
import Files
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

      With --dns this host is a name server that knows no name: give nodes its
      address as theirs, and every name that they ask for outside is shown once.
      """)

  @OptionGroup(title: "Settings") var options: HostOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Option(
    help: ArgumentHelp("Begin there, in words of journalctl: \"10 min ago\", \"today\".", valueName: "time"))
  var since: String?

  @Flag(help: "Show what was asked until now, and end.")
  var once = false

  @Flag(help: "Answer as a name server that knows no name, and show each name that is asked for.")
  var dns = false

  func validate() throws {
    guard !dns || !once else { throw ValidationError("--dns waits for questions, and --once for none") }
  }

  func run() async throws {
    try requireRoot("target-setup watch")
    let console = output.console()
    let context = try options.context(console, output.events(console))
    let last = LastState()
    let (isJSON, since, isFollowing) = (output.json, since ?? (once ? "today" : nil), !once)
    let nameServer = dns ? context.addresses.address : nil
    defer { last.show(console, isJSON: isJSON) }
    try await Interruption.watching(console) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await RequestWatch.run(context, since: since, isFollowing: isFollowing) { state, found in
            last.state.withLock { $0.requests = state }
            guard !isJSON, let found else { return }
            console.line("404 for \(found.client): \(found.explanation)")
          }
        }
        if let nameServer {
          group.addTask {
            try await NameWatch.run(address: nameServer) { state, found in
              last.state.withLock { $0.names = state }
              guard !isJSON, let found else { return }
              console.line("name for \(found.clients[0]): \(found.name) was asked for, and is not known here")
            }
          }
        }
        // One that fails ends the other.
        for try await _ in group {}
      }
    }
  }
}

/// What was seen so far: it is shown whichever way the watch ends.
private final class LastState: Sendable {
  struct Seen: Encodable {
    var requests: RequestWatch?
    var names: NameWatch?

    private enum CodingKeys: CodingKey { case clients, missing, names }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(requests?.clients ?? [], forKey: .clients)
      try container.encode(requests?.missing ?? [], forKey: .missing)
      try container.encodeIfPresent(names?.names, forKey: .names)
    }
  }

  let state = Mutex(Seen())

  func show(_ console: Console, isJSON: Bool) {
    let all = state.withLock { $0 }
    if isJSON {
      try? printJSON(all)
      return
    }
    if let names = all.names {
      console.table(
        ["NAME", "ASKED FOR BY", "TIMES"],
        names.names.map { [$0.name, $0.clients.joined(separator: " "), "\($0.count)"] }, rightAligned: [2])
    }
    guard let seen = all.requests else { return console.finish("no file, package or image was asked for") }
    console.table(
      ["NODE", "ANSWERED", "REFUSED OR MISSING"],
      seen.clients.map { [$0.address, "\($0.answered)", "\($0.refused)"] }, rightAligned: [1, 2])
    console.finish(
      seen.missing.isEmpty
        ? "everything that was asked for was there"
        : "\(counted(seen.missing.count, "thing that was asked for is", "things that were asked for are")) not there"
    )
  }
}
