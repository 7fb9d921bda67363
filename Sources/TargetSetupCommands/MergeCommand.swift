import ArgumentParser
import CommandSupport
import Console
import Files
import Supply
import SystemPackage
import TargetSetup

/// Merges a delta.
struct MergeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Make the new bundle of the one before it and a delta.",
    discussion: """
      DIR is what "download-all delta" has written. The new bundle is the one that
      the delta was made of, byte for byte, with its signature: whether it is taken
      is decided first, and each file is compared with its manifest. The old bundle
      is read and not changed. Where the file system can, files that both have
      share their room on the disk.

      Give the same command again to go on after a stop. A delta for another bundle
      is refused. One that heals damaged files puts them back in their places.

      It needs no root. Then, from the new folder: sh ./target-setup all
      """)

  @OptionGroup(title: "Output") var output: OutputOptions

  @Argument(help: .init("The folder of the delta.", valueName: "dir"), completion: .directory)
  var delta: String

  @Option(
    name: [.short, .long],
    help: .init(
      "The bundle that the delta was made for, if it is not the one that this program lies in.",
      valueName: "dir"), completion: .directory)
  var bundle: String?

  @Option(
    help: .init(
      "The folder for the new bundle; by default one beside the old bundle, named by its version.",
      valueName: "dir"), completion: .directory)
  var into: String?

  @OptionGroup var trust: ManifestTrustOptions

  func run() async throws {
    let console = output.console()
    let old = try SetupContext.bundleFolder(bundle.map { FilePath($0) }, processEnvironment())
    let (folder, into, policy) = (FilePath(delta), into.map { FilePath($0) }, trust.policy())
    let events = output.events(console)
    let result = try await Interruption.watching(console) {
      try await withTicking(console) {
        try await MergeRun.run(folder, bundle: old, into: into, policy: policy, emit: events)
      }
    }
    let report = result.report
    if output.json { return try printJSON(report) }
    if result.isHealed {
      let files = counted(report.fromDelta + report.rebuilt, "file")
      return console.finish("\(report.folder) is healed: \(files) put back")
    }
    let images = counted(report.rebuilt, "image")
    console.finish(
      "\(report.folder) holds \(report.result): \(counted(report.fromBase, "file")) of the old bundle "
        + "(\(counted(report.shared, "shares", "share")) its room), \(report.fromDelta) of the delta, \(images) put together, "
        + "\(report.present) there already; \(ByteCount.format(report.written)) written. "
        + "Next: sh \(report.folder)/target-setup all")
  }
}
