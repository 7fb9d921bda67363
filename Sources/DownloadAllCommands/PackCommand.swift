import ArgumentParser
import Bundle
import CommandSupport
import Console
import DownloadAll
import Settings
import SystemPackage

/// Makes other archives of a finished bundle.
struct PackCommand: AsyncParsableCommand {
  /// What can be made.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    /// The archives of kubespray's own scripts.
    case contrib
  }

  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Turn a finished bundle into the archives that kubespray's own scripts take.",
    discussion: """
      --format contrib makes two files, whatever files.layout the bundle has:

        container-images.tar.gz  for contrib/offline's
                                 manage-offline-container-images.sh register
        offline-files.tar.gz     offline-files/HOST/PATH, as
                                 manage-offline-files.sh makes it

      The bundle itself stays as it is. The same bundle gives the same bytes.
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Option(help: .init("What to make: contrib.", valueName: "format"))
  var format: Format

  @Option(help: .init("The folder for the archives.", valueName: "dir"), completion: .directory)
  var to = "."

  func run() async throws {
    let configuration = try ReleaseChain(try settings.resolve()).only(for: "pack")
    let console = output.console()
    let (folder, events) = (FilePath(to), output.events(console))
    let packed = try await Interruption.watching(console) {
      try await withTicking(console) {
        try await ContribPack(configuration, to: folder, emit: events).run()
      }
    }
    if output.json { return try printJSON(packed) }
    console.table(
      ["ARCHIVE", "HOLDS", "SIZE", "DIGEST"],
      packed.map { [$0.path, "\($0.items)", ByteCount.format($0.size), "\($0.sha256)"] },
      rightAligned: [1, 2])
    console.finish("packed \(packed.map { $0.path }.joined(separator: " and "))")
  }
}
