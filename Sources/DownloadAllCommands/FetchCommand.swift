import ArgumentParser
import Bundle
import CommandSupport
import Console
import DownloadAll
import Settings
import SystemPackage

/// Fetches a list of URLs with the engine of the stages.
struct FetchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Fetch any list of URLs into a folder, in parallel, resuming and verified.",
    discussion: """
      LIST has one URL a line, optionally followed by a digest (sha256:... or
      sha512:...). Blank lines and lines that begin with # are passed over.
      Files are named HOST/PATH, or by the last segment with --flat.
      Kubespray's own files.list is such a list.
      """)

  @OptionGroup(title: "Settings") var settings: SettingOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  @Flag(help: "Name files by the last segment of their URL.")
  var flat = false

  @Argument(help: .init("The list.", valueName: "list"), completion: .file())
  var list: String

  @Argument(help: .init("The folder to fetch into.", valueName: "dir"), completion: .directory)
  var folder: String

  func run() async throws {
    var configuration = try ReleaseChain(try settings.resolve()).only(for: "fetch")
    configuration.outputs = FilePath(folder)
    let console = output.console()
    let urls = try URLList(FilePath(list), isFlat: flat)
    let report = try await Interruption.watching(console) { [configuration] in
      try await withTicking(console) {
        try await urls.fetch(configuration, environment: processEnvironment(), emit: console.emit)
      }
    }
    for failure in report.failures {
      console.emit(.problem(failure, stage: nil))
    }
    console.finish("\(report.summary) in \(DurationText.format(report.duration))")
    if !report.failures.isEmpty { throw ExitCode(.failed) }
  }
}
