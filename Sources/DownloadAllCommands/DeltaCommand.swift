import ArgumentParser
import Bundle
import CommandSupport
import Console
import DownloadAll
import Files
import Settings
import Supply
import SystemPackage

/// Makes a delta.
struct DeltaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delta", abstract: "Write what the bundle has and an earlier one has not.",
    discussion: """
      The folder that is written holds every file that the other side lacks, and of
      images the blobs that it lacks. There

        target-setup merge DIR --bundle OLD --into NEW

      makes the new bundle of it, byte for byte and with its signature. Give the
      same command again to go on after a stop.

      --base names what the other side has: its bundle.json, or the folder of that
      bundle. Bundles of versions before this command do not say which blobs their
      images have: "target-setup inventory" on the other side writes a file that
      does.

      --heal names a list that "verify --missing FILE" has written, of this very
      bundle: the delta then holds what is damaged there, and merge puts it back.
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Option(
    help: .init("What the other side has: a bundle.json, an inventory, or a folder.", valueName: "old"),
    completion: .file())
  var base: String?

  @Option(
    help: .init("A list of what is damaged on the other side, to be healed.", valueName: "file"),
    completion: .file())
  var heal: String?

  @Option(help: .init("The folder for the delta.", valueName: "dir"), completion: .directory)
  var to: String

  func validate() throws {
    guard (base == nil) != (heal == nil) else {
      throw ValidationError("name the base with --base OLD, or a list of what is damaged with --heal FILE")
    }
  }

  func run() async throws {
    let configuration = try settings.resolve()
    let console = output.console()
    let (folder, events) = (FilePath(to), output.events(console))
    let base: DeltaRun.Base = heal.map { .damaged(list: FilePath($0)) } ?? .bundle(FilePath(self.base ?? ""))
    let report = try await Interruption.watching(console) {
      try await withTicking(console) {
        try await DeltaRun.run(from: base, to: configuration.outputs, in: folder, emit: events)
      }
    }
    if output.json { return try printJSON(report) }
    let all = ByteCount.format(report.resultBytes)
    console.finish(
      "\(to) has \(ByteCount.format(report.bytes)) of the \(all) of \(report.result): \(counted(report.files, "file")), "
        + "\(counted(report.archives, "image by its blobs", "images by their blobs")). It is for \(report.base)"
    )
  }
}
