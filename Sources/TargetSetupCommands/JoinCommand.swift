import ArgumentParser
import CommandSupport
import Console
import Files
import Supply
import SystemPackage
import TargetSetup

/// Puts together what came on several media.
struct JoinCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "join", abstract: "Put together a bundle, or a delta, that came on several media.",
    discussion: """
      MEDIA are the folders that "download-all media" has written, in any order.
      With one reader, give the same command for one medium after the other: what
      is there already stays. Each piece is compared with its digest. Media that
      are missing or damaged are named, with what is on them; "download-all media
      --part N" makes one again alone.

        target-setup join /media/a /media/b --into /srv/outputs

      It needs no root. Then, from the folder: sh ./target-setup all, or for a
      delta: target-setup merge. Exit status 0 when everything is there, 1 before.
      """)

  @OptionGroup(title: "Output") var output: OutputOptions

  @Argument(help: .init("The folders of media.", valueName: "media"), completion: .directory)
  var media: [String]

  @Option(help: .init("The folder to put everything into.", valueName: "dir"), completion: .directory)
  var into: String

  func run() async throws {
    let console = output.console()
    let (places, folder) = (media.map { FilePath($0) }, FilePath(into))
    let events = output.events(console)
    let report = try await Interruption.watching(console) {
      try await withTicking(console) { try await JoinRun.run(places, into: folder, emit: events) }
    }
    if output.json {
      try printJSON(report)
    } else {
      show(report, console)
    }
    // What is damaged was named; where everything is there all the same, another medium had it.
    if !report.isComplete { throw ExitCode(.failed) }
  }

  private func show(_ report: MediaJoin.Report, _ console: Console) {
    for problem in report.problems { console.emit(.message(.error, problem, stage: nil)) }
    guard !report.isComplete else {
      return console.finish(
        "\(report.folder) has all of \(report.bundle), from \(counted(report.parts.count, "medium", "media")), each file as it was made"
      )
    }
    console.table(
      ["MEDIUM", "STATE", "LACKING", "SIZE", "SUCH AS"],
      report.parts.map { part in
        [
          "\(part.part)", part.state.rawValue, part.lacking == 0 ? "" : "\(part.lacking)",
          part.lacking == 0 ? "" : ByteCount.format(part.bytes), part.examples.joined(separator: ", "),
        ]
      }, rightAligned: [0, 2, 3])
    func numbers(_ state: MediaJoin.State) -> String? {
      let parts = report.parts.filter { $0.state == state }.map { "\($0.part)" }
      return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
    var advice: [String] = []
    if let missing = numbers(.missing) {
      advice.append("Give the same command with the media that are missing: \(missing).")
    }
    if let damaged = numbers(.damaged) {
      advice.append(
        "Try those that are damaged in another reader, or make them again: download-all media --part N (\(damaged))."
      )
    }
    console.finish("\(report.folder) is not complete. \(advice.joined(separator: " "))")
  }
}
